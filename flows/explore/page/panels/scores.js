/** How good the view is that is looked at: what one can tell of it, and what one cannot. */

import * as api from "../api.js";
import { byId, count, fill, make, refill } from "../elements.js";
import { say, wrong } from "../saying.js";

const RIGHT = "about which share of all texts gets its label";
const FURTHER = [
  ["v_measure", "V-measure", "how well clusters agree with the labels"],
  ["knn", "kNN@10", "share of the ten nearest texts with the same label"],
];
const UNPROVEN = "That is of labelled texts which a trial did not see: too few, or too hard, to tell. Some 300 labels of texts drawn at random mostly can; suggested texts are the hard ones";
const SURE = 0.9; // a share that one relies on
const SURE_FROM = 100; // labelled texts; of 20 and 50 views were up to 21 points surer than right (benchmarks.right)
const SPAN = 12; // points that a line is high at least: few more are no jump

/** @param {import("../model.js").Model} model */
export function mountScores(model) {
  model.histories = new Map(); // view → figures by version, the oldest first
  model.on("views view histories points", () => scores(model));
  model.on("view listed", () => history(model).catch(wrong));
  byId("further").addEventListener("click", ({ currentTarget: button }) => {
    const open = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(open));
    byId("folded").hidden = !open;
  });
}

async function history(model) {
  const { view: name, now } = model;
  if (!now?.scores || model.histories.has(name)) return;
  model.histories.set(name, []);
  const { versions } = await api.versions(name);
  const recorded = versions.map(figures).reverse();
  const live = figures({ ...now.scores, tag: now.version });
  if (JSON.stringify(recorded.at(-1)?.right) !== JSON.stringify(live.right)) recorded.push(live);
  model.histories.set(name, [...recorded, ...model.histories.get(name)]);
  model.tell("histories");
}

/** Return the figures of a version by measure, null where there is none. */
export function figures({ right, after, tag }) {
  return { right: right ?? null, v_measure: after?.v_measure ?? null, knn: after?.knn ?? null, tag };
}

/** Say how many are right, and whether that is surely another share than before; null where nobody can tell. */
export function toldRight(scores, before) {
  const [right, past] = [scores?.right ?? null, before?.right ?? null];
  if (right === null) return null;
  const { low, high } = scores.intervals?.right ?? { low: right, high: right };
  const said = `${whole(right)} % right (${between({ low, high })})`;
  if (past === null || whole(past) === whole(right)) return said;
  return past >= low && past <= high ? `${said}; the ${whole(past)} % of before are within that: no sure change` : `${said}, ${whole(past)} % before`;
}

const whole = (figure) => Math.round(figure);
const between = ({ low, high }) => `${whole(low)} to ${whole(high)}`;

function scores(model) {
  const { now } = model;
  refill(byId("scores"), now?.scores ? [right(model, now), sure(model, now), now.gate && now.gate.state !== "proven" ? gate(now) : null] : []);
  const rows = now?.scores ? further(now.scores) : [];
  byId("further").hidden = !rows.length;
  fill(byId("folded"), rows);
}

function right({ histories, toldFrom }, { name, scores: { right: share, intervals, texts: learnt }, by_names: byNames }) {
  if (share === null || share === undefined) return byNames || learnt >= toldFrom ? null : make("div", { className: "score" }, make("span", { className: "name" }, `too few labels to say how many are right (${learnt} of ${toldFrom})`));
  const bounds = intervals?.right;
  const title = bounds ? `${RIGHT}; from ${between(bounds)} with a probability of 95 %` : RIGHT;
  return make("div", { className: "score", title },
    make("b", {}, `${whole(share)} %`), make("span", { className: "name" }, "right"),
    bounds ? make("small", {}, `(${between(bounds)})`) : null,
    spark((histories.get(name) ?? []).map((one) => one.right).filter((value) => value !== null), bounds));
}

/** Return a button that lists the texts of which the view is sure, and says how many of them are right. */
function sure(model, { name, transform, scores: { texts: learnt } }) {
  const { points } = model;
  if (learnt < SURE_FROM || points?.name !== name || points.transform !== transform) return null;
  const { many, mean } = (points.sure ??= surest(points));
  if (!many) return null;
  const onclick = () => model.set({ panel: "texts", query: "", filter: { ...model.filter, confidence: [SURE, null] } });
  return make("button", { type: "button", className: "plain", onclick, title: `the view is more than ${whole(100 * SURE)} % sure of their label, ${whole(100 * mean)} % in the mean, and about as many have it; a click lists them` },
    make("b", {}, count(Math.round((many * points.total) / points.count))), ` sure, ~${whole(100 * mean)} % of them right`);
}

/** Return of how many rows the view is sure, and how sure it is of these in the mean. */
function surest({ confidence }) {
  const found = confidence.filter((one) => one >= SURE);
  return { many: found.length, mean: found.reduce((sum, one) => sum + one, 0) / found.length };
}

/** Return the scores on labelled texts that a trial did not see: they are folded, as they fall while hard texts are labelled. */
function further({ before, after, intervals }) {
  return FURTHER.filter(([key]) => (after[key] ?? null) !== null).map(([key, name, title]) => make("div", { className: "score", title },
    make("span", { className: "name" }, name),
    (before[key] ?? null) !== null ? make("small", { title: "as embedded" }, `${whole(before[key])} →`) : null,
    make("b", {}, String(whole(after[key]))),
    intervals?.[key] ? make("small", {}, `(${between(intervals[key])})`) : null));
}

/** Return a button with what the quality gate found; at a click all of it is said, as where nothing can be pointed at. */
function gate({ gate: { state, why, beyond }, by_names: byNames }) {
  const said = byNames ? `${state}: by names alone` : beyond ? `${state}, yet better than one label for all` : state;
  const whole = [`${state}: ${why}`, state === "unproven" && !byNames && UNPROVEN, beyond && `All the same, ${beyond}`].filter(Boolean).join(". ");
  return make("button", { type: "button", className: "gate", title: whole, onclick: () => say(whole) }, said);
}

/**
 * Return a line through values from 0 to 100, one a version. Behind it lies the interval of the last one: what is within is no sure change.
 */
function spark(values, bounds) {
  if (values.length < 2) return null;
  const { low: under, high: over } = bounds ?? { low: values.at(-1), high: values.at(-1) };
  const high = Math.max(...values, over);
  const low = Math.min(...values, under, high - SPAN);
  const x = (n) => 3 + (n * 66) / (values.length - 1);
  const y = (value) => 21 - ((value - low) / (high - low)) * 18;
  const svg = (tag, attributes) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };
  const drawn = svg("svg", { viewBox: "0 0 72 24", class: "spark", role: "img", "aria-label": `by version: ${values.map((value) => value.toFixed(0)).join(", ")}; the last one is from ${between({ low: under, high: over })}` });
  drawn.append(svg("rect", { x: 0, width: 72, y: y(over).toFixed(1), height: (y(under) - y(over)).toFixed(1) }));
  drawn.append(svg("polyline", { points: values.map((value, n) => `${x(n).toFixed(1)},${y(value).toFixed(1)}`).join(" ") }));
  drawn.append(svg("circle", { cx: x(values.length - 1), cy: y(values.at(-1)), r: 2.8 }));
  return drawn;
}
