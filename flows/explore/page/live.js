/** What the service tells while the page is open: labels of others, fits, and views that are live. */

import { count } from "./elements.js";
import { labelsAnew, open, refresh } from "./loading.js";
import { figures, toldRight } from "./panels/scores.js";
import { right, say, wrong } from "./saying.js";

const DEAF = new Error("the service refuses to tell this page of labels, fits and versions; it is asked again every few seconds. If it was started anew, open the link that 'refract explore' prints");

/** @param {import("./model.js").Model} model @param {typeof import("./api.js").listen} listen */
export function follow(model, listen) {
  const view = (name) => model.views.get(name);
  listen({
    refused: () => wrong(DEAF),
    again() {
      right(DEAF);
      refresh(model).then(() => open(model)).catch(wrong);
    },
    labels({ view: name, labelled, labels_needed }) {
      if (view(name)?.rows) Object.assign(view(name), { labelled, labels_needed, unsaved: false });
      else refresh(model).catch(wrong); // it is new, or its labels have got names
      if (name === model.view) labelsAnew(model, name).catch(wrong);
    },
    fit({ view: name }) {
      if (view(name)) view(name).fitting = true;
      model.tell("views");
      say(`${name}: fitting …`);
    },
    fitted({ view: name }) {
      if (view(name)) view(name).fitting = false;
      model.tell("views");
    },
    version: ({ view: name, version }) => recorded(model, name, version),
    failed({ view: name, why }) {
      wrong(new Error(`${name}: ${why}`));
    },
    live: (event) => live(model, event).catch(wrong),
    corpus({ texts }) {
      say(`the corpus has ${count(texts)} texts now: load the page anew to see them`);
    },
  });
}

/** A view that is live has been recorded as a version. */
function recorded(model, name, version) {
  const now = model.views.get(name);
  if (now) now.version = version;
  if (name === model.view) model.tell("recorded");
  say(`${name} is recorded as ${version.split("/").at(-1)}`);
}

/** A view is live by another transform: fetch it, move the points, and let the line of scores grow. */
async function live(model, { view: name, version, rows }) {
  const before = model.views.get(name)?.scores;
  await refresh(model);
  const now = model.views.get(name);
  if (now) now.fitting = false;
  const past = model.histories.get(name);
  if (past && now?.scores) past.push(figures(now.scores));
  model.tell("views", "histories");
  say(told(name, version, before, now?.scores, rows));
  if (name === model.view) await open(model);
}

function told(name, version, before, after, rows) {
  const right = toldRight(after, before);
  return `${name} is live${version ? ` as ${version.split("/").at(-1)}` : ""}, ${count(rows)} texts${right ? `: ${right}` : ""}`;
}
