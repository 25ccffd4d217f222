/** A list of texts that a keyboard and a screen reader can walk: it stands for the map. */

import { dot, fill, make, percent } from "../elements.js";
import { wrong } from "../saying.js";

const AHEAD = 6; // rows before the end at which more are fetched
let boxes = 0;

export class Listbox {
  /**
   * @param {HTMLElement} element an empty list
   * @param {{ line: (hit: object) => Node[], active: (id: string | null) => void, open: (id: string) => void }} does
   */
  constructor(element, does) {
    this.element = element;
    this.does = does;
    this.name = `box${boxes++}`;
    this.hits = [];
    this.at = -1;
    this._source = null;
    Object.assign(element, { tabIndex: 0 });
    element.setAttribute("role", "listbox");
    element.addEventListener("keydown", (event) => this._key(event));
    element.addEventListener("click", (event) => this._clicked(event));
    element.addEventListener("pointerover", (event) => this._over(event));
    element.addEventListener("pointerleave", () => this.does.active(null));
    element.addEventListener("focus", () => this.hits.length && this.go(Math.max(0, this.at)));
    element.addEventListener("scroll", () => this._maybeMore(), { passive: true });
  }

  /** Show what a source has, by its total and a function from an offset to the next hits; false: another one is shown by now. */
  async show(source) {
    this._source = source;
    this._asking = null;
    const first = await source.more(0);
    if (this._source !== source) return false;
    const last = source.key === this._shown ? this.active?.id : undefined; // the same list of another version
    this._shown = source.key;
    [this.hits, this.at] = [[], -1];
    this.element.replaceChildren();
    this.element.removeAttribute("aria-activedescendant");
    this.element.scrollTop = 0;
    this._add(first);
    const again = this.hits.findIndex(({ id }) => id === last);
    if (again >= 0) this.go(again);
    return true;
  }

  /** The text that arrow keys have come to. */
  get active() {
    return this.hits[this.at] ?? null;
  }

  /** Go to the n-th text. */
  go(n) {
    this.element.children[this.at]?.setAttribute("aria-selected", "false");
    this.at = Math.max(0, Math.min(this.hits.length - 1, n));
    const option = this.element.children[this.at];
    if (!option) return;
    option.setAttribute("aria-selected", "true");
    this.element.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
    this.does.active(this.hits[this.at].id);
    this._maybeMore();
  }

  /** Mark the text that a pointer is at on a map. */
  point(id) {
    for (const option of this.element.querySelectorAll(".pointed")) option.classList.remove("pointed");
    if (id !== null) this._option(id)?.classList.add("pointed");
  }

  /** Write a text's line anew: its label has changed. */
  rewrite(ids) {
    for (const id of ids) {
      const option = this._option(id);
      if (option) fill(option, ...this.does.line(this.hits[[...this.element.children].indexOf(option)]));
    }
  }

  _option(id) {
    return this.element.children[this.hits.findIndex((hit) => hit.id === id)] ?? null;
  }

  _add(hits) {
    for (const hit of hits) {
      const n = this.hits.push(hit) - 1;
      const option = make("li", { role: "option", id: `${this.name}-${n}`, "aria-selected": "false" }, ...this.does.line(hit));
      option.setAttribute("aria-posinset", String(n + 1));
      option.setAttribute("aria-setsize", String(this._source.total()));
      this.element.append(option);
    }
  }

  _maybeMore() {
    const { element } = this;
    const near = element.scrollHeight - element.scrollTop - element.clientHeight < 600 || this.at > this.hits.length - AHEAD;
    if (!near || this._asking || !this._source || this.hits.length >= this._source.total()) return;
    const source = this._source;
    this._asking = source.more(this.hits.length).then((hits) => {
      if (this._source !== source) return;
      this._add(hits);
      this._asking = null;
    });
    this._asking.catch(wrong);
  }

  _key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8, Home: -Infinity, End: Infinity }[event.key];
    if (step !== undefined) this.go(Math.max(0, Math.min(this.hits.length - 1, this.at + step)));
    else if (event.key === "Enter" || event.key === " ") this.active && this.does.open(this.active.id);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  _clicked(event) {
    const option = event.target.closest("[role=option]");
    if (!option) return;
    this.go([...this.element.children].indexOf(option));
    this.does.open(this.active.id);
  }

  _over(event) {
    const option = event.target.closest("[role=option]");
    this.does.active(option ? this.hits[[...this.element.children].indexOf(option)].id : null);
  }
}

/** Say what the figures of a line are. */
function meaning({ score }, sure) {
  const near = score === undefined ? null : "how near it is to what was asked: 1 is the same";
  return [near, sure && "how sure the view is of the label"].filter(Boolean).join("; then ");
}

/** Return what a line says of a text: what the view reads, what people gave, the text, its id. */
export function line(hit, { given, entry }) {
  const label = given ?? hit.label;
  const sure = hit.confidence === undefined || hit.confidence === null ? "" : percent(hit.confidence);
  return [
    make("span", { className: "head" },
      label === undefined || label === null ? null : dot(entry(label)),
      label === undefined || label === null ? null : make("b", {}, label),
      given !== undefined && make("span", { className: "given", title: "labelled by somebody" }, "labelled"),
      make("span", { className: "sure", title: meaning(hit, sure) }, hit.score === undefined ? sure : `${hit.score.toFixed(2)}${sure && ` · ${sure}`}`)),
    make("span", { className: "text" }, hit.text ?? ""),
    make("span", { className: "id" }, hit.id),
  ];
}
