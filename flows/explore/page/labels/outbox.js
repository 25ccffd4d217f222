/** Labels on their way to the service: kept until it has them, each with a key, so that none is lost or counted twice. */

import * as api from "../api.js";
import { stored } from "../model.js";

const AT_ONCE = 10_000; // rows of a request
const WAITS = [1, 2, 4, 8, 15]; // seconds before it is tried again
const LATER = [401, 403, 409, 429]; // no word on the labels: who has signed in again, may, and their own workspace may come back

export class Outbox {
  /**
   * @param {string} workspace whose labels they are: other workspaces have the same address at other times
   * @param {{ saved: Function, refused: Function, waiting: Function }} told of each request what became of it
   */
  constructor(workspace, told) {
    const start = `refract.${workspace}.outbox.`;
    this.told = told;
    this._workspace = workspace;
    this._place = start + unique();
    this.waiting = left(start);
    this._sending = false;
    this._failures = 0;
    this._wake = () => {};
    this._keep();
    addEventListener("online", () => {
      this._wake();
      this._send();
    });
    addEventListener("beforeunload", (event) => this.waiting.length && event.preventDefault());
    this._send();
  }

  /** Send rows of id and label (null: taken back) for an instruction, and return the keys of the requests. */
  post(view, annotator, rows) {
    const keys = [];
    for (let at = 0; at < rows.length; at += AT_ONCE) {
      keys.push(unique());
      this.waiting.push({ view, body: { key: keys.at(-1), annotator, rows: rows.slice(at, at + AT_ONCE) } });
    }
    this._keep();
    this._send();
    return keys;
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
    if (this._sending || !this.waiting.length) return;
    this._sending = true;
    try {
      await this._sendFirst();
    } finally {
      this._sending = false;
      this._send(); // the next, also where who was told of this one has failed
    }
  }

  async _sendFirst() {
    const [{ view, body }] = this.waiting;
    const { answer, error } = await api.label(view, { ...body, known_as: this._workspace }).then((found) => ({ answer: found }), (fault) => ({ error: fault }));
    if (error && !isRefusal(error)) {
      this.told.waiting(error.message);
      return this._rest();
    }
    this._done();
    return error ? this.told.refused(view, body, error) : this.told.saved(view, body, answer);
  }

  /** Wait a while, or until the browser is online again. */
  _rest() {
    const seconds = WAITS[Math.min(this._failures++, WAITS.length - 1)];
    return new Promise((again) => {
      this._wake = again;
      setTimeout(again, 1000 * seconds);
    });
  }

  _done() {
    this._failures = 0;
    this.waiting.shift();
    this._keep();
  }
}

const isRefusal = ({ status }) => status >= 400 && status < 500 && !LATER.includes(status);

/** Return what other pages left behind. One that is still open sends it as well: the keys make that one. */
function left(start) {
  const places = Object.keys(localStorage).filter((name) => name.startsWith(start));
  const found = places.flatMap((name) => stored(name, posts) ?? []);
  for (const name of places) localStorage.removeItem(name);
  return found;
}

const posts = (kept) => Array.isArray(kept) && kept.every((one) => typeof one?.view === "string" && Array.isArray(one.body?.rows));

/** Return a random UUID; `crypto.randomUUID` is not there on plain HTTP beyond this machine. */
function unique() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
