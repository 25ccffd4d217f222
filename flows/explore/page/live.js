/** What the service tells while the page is open: labels of others, fits, and views that are live. */

import { count } from "./elements.js";
import * as api from "./api.js";
import { open, refresh } from "./loading.js";
import { figures } from "./panels/views.js";
import { say, wrong } from "./saying.js";

/** @param {import("./model.js").Model} model @param {typeof api.listen} listen */
export function follow(model, listen) {
  const view = (name) => model.views.get(name);
  listen({
    again: () => refresh(model).then(() => open(model)).catch(wrong),
    labels({ view: name, labelled }) {
      if (view(name)) Object.assign(view(name), { labelled });
      else refresh(model).catch(wrong);
      if (name === model.view) given(model, name).catch(wrong);
    },
    fit({ view: name }) {
      if (view(name)) view(name).fitting = true;
      model.tell("views");
      say(`${name}: fitting …`);
    },
    failed({ view: name, why }) {
      if (view(name)) view(name).fitting = false;
      model.tell("views");
      wrong(new Error(`${name}: ${why}`));
    },
    live: (event) => live(model, event).catch(wrong),
    corpus({ texts }) {
      say(`the corpus has ${count(texts)} texts now: load the page anew to see them`);
    },
  });
}

async function given(model, name) {
  const { rows } = await api.labels(name);
  if (model.view !== name) return;
  const said = new Map(rows.map(({ id, label }) => [id, label]));
  const same = said.size === model.given.size && [...said].every(([id, label]) => model.given.get(id) === label);
  if (same || model.unsaved?.()) return;
  model.given = said;
  model.tell("given");
}

/** A view is live by another transform: fetch it, move the points, and let the line of scores grow. */
async function live(model, { view: name, version, before, after, rows }) {
  await refresh(model);
  const now = model.views.get(name);
  if (now) now.fitting = false;
  const past = model.histories.get(name);
  if (past && after) past.push(figures({ after, tag: version }));
  model.tell("views", "histories");
  if (name === model.view) await open(model);
  say(told(name, version, before, after, rows));
}

function told(name, version, before, after, rows) {
  const right = (scores) => (scores?.accuracy === undefined || scores?.accuracy === null ? null : `${Math.round(scores.accuracy)} %`);
  const change = right(after) ? (right(before) ? `: right ${right(before)} → ${right(after)}` : `: ${right(after)} right`) : "";
  return `${name} is live${version ? ` as ${version.split("/").at(-1)}` : ""}, ${count(rows)} texts${change}`;
}
