/** Fetches what the model asks for: points of the view, labels, the paint, the rows of a filter. */

import * as api from "./api.js";
import { byId, texts } from "./elements.js";
import { where } from "./filters.js";
import { COLOURED } from "./map/colours.js";
import { encloses } from "./map/grid.js";
import { byColumn, byGiven, byLabel, byNumber } from "./paints.js";
import { amongViews, stored } from "./model.js";
import { points } from "./points.js";
import { say, wrong } from "./saying.js";

const columns = new Map(); // of a corpus: name → column

/** Fetch the views, and from then on whatever the model comes to need. The list waits for no map. */
export async function load(model) {
  model.on("view", () => ready(open(model)));
  model.on("points given colour", (names) => {
    const own = model.points?.name === model.view && model.view !== "base";
    if (!own || names.some((name) => name !== "given" && name !== "labelled")) ready(paint(model)); // labels of people colour what has no view
  });
  model.on("filter points", () => ready(filter(model)));
  model.on("selection points rows settled", () => select(model));
  model.on("filter", (names) => names.includes("selection") || model.set({ selection: null })); // what it selects from is another
  await refresh(model);
  const first = [...model.views.keys()].find((name) => name !== "base") ?? "base";
  Object.assign(model, amongViews({ view: model.view, also: model.also }, model.views, first));
}

/** Return the points of the base space, fetched once; what has failed is asked for again by the next who wants them. */
function base(model) {
  model.basePoints ??= fetched(model).catch((error) => {
    model.basePoints = null;
    throw error;
  });
  return model.basePoints;
}

async function fetched(model) {
  const told = (share) => {
    waits(model, "base", share);
    if (model.listed?.name === "base") waits(model, "view", share); // which shows the base space while it has no points of its own
  };
  told();
  try {
    const found = await points("base", told, () => false);
    model.set({ base: found });
    return found;
  } finally {
    waits(model, "base", null);
  }
}

/** Fetch what there is anew. */
export async function refresh(model) {
  const { corpus, views, known_as: workspace, min_rows: minRows, told_from: toldFrom } = await api.views();
  const known = new Map(views.map((view) => [view.name, view]));
  for (const [name, view] of model.views) if (view.unsaved && !known.has(name)) known.set(name, view);
  model.set({ corpus, workspace, minRows, toldFrom });
  model.views = known;
  model.tell("views");
}

/** Fetch the view that is looked at: the labels given, and its points as they are now. */
export async function open(model) {
  const name = model.view;
  const view = model.views.get(name);
  const turn = ++model.turn;
  const gone = () => model.view !== name || model.turn !== turn; // the next one asks for what is newer
  const own = name !== "base" && view.rows > 0;
  if (!model.points || (own && model.points.transform !== view.transform)) waits(model, "view"); // the figures are of the new one already
  ready(base(model));
  try {
    const given = name === "base" || view.unsaved ? { rows: [] } : await api.labels(name);
    if (gone()) return;
    take(model, name, given.rows);
    model.set({ listed: own ? { name, transform: view.transform } : { name: "base", transform: null } });
    model.tell("given");
    const told = (share) => waits(model, "view", share);
    const found = own ? await points(name, told, gone, true) : await base(model);
    if (gone() || !found) return;
    model.set({ points: found });
    if (found.making === null) return;
    told(found.making);
    const made = await points(name, told, gone);
    if (!gone() && made) model.set({ points: made });
  } finally {
    if (!gone()) waits(model, "view", null);
  }
}

/** Take the labels of a view as the service tells them. */
export function take(model, name, rows) {
  model.given = new Map(rows.map(({ id, label }) => [id, label]));
  model.own = new Map(rows.filter(({ annotator }) => annotator === model.annotator).map(({ id, label }) => [id, label]));
  model.givenOf = name;
}

/** Fetch the labels anew, unless some of this page's own are on their way. */
export async function labelsAnew(model, name) {
  const { marks } = model;
  const { rows } = await api.labels(name);
  if (model.view !== name || model.unsaved() || model.marks !== marks) return;
  take(model, name, rows);
  model.tell("given", "views");
}

/** Return the labels of a view in an order that stays, in this browser: the first have keys and colours. */
export function order(model, name = model.view) {
  const view = model.views.get(name);
  const place = `refract.${model.workspace}.order.${name}`;
  const last = (model.orders ??= new Map()).get(name);
  const of = [view?.labels, model.given, model.marks];
  if (last?.of.every((one, n) => one === of[n])) return last.whole;
  const kept = [...(last?.whole ?? [])];
  const counts = view?.counts ?? {};
  const all = [...new Set([...(view?.labels ?? []), ...(name === model.givenOf ? model.given.values() : [])])].filter((label) => label !== null);
  const before = stored(place, Array.isArray) ?? [];
  const known = before.filter((label) => all.includes(label) && !kept.includes(label));
  kept.push(...known);
  const fresh = all.filter((label) => !kept.includes(label));
  const typed = !kept.length && view?.labels?.length && !Object.keys(counts).length; // names of labels come as they were typed
  const often = typed ? fresh : fresh.sort((a, b) => (counts[b] ?? 0) - (counts[a] ?? 0) || (a < b ? -1 : 1));
  const first = typed ? [] : often.slice(0, Math.max(0, COLOURED - kept.length)).sort();
  const whole = [...kept, ...first, ...often.slice(first.length)];
  model.orders.set(name, { whole, of });
  if (whole.length) localStorage.setItem(place, JSON.stringify(whole));
  return whole;
}

/** Tell whether a view reads it off each text: the base space has none. */
export const isReading = (name) => ["confidence", "novelty"].includes(name);

async function paint(model) {
  const { points: shown, colour, given, view, listed } = model;
  if (!shown || shown.name !== listed.name) return;
  let made;
  if (colour === "label" || (isReading(colour) && shown.name === "base"))
    made = shown.name === view && view !== "base" ? byLabel(shown, order(model)) : byGiven(shown, given, order(model));
  else if (isReading(colour)) made = byNumber(colour, shown[colour]);
  else made = byColumn(colour, await column(model, shown, colour));
  if (model.points === shown && model.colour === colour) model.set({ paint: made });
}

async function column(model, shown, name) {
  const key = `${shown.corpus} ${shown.name} ${name}`;
  if (!columns.has(key)) columns.set(key, (await api.column(shown.name, name)).table.getChildAt(0));
  return columns.get(key);
}

/** Return the condition of the filter for a view. */
export function condition(model, filtered = model.filter, readings = model.listed?.name !== "base") {
  const types = Object.fromEntries(model.corpus.columns.map(({ name, type }) => [name, type]));
  return where(filtered, readings, types);
}

async function filter(model) {
  const { points: shown } = model;
  if (!shown || shown.name !== model.listed.name) return undefined;
  const asked = condition(model);
  const settled = wanted(model);
  if (!asked) return model.set({ rows: null, settled });
  const { table } = await api.matching(shown.name, { where: asked });
  if (model.points !== shown || wanted(model) !== settled) return undefined;
  const rows = new Uint8Array(shown.count);
  for (const row of table.getChild("row").toArray()) rows[row] = 1;
  return model.set({ rows, settled });
}

/** Return which rows of which points the filter wants: what `settled` is once `rows` are those. */
const wanted = (model) => `${model.points.corpus} ${model.listed.name} ${model.points.transform} ${condition(model)}`;

/** Tell whether `points` and `rows` are what view and filter ask for, and not yet those from before. */
export function settled(model) {
  return model.points?.name === model.listed?.name && model.settled === wanted(model);
}

/** Find the rows of the selection. Which texts it has is found once: a new map, version or reading leaves them what they are. */
function select(model) {
  const { selection, points: shown } = model;
  if (!shown) return undefined;
  if (model.picked?.of !== selection) model.picked = selection && meant(model);
  if (!model.picked) return model.set({ selected: null });
  return model.set({ selected: Uint32Array.from(model.picked.ids.map((id) => shown.row(id)).filter((row) => row >= 0)) });
}

/** Return which texts a selection means: named by ids, all that the filter has, or inside the outline that a link holds; null: not known yet. */
function meant(model) {
  const { selection, points: shown, base } = model;
  const sampled = shown.count < shown.total;
  if (selection.ids) return { of: selection, ids: selection.ids.filter((id) => sampled || shown.row(id) >= 0) };
  const at = selection.of === "base" ? base : shown;
  if (!at || !settled(model)) return null;
  const there = selection.all ? Array.from({ length: shown.count }, (_, row) => row) : within(selection.outline, at).map((row) => same(at, shown, row));
  const ids = there.filter((row) => row >= 0 && model.rows?.[row] !== 0).map((row) => shown.id(row));
  if (selection.outline) say(`the address holds an outline: on the map as it is now it encloses ${texts(ids.length)}`);
  return { of: selection, ids };
}

function within(outline, { xy, count }) {
  const found = [];
  for (let row = 0; row < count; row++) if (encloses(outline, xy[2 * row], xy[2 * row + 1])) found.push(row);
  return found;
}

/** Tell whether each row of both is the same text. */
export const alike = (from, to) => from.corpus === to.corpus && from.count === to.count;

/** Return the row of `to` that holds the text of a row of `from`, or -1. */
export function same(from, to, row) {
  return alike(from, to) ? row : to.row(from.id(row));
}

/**
 * Say on a map how far it is made, once that is known; null: it is there. What is drawn of another view meanwhile fades. A screen reader is
 * told that it is being made, and not each step.
 */
function waits(model, side, share) {
  const other = side === "base" || !model.points || model.points.name !== model.listed?.name;
  const [what, far] = byId(`making-${side}`).children;
  const said = share === null ? "" : `${share === undefined ? "fetching" : "making"} the ${other ? "" : "new "}map of ${texts(model.corpus.texts)} …`;
  if (what.textContent !== said) what.textContent = said;
  far.textContent = share ? ` ${Math.round(100 * share)} %` : "";
  byId(`figure-${side}`).classList.toggle("waits", share !== null && other);
}

function ready(promise) {
  promise.catch?.(wrong);
}
