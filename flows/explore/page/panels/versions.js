/** Two versions of a view: which texts changed their label, in a list and on the map. */

import * as api from "../api.js";
import { byId, count, dot, fill, make, texts } from "../elements.js";
import { order } from "../loading.js";
import { wrong } from "../saying.js";
import { Listbox } from "./listbox.js";

const PAGE = 40;

/** @param {import("../model.js").Model} model */
export function mountVersions(model) {
  const box = new Listbox(byId("moved"), {
    line: (hit) => moved(model, hit),
    active: (id) => model.set({ hovered: id }),
    open: (id) => model.set({ open: id }),
  });
  const clear = () => {
    if (model.moved.length) model.set({ moved: [], found: null });
    fill(byId("moved"));
    byId("change").textContent = "";
  };
  const list = () => {
    if (model.panel === "versions") choose(model, box, clear).catch(wrong);
    else if (model.moved.length) clear();
  };
  model.on("panel listed", list);
  model.on("hovered", () => model.panel === "versions" && box.point(model.hovered));
}

async function choose(model, box, clear) {
  clear();
  const place = byId("versions");
  const { view, now } = model;
  if (!now?.rows || view === "base") return fill(place, make("p", { className: "soft" }, "Versions are of a view: choose one above."));
  const { versions, why } = await api.versions(view);
  if (model.view !== view) return undefined;
  if (why) return fill(place, make("p", { className: "soft" }, why));
  const recorded = versions.filter(({ tag }) => tag);
  if (!recorded.length) return fill(place, make("p", { className: "soft" }, "This view has one version so far; a fit of other labels makes the next."));
  byId("change").textContent = "Choose one to see which texts have another label since.";
  return fill(place, recorded.map((version) => make("button", {
    type: "button", className: "version", "aria-pressed": "false", disabled: version.here, title: `what moved since ${version.tag}`,
    onclick: ({ currentTarget }) => since(model, box, version, currentTarget).catch(wrong),
  }, make("b", {}, version.tag.split("/").at(-1)), make("span", {}, about(version)), version.here ? make("small", {}, "now") : null)));
}

function about({ date, labels, accuracy }) {
  const right = accuracy === null || accuracy === undefined ? "" : `${Math.round(accuracy)} % right`;
  return [date?.slice(0, 16).replace("T", " "), labels && `${count(labels)} labels`, right].filter(Boolean).join(" · ");
}

/** Compare the view as it is with an earlier version, and show what moved. */
async function since(model, box, version, button) {
  for (const other of byId("versions").querySelectorAll("button")) other.setAttribute("aria-pressed", String(other === button));
  byId("change").textContent = "comparing …";
  const { view } = model;
  const found = await api.compare(view, version.tag);
  if (model.view !== view || model.panel !== "versions") return;
  const rows = found.moved.map(({ id }) => model.points.row(id)).filter((row) => row >= 0);
  model.set({ moved: found.moved, found: rows.length ? rows : null });
  byId("change").textContent = said(found, version);
  await box.show({
    total: () => found.moved.length,
    more: async (offset) => found.moved.slice(offset, offset + PAGE),
  });
}

function said({ total, common, neighbours_kept: kept, moved: listed }, { tag }) {
  const since = tag.split("/").at(-1);
  if (!common) return `nothing has moved since ${since}`;
  const near = kept === null ? "" : `; of ten neighbours ${(10 * kept).toFixed(1)} stayed, in the mean`;
  return `${total ? `${texts(total)} of ${count(common)} changed their label` : "no text changed its label"} since ${since}${near}${listed.length < total ? ` (the first ${listed.length} are listed)` : ""}`;
}

function moved(model, { id, before, after, neighbours_kept: kept, text }) {
  const label = (one) => [dot(order(model).indexOf(one.label)), make("b", {}, one.label ?? "none")];
  return [
    make("span", { className: "head" }, ...label(before), make("span", { "aria-label": "became" }, "→"), ...label(after), kept === null || kept === undefined ? null : make("span", { className: "sure" }, `keeps ${Math.round(10 * kept)} of 10 neighbours`)),
    make("span", { className: "text" }, text ?? ""),
    make("span", { className: "id" }, id),
  ];
}
