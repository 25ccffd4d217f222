/** What the page knows and shows; who wants to hear of a change says of which. */

/** What a link holds, with what it is where the link says nothing. */
export const SHARED = { view: null, version: null, maps: "two", colour: "label", query: "", filter: {}, selection: null, open: null, panel: "texts", sort: "id" };

export class Model {
  constructor() {
    Object.assign(this, SHARED, {
      corpus: { texts: 0, columns: [] },
      workspace: null, // by what this browser knows the workspace from others
      minRows: 10, // labelled texts that a first view takes
      views: new Map(), // name → view, as the service tells it
      base: null, // Points of the base space
      listed: null, // name and transform of the view that lists rows: base while the view has none
      points: null, // Points of the view, or of the base space while it has none
      rows: null, // 1 for each row of `points` that the filter has; null: all
      selected: null, // rows of `points` that are selected
      paint: null, // what the points are coloured by
      given: new Map(), // id → label, as given by people, for the view `givenOf`
      own: new Map(), // those of them that were given here by this page's annotator
      givenOf: null,
      marks: 0, // how often labels were given on this page
      unsaved: () => false,
      hovered: null, // an id
      hits: null, // ids that a search has found first
      found: null, // rows of `points` that matter now: of those, or of texts that moved
      moved: [], // texts that moved between two versions
      lasso: false,
      annotator: localStorage.getItem("refract.annotator") ?? "explore",
    });
    this._heard = [];
  }

  /** Call `told` whenever one of `names` has changed. */
  on(names, told) {
    this._heard.push({ names: names.split(" "), told });
  }

  /** Change what is shown; equal values are no change. */
  set(changes) {
    const names = Object.keys(changes).filter((name) => !alike(this[name], changes[name]));
    for (const name of names) this[name] = changes[name];
    if (names.length) this.tell(...names);
  }

  /** Say that these have changed. */
  tell(...names) {
    for (const { names: wanted, told } of this._heard) if (wanted.some((name) => names.includes(name))) told(names);
  }

  /** The view that is looked at, as the service tells it. */
  get now() {
    return this.views.get(this.view);
  }

  /** Tell whether texts can be labelled here: an instruction is looked at, not the base space. */
  get labels() {
    return this.view !== null && this.view !== "base";
  }
}

function alike(a, b) {
  if (a === b) return true;
  const plain = (value) => value === null || ["Object", "Array"].includes(value.constructor?.name);
  if (typeof a !== "object" || typeof b !== "object" || !plain(a) || !plain(b)) return false;
  return a !== null && b !== null && !ArrayBuffer.isView(a) && JSON.stringify(a) === JSON.stringify(b);
}

/** Return what the address says. */
export function fromAddress(hash) {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  const found = {};
  for (const [key, usual] of Object.entries(SHARED)) {
    const value = said.get(key);
    found[key] = value === null ? usual : key === "filter" || key === "selection" ? parsed(value, usual) : value;
  }
  return found;
}

/** Return the address of what is shown: only what is not usual. */
export function toAddress(model) {
  const say = new URLSearchParams();
  for (const [key, usual] of Object.entries(SHARED)) {
    const value = model[key];
    if (value !== null && !alike(value, usual)) say.set(key, typeof value === "object" ? JSON.stringify(value) : value);
  }
  return `#${say}`;
}

function parsed(value, usual) {
  try {
    const found = JSON.parse(value);
    return typeof found === "object" ? found : usual;
  } catch {
    return usual;
  }
}
