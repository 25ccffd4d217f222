/** The list beside the map: texts by filter, by meaning, or those that were selected on a map. */

import * as api from "../api.js";
import * as known from "../known.js";
import { byId, calm, count, fill, make, texts as many } from "../elements.js";
import { condition, order, settled } from "../loading.js";
import { wrong } from "../saying.js";
import { Listbox, line } from "./listbox.js";
import { ranked, weighed } from "./search.js";

const PAGE = 40;
const LIST = new Intl.ListFormat("en");
const FOUND = 100; // texts that a search finds at most

/** @param {import("../model.js").Model} model */
export function mountTexts(model) {
  const box = new Listbox(byId("texts"), {
    line: (hit) => line(hit, { given: model.given.get(hit.id), entry: (label) => order(model).indexOf(label) }),
    active: (id) => model.set({ hovered: id }),
    open: (id) => model.set({ open: id }),
  });
  let last = null; // the source that was asked last
  const show = calm(async () => {
    if (!model.listed) return;
    const source = (last = sourceOf(model));
    byId("select").hidden = true;
    byId("texts").ariaBusy = "true";
    try {
      if (await box.show(source)) head(model, source);
    } catch (error) {
      wrong(error);
    } finally {
      if (last === source) byId("texts").ariaBusy = "false";
    }
  }, 30);
  model.on("listed filter query also selected sort", show);
  model.on("views", () => model.query && last && last.made !== made(model) && show());
  model.on("points settled", () => byId("texts").ariaBusy === "false" && offer(model, last));
  model.on("points hits moved", () => light(model));
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

/** Have the maps show where the texts are that moved between two versions, or else those that a search has found first. */
function light(model) {
  const { hits, moved, points } = model;
  const ids = moved.length ? moved.map(({ id }) => id) : hits;
  model.set({ found: ids && points ? ids.map((id) => points.row(id)).filter((row) => row >= 0) : null });
}

function filtered(model) {
  let total = 0;
  const { listed } = model;
  const { name } = listed;
  const sort = name === "base" ? "id" : model.sort;
  const asked = { where: condition(model), sort, limit: PAGE };
  return {
    total: () => total,
    kind: "filtered",
    hits: () => null,
    key: JSON.stringify([asked, model.view]),
    async more(offset) {
      const found = await api.rows(name, { ...asked, offset });
      total = found.total;
      known.keep(model, listed, found.rows);
      return found.rows;
    },
  };
}

function searched(model) {
  let hits = null;
  const { listed } = model;
  const [, ...others] = ranked(model);
  const asked = { q: model.query, k: FOUND, where: condition(model), view: others.map(([name, weight]) => `${name}:${weight}`) };
  return {
    made: made(model),
    total: () => hits?.length ?? 0,
    kind: "searched",
    hits: () => hits.map(({ id }) => id),
    key: JSON.stringify([asked, model.view]),
    async more(offset) {
      hits ??= (await api.search(listed.name, asked)).hits;
      known.keep(model, listed, hits);
      return hits.slice(offset, offset + PAGE);
    },
  };
}

/** Return by which transforms the views are that rank beside the one that is looked at. */
const made = (model) => ranked(model).slice(1).map(([name]) => model.views.get(name).transform).join(" ");

function chosen(model) {
  const { ids } = model.picked;
  return {
    total: () => ids.length,
    kind: "chosen",
    hits: () => model.hits,
    more: (offset) => known.texts(model, ids.slice(offset, offset + PAGE)),
  };
}

/** Say above the list what it has, now that it is shown. */
function head(model, source) {
  model.set({ hits: source.hits() });
  const total = source.total();
  const kept = Object.keys(model.filter).length;
  const said = {
    filtered: kept ? `${many(total)} of ${count(model.corpus.texts)} fit the filter` : many(total),
    searched: `${count(total)} nearest in ${LIST.format(ranked(model).map(weighed))}, each with how near it is${model.listed.name === "base" ? "" : " · how sure its label is"}`,
    chosen: `${many(total)} selected`,
  }[source.kind];
  fill(byId("total"), said);
  byId("sort").hidden = source.kind !== "filtered" || model.listed.name === "base";
  offer(model, source);
  byId("texts").setAttribute("aria-label", said);
  byId("none").hidden = total > 0;
  fill(byId("none"), kept ? "No text fits the filter." : "There is no text to show.", kept ? make("button", { type: "button", onclick: () => model.set({ filter: {} }) }, "clear the filter") : null);
}

/** Offer to select what is listed: what a filter has only once the map knows which rows that are. */
function offer(model, source) {
  const { points } = model;
  const filters = source.kind === "filtered" && Object.keys(model.filter).length > 0 && settled(model);
  byId("select").hidden = !source.total() || !(filters || source.kind === "searched");
  const drawn = source.kind === "searched" || !points || points.count === points.total;
  byId("select").title = drawn ? "select all of them, to label them at once" : `select those of them that are among the ${count(points.count)} of ${count(points.total)} texts on the map`;
}
