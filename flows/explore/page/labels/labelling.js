/** Gives labels, and takes them back: seen at once, sent by the outbox. */

import { texts } from "../elements.js";
import * as known from "../known.js";
import { labelsAnew } from "../loading.js";
import { say, wrong } from "../saying.js";
import { Outbox } from "./outbox.js";

export class Labelling {
  /** @param {import("../model.js").Model} model */
  constructor(model) {
    this.model = model;
    this.done = []; // what can be undone: { view, annotator, label, keys, changes: [{ id, before, stood }] }
    this.files = new Map(); // view → the file that its labels were saved in
    this.outbox = null;
    model.unsaved = () => this.waiting > 0;
  }

  /** Send labels from now on, those first that were left behind: the workspace is known. */
  begin() {
    this.outbox = new Outbox(this.model.workspace, {
      saved: (view, body, answer) => this._saved(view, answer),
      refused: (view, body, error) => this._refused(view, body, error),
      waiting: (why) => say(`not saved yet: ${why}`),
    });
  }

  /** How many requests the service does not have yet. */
  get waiting() {
    return this.outbox?.waiting.length ?? 0;
  }

  /** Give texts a label, or take theirs back (null). */
  give(ids, label) {
    const { model } = this;
    if (!model.labels || !ids.length) return undefined;
    if (label === null && !ids.some((id) => model.own.has(id)))
      return say("this label was given elsewhere and cannot be taken back here; give another one instead");
    const changes = ids.map((id) => ({ id, before: model.own.get(id) ?? null, stood: model.given.get(id) ?? null }));
    const { view, annotator } = model;
    this._mark({ view, annotator }, ids.map((id) => ({ id, own: label, stands: label })));
    const keys = this._post({ view, annotator }, ids.map((id) => ({ id, label })));
    this.done.push({ view, annotator, label, keys, changes });
    model.tell("saving");
    return ids.length > 1 ? say(`${texts(ids.length)} labelled ${label ?? "no more"}; u takes it back`) : undefined;
  }

  /** What would be undone: the last of this page's labels of the view that is looked at. */
  get last() {
    return this.done.findLast(({ view }) => view === this.model.view);
  }

  /** Take the last of this page's labels of the view that is looked at back. */
  undo() {
    const { last } = this;
    if (!last) return say(`there is nothing to undo in ${this.model.view}`);
    this.done.splice(this.done.indexOf(last), 1);
    this._back(last, last.changes);
    this._post(last, last.changes.map(({ id, before }) => ({ id, label: before })));
    this.model.tell("saving");
    return undone(this.model, last).then(say);
  }

  _back(one, changes) {
    this._mark(one, changes.map(({ id, before, stood }) => ({ id, own: before, stands: stood })));
  }

  _post({ view, annotator }, rows) {
    return this.outbox.post(view, annotator, rows);
  }

  _mark({ view, annotator }, rows) {
    const { model } = this;
    if (view !== model.givenOf) return;
    for (const { id, own, stands } of rows) {
      if (annotator === model.annotator) put(model.own, id, own);
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
    this.files.set(name, answer.file);
    model.tell("views", "saving");
  }

  /** Take back what one request would have changed, and nothing else: others of the same texts may be saved. */
  _refused(view, { key, rows }, error) {
    const at = this.done.findIndex(({ keys }) => keys.includes(key));
    if (at >= 0) this._never(at, new Set(rows.map(({ id }) => id)));
    else if (view === this.model.givenOf) labelsAnew(this.model, view).catch(wrong); // a label of an earlier page, or an undo
    this.model.tell("saving");
    wrong(error);
  }

  /** Have these texts of an entry as if it had never been: a later entry of a text begins where this one began. */
  _never(at, gone) {
    const one = this.done[at];
    const later = this.done.slice(at + 1).filter(({ view }) => view === one.view);
    const next = firstOf(later);
    const nextOwn = firstOf(later.filter(({ annotator }) => annotator === one.annotator));
    const back = one.changes.filter(({ id }) => gone.has(id));
    one.changes = one.changes.filter(({ id }) => !gone.has(id));
    if (!one.changes.length) this.done.splice(at, 1);
    for (const { id, before, stood } of back) {
      if (next.has(id)) next.get(id).stood = stood;
      if (nextOwn.has(id)) nextOwn.get(id).before = before;
    }
    this._back(one, back.filter(({ id }) => !next.has(id)));
  }
}

/** Say what was undone: of which view, which label, and how its text begins. */
async function undone(model, { view, label, changes }) {
  const [{ id, before }] = changes;
  const one = changes.length === 1;
  const [text] = one ? await known.texts(model, [id]).catch(() => []) : [];
  const which = one ? `“${beginning(text?.text ?? id)}”` : texts(changes.length);
  return label === null ? `${view}: ${one ? `“${before}” given back to` : "the labels given back to"} ${which}` : `${view}: “${label}” taken back from ${which}`;
}

const beginning = (text) => (text.length > 60 ? `${text.slice(0, 59)}…` : text);

/** Return for each text the first change of it. */
function firstOf(entries) {
  return new Map(entries.flatMap(({ changes }) => changes.map((change) => [change.id, change])).reverse());
}

const put = (map, id, label) => (label === null ? map.delete(id) : map.set(id, label));
