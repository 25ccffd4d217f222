/** The views on top: which one is looked at, and a way to begin a new one. */

import * as api from "../api.js";
import { byId, make, refill, texts } from "../elements.js";
import { say, wrong } from "../saying.js";

const NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/;
const BOX = "+ new view";
const BEGIN = "such as emotion, or with what its labels are called, emotion: calm, angry, hopeful";

/** @param {import("../model.js").Model} model */
export function mountViews(model) {
  const form = fresh(model);
  model.on("views view", () => refill(byId("views"), [...model.views.values()].map((view) => chip(model, view)), form));
}

function chip(model, view) {
  const right = view.scores?.right;
  const needed = view.labels_needed;
  const note = view.fitting ? "fitting…" : right ? `${Math.round(right)} %` : needed ? `${needed.found} of ${needed.expected} labels` : null;
  const without = view.without?.length ? `without ${view.without.join(", ")}` : null;
  const chosen = view.name === model.view;
  return make("button", {
    type: "button", className: view.fitting ? "view fitting" : "view", "aria-pressed": String(chosen),
    title: view.wording ?? (view.name === "base" ? "the corpus as it was embedded, without any labels" : ""),
    onclick: () => model.set({ view: view.name, selection: null, version: null }),
  }, make("span", {}, view.name), note && make("small", {}, note), without && make("small", { className: "without", title: without }, without));
}

function fresh(model) {
  const input = make("input", { className: "new", placeholder: BOX, onfocus: () => (input.placeholder = "mood, or mood: calm, angry"), onblur: () => (input.placeholder = BOX), maxLength: 2000, autocomplete: "off", title: BEGIN, "aria-label": `name of a new instruction: ${BEGIN}`, id: "new-view" });
  const begin = async () => {
    const { name, classes } = meant(input.value);
    if (!name) return;
    if (!NAME.test(name)) return void wrong(new Error(`instruction ${JSON.stringify(name)}: expected 1 to 63 of a-z, 0-9, '_' and '-', starting with a letter or digit`));
    input.value = "";
    input.blur(); // the next key gives a label
    if (classes) {
      const named = await api.begin(name, { classes, known_as: model.workspace });
      model.views.set(name, { ...empty(model, name), labels: named.classes, fitting: true });
      say(`${name}: its first view is made of ${named.classes.length} names alone; ${texts(model.minRows)} with a label make a better one`);
    } else if (!model.views.has(name)) {
      model.views.set(name, { ...empty(model, name), unsaved: true });
      say(`${name}: label ${texts(model.minRows)}, by two labels at least, and its first view is made`);
    }
    model.set({ view: name, panel: "label", selection: null, version: null, query: "" });
    model.tell("views");
  };
  const onsubmit = (event) => {
    event.preventDefault();
    begin().catch(wrong);
  };
  return make("form", { onsubmit }, input);
}

/** Return the instruction that was typed, and what its labels are called, where that stands behind a colon. */
function meant(typed) {
  const [before, ...behind] = typed.split(":");
  const name = before.trim().toLowerCase().replaceAll(/\s+/g, "_");
  const said = behind.join(":").split(",").map((one) => one.trim());
  return { name, classes: behind.length ? said.filter(Boolean) : null };
}

const empty = (model, name) => ({ name, wording: null, rows: 0, labels: [], counts: {}, scores: null, labelled: 0, labels_needed: { found: 0, expected: model.minRows, classes: 0 } });
