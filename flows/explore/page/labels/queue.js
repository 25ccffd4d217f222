/** The texts to label one after the other: most useful first, or labels that are probably wrong. */

import * as api from "../api.js";

const FETCHED = 30;
const LOW = 4; // texts left when more are fetched

export class Queue {
  /** @param {import("../model.js").Model} model */
  constructor(model) {
    this.model = model;
    this.kind = "suggest";
    this.begin();
  }

  /** Begin anew: another view, another version, or another kind. */
  begin(kind = this.kind) {
    this.kind = kind;
    this.texts = [];
    this.passed ??= new Map();
    this.of = `${this.model.view} ${kind}`;
    if (!this.passed.has(this.of)) this.passed.set(this.of, new Set());
    this._asking = null;
    this.empty = false;
  }

  /** The text that is to be labelled, or undefined. */
  get now() {
    return this.texts[0];
  }

  /** Leave the present text behind. */
  pass() {
    const [text] = this.texts.splice(0, 1);
    if (text) this.passed.get(this.of).add(text.id);
  }

  /** Put a text back in front: its label was taken back. */
  back(text) {
    this.passed.get(this.of).delete(text.id);
    this.texts.unshift(text);
  }

  /** Fetch texts if few are left. */
  async ready() {
    if (this.texts.length > LOW || this.empty) return;
    const { of, kind, model } = this;
    this._asking ??= kind === "suggest" ? api.suggest(model.view, FETCHED) : api.doubts(model.view, FETCHED);
    try {
      const found = await this._asking;
      if (this.of !== of) return;
      const there = new Set([...this.passed.get(of), ...this.texts.map(({ id }) => id)]);
      const all = found.texts ?? found.rows.map((row) => ({ ...row, label: row.label.join(", ") }));
      const fresh = all.filter(({ id }) => !there.has(id));
      const open = kind === "suggest" ? fresh.filter(({ id }) => !model.given.has(id)) : fresh;
      this.texts.push(...open);
      this.empty = !open.length;
    } finally {
      if (this.of === of) this._asking = null;
    }
  }
}
