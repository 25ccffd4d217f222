/** The texts to label one after the other: most useful first, any at random, or labels that are probably wrong. */

import * as api from "../api.js";

const FETCHED = 30;
const MOST = 1_000; // texts that the service gives at once
const LOW = 4; // texts left when more are fetched

export class Queue {
  /** @param {import("../model.js").Model} model */
  constructor(model) {
    this.model = model;
    this.kind = "suggest";
    this.passed = new Map(); // view and kind → ids that were labelled or skipped
    this.begin();
  }

  /** Begin anew if it is of another view, version or kind by now; the text that is looked at stays where it can. */
  begin(kind = this.kind) {
    const { view, listed } = this.model;
    const about = `${view} ${kind}`;
    const of = `${about} ${listed?.transform}`;
    if (of === this.of) return;
    this.texts = about === this.about ? this.texts.slice(0, 1) : [];
    Object.assign(this, { kind, about, of, empty: false, _asking: null });
    if (!this.passed.has(about)) this.passed.set(about, new Set());
  }

  /** The text that is to be labelled, or undefined. */
  get now() {
    return this.texts[0];
  }

  /** How many texts were left behind that the service may give again: those without a label, and all that are in doubt. */
  get behind() {
    const passed = [...this.passed.get(this.about)];
    return passed.filter((id) => this.kind === "doubts" || !this.model.given.has(id)).length;
  }

  /** Leave the present text behind. */
  pass() {
    const [text] = this.texts.splice(0, 1);
    if (text) this.passed.get(this.about).add(text.id);
  }

  /** Put a text back in front: its label was taken back. */
  back(text) {
    this.passed.get(this.about).delete(text.id);
    this.texts.unshift(text);
  }

  /** Fetch texts if few are left; who comes while that goes on waits for the same. */
  async ready() {
    if (this.texts.length > LOW || this.empty) return;
    this._asking ??= this._fetch();
    await this._asking;
  }

  async _fetch() {
    const { of, kind, model } = this;
    try {
      const found = await api[kind](model.view, Math.min(MOST, FETCHED + this.behind + this.texts.length));
      if (this.of !== of) return;
      const there = new Set([...this.passed.get(this.about), ...this.texts.map(({ id }) => id)]);
      const all = found.texts ?? found.rows.map((row) => ({ ...row, label: row.label.join(", ") }));
      const fresh = all.filter(({ id }) => !there.has(id));
      const open = kind !== "doubts" ? fresh.filter(({ id }) => !model.given.has(id)) : fresh;
      this.texts.push(...open);
      this.empty = !open.length && !model.unsaved(); // what it does not know to be labelled, it gives again
    } finally {
      if (this.of === of) this._asking = null;
    }
  }
}
