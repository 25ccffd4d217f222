/** Two versions of a view: which texts changed their label, in a list and on the map. */

import * as api from "../api.js";
import { byId, count, dot, fill, make, texts } from "../elements.js";
import { order } from "../loading.js";
import { wrong } from "../saying.js";
import { Listbox } from "./listbox.js";

const PAGE = 40;
const CHOOSE = "Choose one to see which texts have another label since.";
const ONE = "This view has one version so far; a fit of other labels makes the next.";
const NONE = { total: () => 0, more: async () => [] };
const brief = (tag) => tag.split("/").at(-1); // as the address has it: v1

/** @param {import("../model.js").Model} model */
export function mountVersions(model) {
  const box = new Listbox(byId("moved"), {
    line: (hit) => moved(model, hit),
    active: (id) => model.set({ hovered: id }),
    open: (id) => model.set({ open: id }),
  });
  let listing = null;
  model.on("panel listed recorded version", (changed) => {
    model.set({ moved: [] });
    box.show(NONE);
    if (model.panel !== "versions" || !model.listed) return;
    if (changed.some((name) => name !== "version")) listing = list(model);
    compare(model, box, listing).catch(wrong);
  });
  model.on("hovered", () => model.panel === "versions" && box.point(model.hovered));
}

/** Show what git holds of the view, and return those that a view can be compared with. */
async function list(model) {
  const place = byId("versions");
  const { view, now } = model;
  const say = (line) => (fill(place, make("p", { className: "soft" }, line)), []);
  if (!now?.rows || view === "base") return say("Versions are of a view: choose one above.");
  const { versions, why } = await api.versions(view);
  if (model.view !== view) return [];
  if (why) return say(why);
  const recorded = versions.filter(({ tag }) => tag);
  if (!recorded.length) return say(ONE);
  fill(place, recorded.map((version) => make("button", {
    type: "button", className: "version", value: brief(version.tag), disabled: version.here, title: `what moved since ${version.tag}`,
    onclick: ({ currentTarget }) => model.set({ version: currentTarget.value }),
  }, make("b", {}, brief(version.tag)), make("span", {}, about(version)), version.here ? make("small", {}, "now") : null)));
  return recorded;
}

function about({ date, labels, right }) {
  const share = right === null || right === undefined ? "" : `${Math.round(right)} % right`;
  return [date?.slice(0, 16).replace("T", " "), labels && `${count(labels)} ${labels === 1 ? "label" : "labels"}`, share].filter(Boolean).join(" · ");
}

/** Compare the view as it is with the version that was chosen, and show what moved. */
async function compare(model, box, listing) {
  const asked = state(model);
  const late = () => state(model) !== asked;
  const { view, version } = model;
  byId("change").textContent = version ? "comparing …" : "";
  try {
    const recorded = await listing;
    if (late()) return;
    for (const button of byId("versions").querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.value === version));
    if (!version) return void (byId("change").textContent = !recorded.length ? "" : recorded.every(({ here }) => here) ? ONE : CHOOSE);
    const { tag } = recorded.find((one) => brief(one.tag) === version) ?? missing(model, recorded);
    const found = await api.compare(view, tag);
    if (late()) return;
    model.set({ moved: found.moved });
    byId("change").textContent = said(found, version);
    await box.show({ total: () => found.moved.length, more: async (offset) => found.moved.slice(offset, offset + PAGE) });
  } catch (error) {
    if (!late()) model.set({ version: null }); // another try is another click
    throw error;
  }
}

const state = ({ panel, view, version, listed }) => [panel, view, version, listed?.name, listed?.transform].join(" ");

function missing({ view, version }, recorded) {
  const known = recorded.map(({ tag }) => brief(tag)).join(", ") || "none so far";
  throw new Error(`version ${version}: ${view} has none of that name; expected one that 'Versions' lists (${known})`);
}

function said({ total, common, neighbours_kept: kept, moved: listed }, since) {
  if (!common) return `nothing has moved since ${since}`;
  const near = kept === null ? "" : `; of ten neighbours ${(10 * kept).toFixed(1)} stayed, in the mean`;
  return `${total ? `${texts(total)} of ${count(common)} changed their label` : "no text changed its label"} since ${since}${near}${listed.length < total ? ` (the first ${listed.length} are listed)` : ""}.${total ? " Arrows lead from the middle of the old label." : ""}`;
}

function moved(model, { id, before, after, neighbours_kept: kept, text }) {
  const label = (one) => [dot(order(model).indexOf(one.label)), make("b", {}, one.label ?? "none")];
  return [
    make("span", { className: "head" }, ...label(before), make("span", { "aria-label": "became" }, "→"), ...label(after), kept === null || kept === undefined ? null : make("span", { className: "sure" }, `keeps ${Math.round(10 * kept)} of 10 neighbours`)),
    make("span", { className: "text" }, text ?? ""),
    make("span", { className: "id" }, id),
  ];
}
