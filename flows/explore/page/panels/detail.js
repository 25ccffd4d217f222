/** One text: all that is known of it, its label, and its neighbours under every view. */

import * as api from "../api.js";
import * as known from "../known.js";
import { byId, dot, fill, make, percent, refill } from "../elements.js";
import { order } from "../loading.js";
import { wrong } from "../saying.js";
import { buttons } from "../labels/choice.js";

const NEIGHBOURS = 4;
const READ = new Set(["id", "text", "score", "label", "confidence", "novelty"]);

/** @param {import("../model.js").Model} model */
export function mountDetail(model, labelling) {
  const draw = () => detail(model, labelling).catch(wrong);
  model.on("open listed", draw);
  model.on("given labelled orders", () => model.open !== null && label(model, labelling));
  byId("close").addEventListener("click", ({ pointerType }) => (pointerType === "touch" ? model.set({ open: null }) : close(model))); // a finger stays where it is
}

/** Put the text away, and give the keyboard back to the list. */
export function close(model) {
  model.set({ open: null });
  byId("texts").focus();
}

async function detail(model, labelling) {
  const { open, listed } = model;
  const place = byId("detail");
  if (open === null || !listed) return void (place.hidden = true);
  const [text] = await known.texts(model, [open]);
  if (model.open !== open || model.listed !== listed) return undefined;
  if (!text) {
    model.set({ open: null });
    throw new Error(`id ${open}: this corpus has no such text; the link may be of another one`);
  }
  place.hidden = false;
  const others = Object.entries(text).filter(([key, value]) => !READ.has(key) && value !== null && value !== "");
  fill(byId("about"),
    make("p", { className: "whole" }, text.text ?? ""),
    make("dl", {}, [["id", text.id], ...others].map(([key, value]) => [make("dt", {}, key), make("dd", {}, String(value))])));
  label(model, labelling);
  fill(byId("neighbours"), make("p", { className: "soft" }, "…"));
  place.scrollIntoView({ block: "nearest" });
  return neighbours(model, open);
}

function label(model, labelling) {
  const place = byId("reading");
  const text = known.seen(model, model.open);
  const read = text?.label === undefined || text?.label === null ? null : make("p", { className: "reads" },
    dot(order(model).indexOf(text.label)), make("b", {}, text.label), make("span", {}, `${percent(text.confidence)} sure`), make("span", {}, `novelty ${percent(text.novelty)}`));
  refill(place, read, model.labels ? buttons(model, model.given.get(model.open), (chosen) => labelling.give([model.open], chosen)) : null);
}

async function neighbours(model, id) {
  const names = [...model.views.values()].filter((view) => view.rows > 0).map(({ name }) => name);
  const own = model.listed.name;
  const first = [own, ...names.filter((name) => name !== own)];
  const found = await Promise.all(first.map((name) => api.similar(name, id, { k: NEIGHBOURS }).catch((error) => ({ error }))));
  if (model.open !== id) return;
  fill(byId("neighbours"), first.map((name, n) => make("section", {},
    make("h3", {}, name === "base" ? "near as embedded" : `near by ${name}`),
    found[n].error ? make("p", { className: "soft" }, found[n].error.message) : make("ol", {}, found[n].hits.map((hit) => neighbour(model, hit))))));
}

function neighbour(model, hit) {
  return make("li", {}, make("button", {
    type: "button", onclick: () => model.set({ open: hit.id }),
    onpointerenter: () => model.set({ hovered: hit.id }), onpointerleave: () => model.set({ hovered: null }),
    onfocus: () => model.set({ hovered: hit.id }), onblur: () => model.set({ hovered: null }),
  }, make("small", { title: "how near it is to the open text: 1 is the same" }, hit.score.toFixed(2)), hit.label ? make("b", {}, hit.label) : null, make("span", {}, hit.text ?? "")));
}
