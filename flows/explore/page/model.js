/** What the page knows and shows; who wants to hear of a change says of which. */

import { wrong } from "./saying.js";

/** What a link holds, with what it is where the link says nothing. */
export const SHARED = { view: null, version: null, maps: "two", colour: "label", query: "", also: {}, filter: {}, selection: null, open: null, panel: "texts", sort: "id" };

export class Model {
  constructor() {
    Object.assign(this, SHARED, {
      corpus: { texts: 0, columns: [] },
      workspace: null, // by what this browser knows the workspace from others
      minRows: 10, // labelled texts that a first view takes
      toldFrom: 20, // labelled texts from which it is told how many are right
      views: new Map(), // name → view, as the service tells it
      base: null, // Points of the base space
      listed: null, // name and transform of the view that lists rows: base while the view has none
      points: null, // Points of the view, or of the base space while it has none
      rows: null, // 1 for each row of `points` that the filter has; null: all
      settled: null, // which points and filter `rows` are of
      picked: null, // the ids of the texts that are selected, and the selection they are `of`
      selected: null, // the rows of `points` that hold them
      paint: null, // what the points are coloured by
      given: new Map(), // id → label, as given by people, for the view `givenOf`
      own: new Map(), // those of them that were given here by this page's annotator
      givenOf: null,
      turn: 0, // how often a view was opened: only what the last one asked for is shown
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

/** Return what the address says. What cannot be meant is left out, and the page says so. */
export function fromAddress(hash) {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  const found = { ...SHARED };
  for (const key of Object.keys(SHARED)) {
    const written = said.get(key);
    if (written === null) continue;
    const { expected, fits, parses } = MEANT[key] ?? ANY;
    const value = parses ? parsed(written) : written;
    if (fits(value)) found[key] = value;
    else wrong(new Error(`the address: found ${key}=${written.slice(0, 80)}; expected ${expected}; it is left out`));
  }
  return found;
}

/** Return what an address says without the views that there are not, which the page tells; usual: the view in their place. */
export function amongViews(said, views, usual) {
  const there = (name) => views.has(name);
  for (const name of [said.view, ...Object.keys(said.also)].filter((name) => name !== null && !there(name)))
    wrong(new Error(`the address: found the view ${name.slice(0, 80)}; expected one of ${[...views.keys()].join(", ")}; it is left out`));
  const also = Object.fromEntries(Object.entries(said.also).filter(([name]) => there(name)));
  return { ...said, view: there(said.view) ? said.view : usual, also };
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

/** Return what this browser keeps under a name, or null. What is broken is taken out, and the page says so. */
export function stored(name, fits) {
  const kept = localStorage.getItem(name);
  if (kept === null) return null;
  const value = parsed(kept);
  if (fits(value)) return value;
  localStorage.removeItem(name);
  wrong(new Error(`${name}: this browser had kept ${kept.slice(0, 80)}, which this page cannot have written; it is left out`));
  return null;
}

function parsed(written) {
  try {
    return JSON.parse(written);
  } catch {
    return undefined; // which is no JSON, and fits nothing
  }
}

const object = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const list = (value, fits) => Array.isArray(value) && value.every(fits);
const text = (value) => typeof value === "string";
const number = (value) => Number.isFinite(value);
const shape = (value, fits) => object(value) && Object.entries(value).every(([key, part]) => Object.hasOwn(fits, key) && fits[key](part));
const oneOf = (...names) => ({ expected: `one of ${names.join(", ")}`, fits: (value) => names.includes(value) });

const between = (value) => list(value, (end) => end === null || number(end));
const column = (value) => shape(value, { values: (names) => list(names, text), from: text, to: text });
const also = (value) => object(value) && Object.values(value).every((weight) => number(weight) && weight > 0);
const filter = { labels: (names) => list(names, text), confidence: between, novelty: between, condition: text, columns: (value) => object(value) && Object.values(value).every(column) };
const selections = [{ all: (value) => value === true }, { ids: (value) => list(value, text) }, { outline: (value) => list(value, (place) => list(place, number) && place.length === 2), of: (value) => ["base", "view"].includes(value) }];
const selection = (value) => selections.some((fits) => shape(value, fits) && Object.keys(fits).every((key) => key in value));

const ANY = { fits: () => true };
/** What may stand in a link, where that is not any text. */
const MEANT = {
  version: { expected: "one that the view is compared with, such as v1", fits: (value) => /^v\d+$/.test(value) },
  maps: oneOf("two", "one"),
  panel: oneOf("texts", "label", "versions"),
  sort: oneOf("id", "confidence", "-confidence", "-novelty"),
  also: { parses: true, expected: "views with their weights as 'Share' writes them", fits: also },
  filter: { parses: true, expected: "a filter as 'Share' writes it", fits: (value) => shape(value, filter) },
  selection: { parses: true, expected: "a selection as 'Share' writes it", fits: selection },
};
