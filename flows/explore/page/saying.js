/** What the page says: news in a live region that a screen reader reads, errors in a line that stays. */

import { byId, fill, make } from "./elements.js";

let fades = 0;
let shown = null; // the error that is in sight

/** Say something that passes. */
export function say(text) {
  const place = byId("news");
  place.textContent = text;
  clearTimeout(fades);
  if (text) fades = setTimeout(() => (place.textContent = ""), 8000);
}

/** Show an error's one line until it is put away. */
export function wrong(error) {
  if (error.name === "AbortError") return;
  const place = byId("error");
  shown = error;
  fill(place, make("span", {}, error.message), make("button", { type: "button", "aria-label": "put this away", onclick: () => right() }, "×"));
  place.hidden = false;
}

/** Take away what the service could not make of an earlier question: another one is asked. */
export function askAnew() {
  if (shown?.status === 400) right();
}

/** Take the error away; one: only if that is in sight. */
export function right(one = shown) {
  if (one === shown) byId("error").hidden = true;
}
