/** The search: what is asked, and by which views beside the one that is looked at. */

import { byId, fill, make } from "../elements.js";
import { askAnew } from "../saying.js";

const MOST = 15; // further views that the service asks at once

/** @param {import("../model.js").Model} model */
export function mountSearch(model) {
  const field = byId("query");
  byId("search").addEventListener("submit", (event) => {
    event.preventDefault();
    model.set({ query: field.value.trim(), panel: "texts", selection: null });
  });
  const away = () => model.set({ query: (field.value = "") });
  field.addEventListener("input", () => field.value || away());
  field.addEventListener("keydown", ({ key }) => key === "Escape" && away());
  model.on("query filter also", askAnew);
  model.on("query", () => (field.value = model.query));
  model.on("view", () => (field.placeholder = model.view === "base" ? "Search by meaning" : `Search by meaning, seen by ${model.view}`));
  mountAlso(model);
}

function mountAlso(model) {
  const place = byId("also");
  const draw = () => model.listed && also(model, place);
  model.on("views listed also", draw);
  for (const kind of ["pointerdown", "focusin"])
    document.addEventListener(kind, ({ target }) => place.contains(target) || (place.open = false));
  place.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !place.open) return;
    event.stopPropagation(); // which would put the search away
    place.open = false;
    place.querySelector("summary").focus();
  });
}

/** Draw a row for each view that can be asked too; a row that is there stays, and keeps the focus. */
function also(model, place) {
  const names = others(model);
  place.hidden = !names.length;
  const [, ...chosen] = ranked(model);
  fill(byId("also-chosen"), chosen.map(weighed).join(", "));
  const rows = byId("also-views");
  const drawn = [...rows.children].map(({ dataset }) => dataset.name);
  if (drawn.join() !== names.join()) fill(rows, names.map((name) => row(model, name)));
  for (const one of rows.children) show(one, model, chosen.length);
}

function row(model, name) {
  const change = (weight) => {
    const { [name]: _, ...rest } = model.also;
    model.set({ also: weight ? { ...rest, [name]: weight } : rest });
  };
  const said = make("output", {});
  const made = make("li", {},
    make("label", { className: "value" }, make("input", { type: "checkbox", onchange: ({ target }) => change(target.checked ? 1 : 0) }), make("span", {}, name)),
    make("input", { type: "range", min: 0.25, max: 2, step: 0.25, "aria-label": `weight of ${name}`, oninput: ({ target }) => (said.value = `× ${target.value}`), onchange: ({ target }) => change(Number(target.value)) }),
    said);
  made.dataset.name = name;
  return made;
}

function show(made, model, many) {
  const weight = model.also[made.dataset.name];
  const [box, slider] = made.querySelectorAll("input");
  box.checked = weight !== undefined;
  box.disabled = !box.checked && many >= MOST;
  slider.disabled = !box.checked;
  slider.value = weight ?? 1;
  slider.title = `how much it counts; 1 is as much as ${model.listed.name}`;
  made.querySelector("output").value = box.checked ? `× ${weight}` : "";
}

/** Return the views that rank what is found, each with its weight: the one that lists rows, and what is asked beside it. */
export function ranked(model) {
  const asked = others(model).filter((name) => name in model.also);
  return [[model.listed.name, 1], ...asked.map((name) => [name, model.also[name]])];
}

const others = (model) => [...model.views.values()].filter(({ name, rows }) => rows > 0 && name !== model.listed.name).map(({ name }) => name);

/** Say a view with its weight, where that is not the usual one. */
export const weighed = ([name, weight]) => (weight === 1 ? name : `${name} × ${weight}`);
