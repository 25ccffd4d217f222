/** The list beside the map: texts by filter, by meaning, or those that were selected on a map. */

import * as api from "../api.js";
import * as known from "../known.js";
import { byId, calm, count, fill, make, texts as many } from "../elements.js";
import { condition, order } from "../loading.js";
import { wrong } from "../saying.js";
import { Listbox, line } from "./listbox.js";

const PAGE = 40;
const FOUND = 100; // texts that a search finds at most

/** @param {import("../model.js").Model} model */
export function mountTexts(model) {
  const box = new Listbox(byId("texts"), {
    line: (hit) => line(hit, { given: model.given.get(hit.id), entry: (label) => order(model).indexOf(label) }),
    active: (id) => model.set({ hovered: id }),
    open: (id) => model.set({ open: id }),
  });
  const show = calm(() => {
    if (!model.listed) return;
    const source = sourceOf(model);
    byId("texts").setAttribute("aria-busy", "true");
    box.show(source).then(() => head(model, source)).catch(wrong).finally(() => byId("texts").setAttribute("aria-busy", "false"));
  }, 30);
  model.on("listed filter query selected sort", show);
  model.on("points hits", () => light(model));
  byId("select").addEventListener("click", () => model.set({ selection: model.query ? { ids: model.hits } : { all: true }, query: "" }));
  model.on("hovered", () => box.point(model.hovered));
  model.on("labelled", () => box.rewrite(model.labelled));
  model.on("given", () => box.rewrite(box.hits.map((hit) => hit.id)));
  byId("sort").addEventListener("change", ({ target }) => model.set({ sort: target.value }));
  model.on("sort", () => (byId("sort").value = model.sort));
  return box;
}

function sourceOf(model) {
  if (model.query) return searched(model);
  if (model.selected) return chosen(model);
  return filtered(model);
}

/** Have the maps show where the texts are that a search has found first. */
function light(model) {
  const { hits, points } = model;
  model.set({ found: hits && points ? hits.map((id) => points.row(id)).filter((row) => row >= 0) : null });
}

function filtered(model) {
  let total = 0;
  const { name } = model.listed;
  const sort = name === "base" ? "id" : model.sort;
  const asked = { where: condition(model), sort, limit: PAGE };
  return {
    total: () => total,
    kind: "filtered",
    key: JSON.stringify([asked, model.view]),
    async more(offset) {
      const found = await api.rows(name, { ...asked, offset });
      total = found.total;
      known.keep(model, found.rows);
      model.set({ hits: null });
      return found.rows;
    },
  };
}

function searched(model) {
  let hits = null;
  const { name } = model.listed;
  const asked = { q: model.query, k: FOUND, where: condition(model) };
  return {
    total: () => hits?.length ?? 0,
    kind: "searched",
    key: JSON.stringify([asked, model.view]),
    async more(offset) {
      hits ??= (await api.search(name, asked)).hits;
      known.keep(model, hits);
      if (offset === 0) model.set({ hits: hits.map(({ id }) => id) });
      return hits.slice(offset, offset + PAGE);
    },
  };
}

function chosen(model) {
  const { selected, points } = model;
  return {
    total: () => selected.length,
    kind: "chosen",
    more: (offset) => known.texts(model, Array.from(selected.slice(offset, offset + PAGE), (row) => points.id(row))),
  };
}

function head(model, source) {
  const total = source.total();
  const kept = Object.keys(model.filter).length;
  const said = {
    filtered: kept ? `${many(total)} of ${count(model.corpus.texts)} fit the filter` : many(total),
    searched: `${count(total)} nearest in ${model.listed.name}, the nearest first`,
    chosen: `${many(total)} selected`,
  }[source.kind];
  fill(byId("total"), said);
  byId("sort").hidden = source.kind !== "filtered" || model.listed.name === "base";
  byId("select").hidden = !total || source.kind === "chosen" || (source.kind === "filtered" && !kept);
  byId("texts").setAttribute("aria-label", said);
  byId("none").hidden = total > 0;
  fill(byId("none"), kept ? "No text fits the filter." : "There is no text to show.", kept ? make("button", { type: "button", onclick: () => model.set({ filter: {} }) }, "clear the filter") : null);
}
