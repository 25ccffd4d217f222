/** What the colours mean, how many texts each has, and a filter at a click. */

import { byId, count, dot, fill, make, refill } from "../elements.js";
import { holds, toggled } from "../filters.js";
import { isReading } from "../loading.js";

const SHOWN = 12; // names before the rest is folded away

/** @param {import("../model.js").Model} model */
export function mountLegend(model) {
  let whole = false;
  const draw = () => legend(model, whole, () => draw(void (whole = true)));
  model.on("paint rows filter colour", draw);
  model.on("colour view", () => (whole = false));
  const choose = byId("colour");
  choose.addEventListener("change", () => model.set({ colour: choose.value }));
  model.on("corpus", () => {
    const columns = model.corpus.columns.map(({ name }) => name);
    fill(choose, ["label", "confidence", "novelty", ...columns].map((name) => make("option", { value: name }, name)));
    choose.value = model.colour;
  });
  model.on("colour", () => (choose.value = model.colour));
}

function legend(model, whole, more) {
  const { paint, points, rows, filter, colour } = model;
  if (!paint || !points || paint.codes.length !== points.count) return;
  document.body.dataset.paint = paint.by;
  if (paint.range) return void fill(byId("legend"), ramp(paint));
  const counts = new Float64Array(paint.names.length);
  for (let row = 0; row < points.count; row++) if (paint.groups[row] >= 0 && (!rows || rows[row])) counts[paint.groups[row]]++;
  const all = paint.names.map((name, n) => ({ name, entry: paint.entries[n], n: counts[n] }));
  const shown = whole ? all : all.slice(0, SHOWN);
  const sample = points.count < points.total ? `of the ${count(points.count)} drawn` : "";
  const clickable = paint.by !== "label" || points.name !== "base";
  refill(byId("legend"),
    shown.map(({ name, entry, n }) => make("button", {
      type: "button", className: "chip", title: clickable ? `show ${name} only ${sample}` : "", disabled: !clickable,
      "aria-pressed": String(holds(filter, paint.by, name)), onclick: () => model.set({ filter: toggled(filter, paint.by, name) }),
    }, dot(entry), make("span", {}, name), make("small", {}, count(n)))),
    all.length > shown.length ? make("button", { type: "button", className: "chip", onclick: more }, `${all.length - shown.length} others …`) : null,
    points.name === "base" || !model.given.size ? null : make("span", { className: "soft key" }, make("span", { className: "ring", "aria-hidden": "true" }), "labelled by people"),
    all.length ? null : make("span", { className: "soft" }, points.name !== "base" || paint.by !== "label" ? `no ${paint.by}` : isReading(colour) ? `no ${colour} here: a view has it` : "no labels yet"));
}

function ramp({ by, range }) {
  const reading = by === "confidence" || by === "novelty";
  const end = reading ? ["", ""] : ["≤ ", "≥ "];
  const said = (value) => (reading ? `${Math.round(100 * value)} %` : count(Math.round(value * 100) / 100));
  return make("span", { className: "ramp" }, make("span", {}, by), make("small", {}, `${end[0]}${said(range[0])}`), make("span", { className: "bar", "aria-hidden": "true" }), make("small", {}, `${end[1]}${said(range[1])}`));
}
