/** Gives labels, and takes them back: seen at once, sent by the outbox. */

import { texts } from "../elements.js";
import { say, wrong } from "../saying.js";
import { Outbox } from "./outbox.js";

export class Labelling {
  /** @param {import("../model.js").Model} model */
  constructor(model) {
    this.model = model;
    this.done = []; // what can be undone: { view, changes: [{ id, before }] }
    this.outbox = new Outbox({
      saved: (view, rows, answer) => this._saved(view, answer),
      refused: (view, rows, error) => this._refused(view, rows, error),
      waiting: (why) => say(`not saved yet: ${why}`),
    });
    model.unsaved = () => this.outbox.waiting.length > 0;
  }

  /** Give texts a label, or take theirs back (null). */
  give(ids, label) {
    const { model } = this;
    if (!model.labels || !ids.length) return undefined;
    if (label === null && !ids.some((id) => model.own.has(id)))
      return say("this label was given elsewhere and cannot be taken back here; give another one instead");
    const changes = ids.map((id) => ({ id, before: model.own.get(id) ?? null, stood: model.given.get(id) ?? null }));
    this.done.push({ view: model.view, changes });
    this._mark(model.view, ids.map((id) => ({ id, own: label, stands: label })));
    this._post(model.view, ids.map((id) => ({ id, label })));
    return ids.length > 1 ? say(`${texts(ids.length)} labelled ${label ?? "no more"}; u takes it back`) : undefined;
  }

  /** Take the last of this page's labels back. */
  undo() {
    const last = this.done.pop();
    if (!last) return say("there is nothing to undo");
    this._back(last);
    this._post(last.view, last.changes.map(({ id, before }) => ({ id, label: before })));
    return say(last.changes.length > 1 ? `${texts(last.changes.length)} as before` : `${last.changes[0].id} as before`);
  }

  _back({ view, changes }) {
    this._mark(view, changes.map(({ id, before, stood }) => ({ id, own: before, stands: stood })));
  }

  _post(view, rows) {
    this.outbox.post(view, this.model.annotator, rows);
    this.model.tell("saving");
  }

  _mark(view, rows) {
    const { model } = this;
    if (view !== model.givenOf) return;
    for (const { id, own, stands } of rows) {
      put(model.own, id, own);
      put(model.given, id, stands);
    }
    model.marks++;
    model.labelled = rows.map(({ id }) => id);
    model.tell("given", "labelled");
  }

  _saved(name, answer) {
    const { model } = this;
    const view = model.views.get(name);
    if (view) Object.assign(view, { labelled: answer.labelled, labels_needed: answer.labels_needed, unsaved: false });
    this.file = answer.file;
    model.tell("views", "saving");
  }

  _refused(view, rows, error) {
    const gone = new Set(rows.map(({ id }) => id));
    const hit = (one) => one.view === view && one.changes.some(({ id }) => gone.has(id));
    for (const one of this.done.filter(hit).reverse()) this._back(one);
    this.done = this.done.filter((one) => !hit(one));
    this.model.tell("saving");
    wrong(error);
  }
}

const put = (map, id, label) => (label === null ? map.delete(id) : map.set(id, label));
