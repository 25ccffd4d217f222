/** The views on top: which one is looked at, how good it is, and a way to begin a new one. */

import * as api from "../api.js";
import { byId, fill, make, refill, texts } from "../elements.js";
import { say, wrong } from "../saying.js";

const MEASURES = [
  ["right", "right", "about which share of all texts gets its label"],
  ["v_measure", "V-measure", "how well clusters agree with the labels"],
  ["knn", "kNN@10", "share of the ten nearest texts with the same label"],
];

const NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/;
const BEGIN = "such as emotion, or with what its labels are called, emotion: calm, angry, hopeful";
const UNPROVEN = "That is of labelled texts which a trial did not see: too few, or too hard, to tell. Some 300 labels of texts drawn at random mostly can; suggested texts are the hard ones";
const SPAN = 12; // points that a line is high at least: few more are no jump

/** @param {import("../model.js").Model} model */
export function mountViews(model) {
  model.histories = new Map(); // view → figures by version, the oldest first
  const form = fresh(model);
  const draw = () => {
    refill(byId("views"), [...model.views.values()].map((view) => chip(model, view)), form);
    scores(model);
  };
  model.on("views view", draw);
  model.on("histories", () => scores(model));
  model.on("view listed", () => history(model).catch(wrong));
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
  const input = make("input", { className: "new", placeholder: "+ new view", maxLength: 2000, autocomplete: "off", title: BEGIN, "aria-label": `name of a new instruction: ${BEGIN}`, id: "new-view" });
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

async function history(model) {
  const { view: name, now } = model;
  if (!now?.scores || model.histories.has(name)) return;
  model.histories.set(name, []);
  const { versions } = await api.versions(name);
  const recorded = versions.map(figures).reverse().filter((one) => MEASURES.some(([key]) => one[key] !== null));
  const live = figures({ ...now.scores, tag: now.version });
  if (JSON.stringify(recorded.at(-1)?.right) !== JSON.stringify(live.right)) recorded.push(live);
  model.histories.set(name, [...recorded, ...model.histories.get(name)]);
  model.tell("histories");
}

/** Return the figures of a version by measure, null where there is none. */
export function figures({ right, after, tag }) {
  return { right: right ?? null, v_measure: after?.v_measure ?? null, knn: after?.knn ?? null, tag };
}

function scores(model) {
  const { now } = model;
  const place = byId("scores");
  place.hidden = !now?.scores;
  if (place.hidden) return;
  const past = model.histories.get(now.name) ?? [];
  fill(place, MEASURES.map(([key, name, title]) => {
    const after = figures(now.scores)[key];
    const before = now.scores.before?.[key];
    if (after === null) return null;
    const bounds = now.scores.intervals?.[key];
    const between = bounds && `${Math.round(bounds.low)} to ${Math.round(bounds.high)}`;
    return make("div", { className: "score", title: between ? `${title}; from ${between} with a probability of 95 %` : title },
      make("span", { className: "name" }, name),
      before !== undefined && before !== null ? make("small", { title: "as embedded" }, `${before.toFixed(0)} →`) : null,
      make("b", {}, key === "right" ? `${Math.round(after)} %` : after.toFixed(0)),
      between ? make("small", {}, `(${between})`) : null,
      spark(past.map((one) => one[key]).filter((value) => value !== null)));
  }), now.gate && now.gate.state !== "proven" ? gate(now) : null);
}

/** Return a button with what the quality gate found; at a click all of it is said, as where nothing can be pointed at. */
function gate({ gate: { state, why, beyond }, labels_needed: needed }) {
  const said = needed ? `${state}: by names alone` : beyond ? `${state}, yet better than one label for all` : state;
  const whole = [`${state}: ${why}`, state === "unproven" && !needed && UNPROVEN, beyond && `All the same, ${beyond}`].filter(Boolean).join(". ");
  return make("button", { type: "button", className: "gate", title: whole, onclick: () => say(whole) }, said);
}

/** Return a line through values from 0 to 100, one a version. */
function spark(values) {
  if (values.length < 2) return null;
  const high = Math.max(...values);
  const low = Math.min(...values, high - SPAN);
  const x = (n) => 3 + (n * 66) / (values.length - 1);
  const y = (value) => (high > low ? 21 - ((value - low) / (high - low)) * 18 : 12);
  const svg = (tag, attributes) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };
  const drawn = svg("svg", { viewBox: "0 0 72 24", class: "spark", role: "img", "aria-label": `by version: ${values.map((value) => value.toFixed(0)).join(", ")}` });
  drawn.append(svg("polyline", { points: values.map((value, n) => `${x(n).toFixed(1)},${y(value).toFixed(1)}`).join(" ") }));
  drawn.append(svg("circle", { cx: x(values.length - 1), cy: y(values.at(-1)), r: 2.8 }));
  return drawn;
}
