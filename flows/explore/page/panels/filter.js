/** The form of the filter: labels, confidence, novelty and metadata, each with counts. */

import * as api from "../api.js";
import { byId, calm, count, fill, make } from "../elements.js";
import { example, holds, tidy, toggled } from "../filters.js";
import { condition } from "../loading.js";
import { wrong } from "../saying.js";

/** @param {import("../model.js").Model} model */
export function mountFilter(model) {
  const place = byId("filter");
  const draw = calm(() => place.open && form(model).catch(wrong), 60);
  place.addEventListener("toggle", draw);
  model.on("filter listed", draw);
  model.on("filter", () => summary(model));
  byId("clear").addEventListener("click", () => model.set({ filter: {} }));
}

function summary(model) {
  const { labels = [], confidence, novelty, columns = {}, condition: own } = model.filter;
  const parts = [...labels, confidence && "confidence", novelty && "novelty"];
  for (const [name, { values = [], from, to }] of Object.entries(columns)) parts.push(...values, (from || to) && name);
  const said = [...parts, own].filter(Boolean);
  byId("filtered").textContent = said.length ? said.join(", ") : "";
  byId("clear").hidden = !said.length;
}

/** Draw the form. A group that is filtered counts what its other values would add. */
async function form(model) {
  const { listed, filter } = model;
  if (!listed) return;
  const whole = await api.facets(listed.name, { where: condition(model) });
  const asked = Object.keys(filter.columns ?? {}).map(async (name) => {
    const { [name]: _, ...others } = filter.columns;
    const found = await api.facets(listed.name, { where: condition(model, { ...filter, columns: others }), column: name });
    whole.columns[name] = found.columns[name] ?? whole.columns[name];
  });
  if (filter.labels?.length) asked.push(api.facets(listed.name, { where: condition(model, { ...filter, labels: [] }) }).then(({ labels }) => (whole.labels = labels)));
  await Promise.all(asked);
  if (model.listed !== listed || model.filter !== filter) return;
  const focused = document.activeElement?.id;
  const readings = listed.name !== "base";
  fill(byId("facets"),
    readings ? values(model, "label", whole.labels, 0) : null,
    readings ? ["confidence", "novelty"].map((name) => range(model, name, [0, 100], "%")) : null,
    Object.entries(whole.columns).map(([name, facet]) =>
      facet.kind === "values" ? values(model, name, facet.values, facet.others) : range(model, name, [facet.min, facet.max], "")),
    own(model, example(whole, readings)));
  if (focused) byId(focused)?.focus();
}

function group(name, ...children) {
  return make("fieldset", {}, make("legend", {}, name), ...children);
}

function values(model, by, counts, others) {
  const entries = Object.entries(counts);
  if (!entries.length && !others) return null;
  const box = ([value, n], at) => make("label", { className: "value" },
    make("input", { type: "checkbox", id: `is-${by}-${at}`, checked: holds(model.filter, by, value), onchange: () => model.set({ filter: toggled(model.filter, by, value) }) }),
    make("span", {}, value === "" ? "(blank)" : value), make("small", {}, count(n)));
  return group(by, entries.map(box), others ? make("small", { className: "soft" }, `and ${count(others)} texts with rarer values: use a condition`) : null);
}

function range(model, name, [low, high], unit) {
  if (low === null || low === undefined) return null;
  const reading = unit === "%";
  const now = reading ? (model.filter[name] ?? []).map((value) => (value === null || value === undefined ? "" : Math.round(100 * value))) : [model.filter.columns?.[name]?.from, model.filter.columns?.[name]?.to];
  const inputs = ["from", "to"].map((end, n) => make("input", {
    id: `${end}-${name}`, "aria-label": `${name} ${end}`, inputMode: "decimal", placeholder: String([low, high][n]), value: now[n] ?? "", size: 9,
  }));
  const change = () => {
    const said = inputs.map(({ value }) => value.trim());
    if (reading) {
      const shares = said.map((value) => (value === "" || !Number.isFinite(Number(value)) ? null : Number(value) / 100));
      model.set({ filter: tidy({ ...model.filter, [name]: shares }) });
    } else model.set({ filter: tidy({ ...model.filter, columns: { ...model.filter.columns, [name]: { from: said[0], to: said[1] } } }) });
  };
  for (const input of inputs) input.addEventListener("change", change);
  return group(name, make("div", { className: "range" }, inputs[0], make("span", {}, "to"), inputs[1], unit ? make("span", {}, unit) : null));
}

function own(model, placeholder) {
  const input = make("input", {
    id: "condition", "aria-label": "a condition of one's own", value: model.filter.condition ?? "", placeholder, spellcheck: false, autocomplete: "off",
    onchange: () => model.set({ filter: tidy({ ...model.filter, condition: input.value }) }),
  });
  return group("condition, as of --where", input);
}
