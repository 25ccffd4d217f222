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
  }

  /** Give texts a label, or take theirs back (null). */
  give(ids, label) {
    const { model } = this;
    if (!model.labels || !ids.length) return;
    const changes = ids.map((id) => ({ id, before: model.given.get(id) ?? null }));
    this.done.push({ view: model.view, changes });
    this._send(model.view, ids.map((id) => ({ id, label })));
    if (ids.length > 1) say(`${texts(ids.length)} labelled ${label ?? "no more"}; u takes it back`);
  }

  /** Take the last of this page's labels back. */
  undo() {
    const last = this.done.pop();
    if (!last) return say("there is nothing to undo");
    this._send(last.view, last.changes.map(({ id, before }) => ({ id, label: before })));
    return say(last.changes.length > 1 ? `${texts(last.changes.length)} as before` : `${last.changes[0].id} as before`);
  }

  _send(view, rows) {
    this._mark(view, rows);
    this.outbox.post(view, this.model.annotator, rows);
    this.model.tell("saving");
  }

  _mark(view, rows) {
    const { model } = this;
    if (view !== model.givenOf) return;
    for (const { id, label } of rows) {
      if (label === null) model.given.delete(id);
      else model.given.set(id, label);
    }
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
    const before = new Map();
    this.done = this.done.filter((one) => {
      const hit = one.view === view && one.changes.some(({ id }) => gone.has(id));
      if (hit) for (const change of one.changes) before.set(change.id, change.before);
      return !hit;
    });
    this._mark(view, [...before].map(([id, label]) => ({ id, label })));
    this.model.tell("saving");
    wrong(error);
  }
}
