/** Labels on their way to the service: kept until it has them, each with a key, so that none is lost or counted twice. */

import * as api from "../api.js";

const KEPT = "refract.outbox."; // and a name of this page's own
const AT_ONCE = 10_000; // rows of a request
const WAITS = [1, 2, 4, 8, 15]; // seconds before it is tried again
const LATER = [401, 403, 429]; // no word on the labels: who has signed in again, may

export class Outbox {
  /** @param {{ saved: Function, refused: Function, waiting: Function }} told of each request what became of it */
  constructor(told) {
    this.told = told;
    this._place = KEPT + unique();
    this.waiting = left();
    this._sending = false;
    this._failures = 0;
    this._keep();
    addEventListener("online", () => this._send());
    addEventListener("beforeunload", (event) => this.waiting.length && event.preventDefault());
    this._send();
  }

  /** Send rows of id and label (null: taken back) for an instruction. */
  post(view, annotator, rows) {
    for (let at = 0; at < rows.length; at += AT_ONCE)
      this.waiting.push({ view, body: { key: unique(), annotator, rows: rows.slice(at, at + AT_ONCE) } });
    this._keep();
    this._send();
  }

  _keep() {
    try {
      if (this.waiting.length) localStorage.setItem(this._place, JSON.stringify(this.waiting));
      else localStorage.removeItem(this._place);
    } catch {
      this.told.waiting("this browser keeps no more: leave the page open until the labels are saved");
    }
  }

  async _send() {
    if (this._sending) return;
    this._sending = true;
    while (this.waiting.length) {
      const [{ view, body }] = this.waiting;
      try {
        const answer = await api.label(view, body);
        this._done();
        this.told.saved(view, body.rows, answer);
      } catch (error) {
        if (error.status >= 400 && error.status < 500 && !LATER.includes(error.status)) {
          this._done();
          this.told.refused(view, body.rows, error);
        } else {
          this.told.waiting(error.message);
          await new Promise((again) => setTimeout(again, 1000 * WAITS[Math.min(this._failures++, WAITS.length - 1)]));
        }
      }
    }
    this._sending = false;
  }

  _done() {
    this._failures = 0;
    this.waiting.shift();
    this._keep();
  }
}

/** Return what other pages left behind. One that is still open sends it as well: the keys make that one. */
function left() {
  const places = Object.keys(localStorage).filter((name) => name.startsWith(KEPT));
  const found = places.flatMap((name) => JSON.parse(localStorage.getItem(name)));
  for (const name of places) localStorage.removeItem(name);
  return found;
}

/** Return a random UUID; `crypto.randomUUID` is not there on plain HTTP beyond this machine. */
function unique() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
