/** Labelling, one text after the other, by keys alone. */

import { buttons } from "../labels/choice.js";
import { Queue } from "../labels/queue.js";
import { byId, calm, count, dot, fill, make, percent, refill, texts } from "../elements.js";
import { labelsAnew, order } from "../loading.js";
import { wrong } from "../saying.js";

const LOOKING = { suggest: "looking for the most useful text …", random: "drawing texts …", doubts: "looking for labels that are probably wrong …" };

/** @param {import("../model.js").Model} model @param {import("../labels/labelling.js").Labelling} labelling */
export function mountLabel(model, labelling) {
  const queue = new Queue(model);
  const does = {
    give(label) {
      given(queue, labelling, label);
      next();
    },
    pass() {
      queue.pass();
      next();
    },
    undo() {
      undo(queue, labelling);
      next();
    },
    begin: calm((kind) => {
      queue.begin(kind);
      next();
    }, 30),
  };
  const draw = () => {
    if (model.panel === "label") card(model, queue, does);
    progress(model, labelling);
  };
  const next = () => {
    draw();
    if (model.panel === "label" && model.labels && model.listed) queue.ready().then(draw).catch(wrong);
  };
  for (const button of byId("queues").querySelectorAll("button")) button.addEventListener("click", () => does.begin(button.value));
  const field = byId("annotator");
  field.value = model.annotator;
  field.addEventListener("change", () => annotate(model, field));
  field.addEventListener("keydown", ({ key }) => key === "Enter" && field.blur()); // the next key gives a label
  model.on("listed view", () => does.begin());
  model.on("panel", next);
  model.on("given views saving", calm(next, 20));
  byId("undo").addEventListener("click", does.undo);
  byId("pass").addEventListener("click", does.pass);
  return does;
}

function annotate(model, field) {
  const name = field.value.trim();
  if (!/^[A-Za-z0-9_-]{1,40}$/.test(name)) {
    field.value = model.annotator;
    return wrong(new Error(`annotator ${JSON.stringify(name)}: expected up to 40 letters, digits, '-' and '_'`));
  }
  localStorage.setItem("refract.annotator", name);
  model.set({ annotator: name });
  model.own = new Map(); // those were given under the other name
  if (model.givenOf !== null && model.givenOf !== "base" && !model.now?.unsaved) labelsAnew(model, model.givenOf).catch(wrong);
  return undefined;
}

function given(queue, labelling, label) {
  const text = queue.now;
  if (!text) return;
  queue.last = { text, about: queue.about };
  queue.pass();
  labelling.give([text.id], label);
}

function undo(queue, labelling) {
  const { last } = labelling;
  labelling.undo();
  if (queue.last?.about === queue.about && last?.changes.length === 1 && last.changes[0].id === queue.last.text.id) {
    queue.back(queue.last.text);
    queue.last = null;
  }
}

function card(model, queue, does) {
  const place = byId("card");
  for (const button of byId("queues").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.value === queue.kind));
    button.disabled = button.value === "doubts" && model.listed?.name === "base";
  }
  const text = model.labels ? queue.now : undefined;
  if (!text) delete place.dataset.id;
  if (!model.labels) return void fill(place, make("p", { className: "soft" }, `Choose a view above, or begin one: type a name into “+ new view”, such as emotion. ${texts(model.minRows)} with a label make its first view.`));
  if (!text) return void fill(place, make("p", { className: "soft" }, queue.empty ? nothing(queue) : LOOKING[queue.kind]));
  if (place.dataset.id === text.id && place.dataset.names === order(model).join("\n")) return undefined;
  place.dataset.id = text.id;
  place.dataset.names = order(model).join("\n");
  refill(place,
    make("p", { className: "why" }, why(queue.kind, text, model)),
    make("p", { className: "whole" }, text.text ?? ""),
    make("p", { className: "id" }, text.id),
    buttons(model, queue.kind === "doubts" ? text.label : undefined, (label) => does.give(label ?? text.label)),
    make("p", { className: "soft keys" }, make("kbd", {}, "1"), "–", make("kbd", {}, "9"), " label  ", make("kbd", {}, "s"), " skip  ", make("kbd", {}, "u"), " undo  ", make("kbd", {}, "n"), " new label"));
  return model.set({ hovered: text.id });
}

/** Say why no text comes. */
function nothing({ kind, behind }) {
  if (!behind) return { suggest: "Nothing is left to suggest: every text that matters is labelled.", random: "Every text is labelled.", doubts: "No label is in doubt." }[kind];
  const passed = { suggest: "Nothing is left to suggest but what was skipped", random: "No text is left but those that were skipped", doubts: "No label is in doubt but those that came by" }[kind];
  return `${passed}, ${texts(behind)}: load the page anew to see them again.`;
}

function why(kind, text, model) {
  const place = (label) => dot(order(model).indexOf(label));
  if (kind === "doubts") return make("span", {}, "labelled ", place(text.label), make("b", {}, text.label), `, ${percent(text.p_label)} likely; rather `, place(text.likelier), make("b", {}, text.likelier), `, ${percent(text.p_likelier)}`);
  const said = { boundary: "near a boundary", novel: "like no label so far" }[text.why] ?? text.why;
  if (!text.suggested) return make("span", {}, said);
  return make("span", {}, `${said} · perhaps `, place(text.suggested), make("b", {}, text.suggested), text.confidence * model.now.labels.length > 1 ? `, ${percent(text.confidence)}` : ""); // less than by chance: it is like none
}

function progress(model, labelling) {
  const { waiting } = labelling;
  const file = labelling.files.get(model.view);
  byId("undo").disabled = !labelling.last;
  byId("pass").disabled = !model.labels;
  byId("saved").textContent = waiting ? `${count(waiting)} not saved yet …` : file ? `saved in ${file}` : "";
  const needed = model.now?.labels_needed;
  const working = model.labels && !needed ? making(model.now) : "";
  if (byId("working").textContent !== working) byId("working").textContent = working; // a screen reader is told once
  const place = byId("progress");
  if (!model.labels) return void fill(place);
  const counts = new Map();
  for (const label of model.given.values()) counts.set(label, (counts.get(label) ?? 0) + 1);
  const most = Math.max(1, ...counts.values());
  const bars = order(model).filter((label) => counts.has(label)).slice(0, 20).map((label) =>
    make("li", {}, dot(order(model).indexOf(label)), make("span", {}, label), make("meter", { min: 0, max: most, value: counts.get(label), "aria-label": `${label}: ${counts.get(label)}` }), make("small", {}, count(counts.get(label)))));
  fill(place, needed ? until(model, needed) : make("p", {}, make("b", {}, count(model.given.size)), ` of ${texts(model.corpus.texts)} labelled`), make("ul", {}, bars));
}

/** Say what is made of labels that are enough. */
function making({ fitting, rows }) {
  if (rows) return fitting ? "the view learns your labels …" : "";
  return fitting ? "the first view is being made …" : "enough: the first view is made in a moment";
}

/** Say how far the first view is. */
function until(model, { expected }) {
  const found = Math.min(expected, model.given.size);
  const kinds = new Set(model.given.values()).size;
  const first = model.now.rows ? "a view that is learnt from them" : "the first view"; // there is one by the names of labels
  const named = !model.now.rows && model.now.labels.length && found < expected;
  if (named) return make("div", {}, make("p", {}, `the first view is being made of ${model.now.labels.length} names alone …`));
  const said = found < expected ? `${found} of ${expected} labels until ${first}` : kinds < 2 ? "one more: a text of a second label" : model.now.fitting ? `${first} is being made …` : `enough: ${first} is made in a moment`;
  return make("div", {}, make("p", {}, said), make("progress", { max: expected, value: found, "aria-label": said }));
}
