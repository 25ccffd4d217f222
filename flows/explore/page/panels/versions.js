/** Two versions of a view: which texts changed their label, in a list and on the map. */

import * as api from "../api.js";
import * as known from "../known.js";
import { byId, count, dot, fill, make, percent, texts } from "../elements.js";
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
  model.on("panel points", list);
  model.on("hovered", () => model.panel === "versions" && box.point(model.hovered));
}

async function choose(model, box, clear) {
  clear();
  const place = byId("versions");
  const { view, now } = model;
  if (!now?.rows || view === "base") return fill(place, make("p", { className: "soft" }, "Versions are of a view: choose one above."));
  const { versions } = await api.versions(view);
  if (model.view !== view) return undefined;
  const recorded = versions.filter(({ tag }) => tag);
  if (!recorded.length) return fill(place, make("p", { className: "soft" }, "This view has one version so far; a fit of other labels makes the next."));
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
  byId("change").textContent = found.total ? `${texts(found.total)} changed their label since ${version.tag.split("/").at(-1)}` : "no text changed its label";
  await box.show({
    total: () => found.moved.length,
    async more(offset) {
      const some = found.moved.slice(offset, offset + PAGE);
      const read = new Map((await known.texts(model, some.map(({ id }) => id))).map((text) => [text.id, text]));
      return some.map((one) => ({ ...one, text: read.get(one.id)?.text }));
    },
  });
}

function moved(model, { id, before, after, text }) {
  const label = (one) => [dot(order(model).indexOf(one.label)), make("b", {}, one.label ?? "none"), one.confidence === undefined || one.confidence === null ? null : make("small", {}, percent(one.confidence))];
  return [
    make("span", { className: "head" }, ...label(before), make("span", { "aria-label": "became" }, "→"), ...label(after)),
    make("span", { className: "text" }, text ?? ""),
    make("span", { className: "id" }, id),
  ];
}
