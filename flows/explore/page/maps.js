/** The two maps, base and view: what they show of the model, and what a pointer does to it. */

import * as known from "./known.js";
import { byId, fill, make, percent } from "./elements.js";
import { alike, order, same } from "./loading.js";
import { REST, forget, palette, read } from "./map/colours.js";
import { PointMap } from "./map/map.js";
import { LAYER } from "./map/renderer.js";
import { wrong } from "./saying.js";

const MANY = 400; // emphasised texts above which none gets a ring
const AN_ID = 100; // selected texts that a link names one by one

/** Set the maps up; where the browser cannot draw, say so and leave the list. */
export function mountMaps(model) {
  const maps = {};
  for (const side of ["base", "view"]) {
    try {
      maps[side] = new PointMap(byId(`map-${side}`), pointer(model, side));
    } catch (error) {
      wrong(error);
      for (const part of document.querySelectorAll("#maps, .toolbar .row")) part.hidden = true;
      return maps;
    }
  }
  const shown = () => Object.entries({ base: model.base, view: model.points }).filter(([, points]) => points);
  const draw = () => {
    for (const [side, points] of shown()) show(model, maps[side], points);
  };
  const relayer = () => {
    for (const [side, points] of shown()) {
      if (maps[side].xy !== points.xy) continue;
      maps[side].filter(carried(model, points, model.rows, 1));
      maps[side].layer(layers(model, points));
    }
  };
  model.on("base points paint", draw);
  model.on("rows selected found given", relayer);
  model.on("points paint moved rows", () => names(model, maps.view));
  model.on("hovered open points", () => {
    for (const [side, points] of shown()) point(model, maps[side], points);
  });
  model.on("maps view listed points", () => layout(model));
  model.on("lasso", () => lasso(model, maps));
  const scheme = () => {
    forget();
    for (const map of Object.values(maps)) map.paint(palette(), read("--paper").map((part) => part / 255));
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", scheme);
  document.addEventListener("scheme", scheme);
  scheme();
  layout(model);
  return maps;
}

const pointsOf = (model, side) => (side === "base" ? model.base : model.points);

function pointer(model, side) {
  return {
    hover(row, event) {
      const points = pointsOf(model, side);
      const id = points && row >= 0 ? points.id(row) : null;
      model.set({ hovered: id });
      tip(model, id, event).catch(wrong);
    },
    choose(row, { pointerType }) {
      const points = pointsOf(model, side);
      if (points && row >= 0) {
        model.set({ open: points.id(row) });
        if (pointerType === "touch") byId(`figure-${side}`).scrollIntoView(); // on a phone the text comes below it
      } else if (model.selection) model.set({ selection: null });
      else model.set({ open: null });
    },
    lasso(rows, outline) {
      const points = pointsOf(model, side);
      model.set({ lasso: false, panel: model.panel === "versions" ? "texts" : model.panel, query: "" });
      if (!points || !rows.length) return void model.set({ selection: null });
      const ids = Array.from(rows, (row) => points.id(row));
      const selection = ids.length <= AN_ID ? { ids } : { outline, of: side };
      model.selection = null; // an outline that is drawn again encloses what is there now
      model.picked = { of: selection, ids };
      model.set({ selection });
    },
  };
}

/** Draw points: those of the base space take colour and layer from the rows of the view. */
function show(model, map, points) {
  map.filter(carried(model, points, model.rows, 1));
  map.show(points.xy, carried(model, points, model.paint?.codes, REST) ?? new Uint8Array(points.count).fill(REST), layers(model, points));
}

/** Return a value for each row of `to`, where the model has one for each row of its points; else null. */
function carried(model, to, values, none) {
  const from = model.points;
  if (!from || values?.length !== from.count) return null;
  if (alike(from, to)) return values;
  return Uint8Array.from({ length: to.count }, (_, row) => values[same(to, from, row)] ?? none);
}

/** Return the layer of each row: left out, plain, labelled by somebody, or one of few that matter now. */
function layers(model, points) {
  const matter = model.selected ?? model.found;
  const rows = carried(model, points, model.rows, 1);
  const made = new Uint8Array(points.count).fill(matter ? LAYER.out : LAYER.plain);
  if (!matter) for (const id of model.given.keys()) put(made, points.row(id), LAYER.labelled);
  if (rows && !matter) for (let row = 0; row < made.length; row++) if (!rows[row]) made[row] = LAYER.out;
  const layer = matter?.length > MANY ? LAYER.plain : LAYER.selected;
  for (const row of matter ?? []) put(made, same(model.points, points, row), layer);
  return made;
}

const put = (made, row, layer) => row >= 0 && (made[row] = layer);

function point(model, map, points) {
  map.marks.hovered = model.hovered === null ? -1 : points.row(model.hovered);
  map.marks.open = model.open === null ? -1 : points.row(model.open);
  map.askMarks();
}

/** Write the names of groups in their middle, and arrows to the texts that moved from where their label is. */
function names(model, map) {
  const { paint, points, rows } = model;
  if (!points || !paint || paint.codes.length !== points.count) return;
  map.marks.names = [];
  map.marks.arrows = [];
  if (points.name === model.view && points.name !== "base") {
    const of = points.middles((row) => (rows && !rows[row] ? -1 : points.codes[row]), points.names.length);
    const named = points.names.flatMap((name, n) => (of[n] ? [{ name: brief(name), at: of[n] }] : []));
    if (paint.by === "label") map.marks.names = named.slice(0, 40);
    const changed = model.moved.filter(({ before, after }) => before.label !== after.label);
    map.marks.arrows = changed.flatMap(({ id, before, after }) => {
      const [row, from] = [points.row(id), of[points.names.indexOf(before.label)]];
      return row >= 0 && from ? [{ row, from, to: [points.xy[2 * row], points.xy[2 * row + 1]], entry: order(model).indexOf(after.label) }] : [];
    });
  }
  map.askMarks();
}

const brief = (name) => (name.length > 28 ? `${name.slice(0, 27)}…` : name);

function layout(model) {
  const two = model.maps === "two" && model.view !== "base";
  byId("maps").classList.toggle("two", two);
  byId("figure-base").hidden = !two;
  byId("title-view").textContent = title(model);
}

/** Say what the map of the view shows: until its own is there, that of the view before. */
function title({ view, listed, points }) {
  if (view === "base") return "The corpus, as it was embedded";
  if (listed && listed.name !== view) return `As embedded: there is no view ${view} yet`;
  return points && points.name !== view ? `Still ${points.name === "base" ? "as embedded" : `seen by ${points.name}`}: the map of ${view} comes` : `The same texts, seen by ${view}`;
}

function lasso(model, maps) {
  for (const map of Object.values(maps)) map.lassoing = model.lasso;
  byId("maps").classList.toggle("lassoing", model.lasso);
  byId("lasso").setAttribute("aria-pressed", String(model.lasso));
}

/** Show the text of a point beside the pointer. */
async function tip(model, id, event) {
  const place = byId("tip");
  place.hidden = id === null || event.pointerType === "touch";
  if (place.hidden || place.dataset.id === id) return void stand(place, event);
  place.dataset.id = id;
  const [text] = await known.texts(model, [id]);
  if (model.hovered !== id || !text) return undefined;
  const reading = text.label === undefined || text.label === null ? null : make("b", {}, text.label);
  const sure = text.confidence === undefined ? id : `${percent(text.confidence)} sure · novelty ${percent(text.novelty)} · ${id}`;
  const given = model.given.has(id) ? `labelled ${model.given.get(id)} · ` : "";
  fill(place, reading, make("span", {}, shortened(text.text ?? "")), make("small", {}, given + sure));
  return void stand(place, event);
}

const shortened = (text) => (text.length > 280 ? `${text.slice(0, 279)}…` : text);

function stand(place, event) {
  const { width, height } = place.getBoundingClientRect();
  const above = event.clientY + 18 + height > innerHeight;
  place.style.left = `${Math.max(8, Math.min(event.clientX + 14, innerWidth - width - 10))}px`;
  place.style.top = `${above ? event.clientY - height - 12 : event.clientY + 16}px`;
}
