/** The colours of the page as numbers, from its style sheet: a palette for light and one for dark. */

import { PALETTE } from "./renderer.js";

export const COLOURED = 9; // categories that are told apart by colour
export const REST = 9; // the entry of all others
const RAMP = 16; // the first entry of the ramp for numbers
const STEPS = 64;

/** Return the palette entry of a number, as it lies between `low` and `high`; REST for none. */
export function step(value, low, high) {
  if (!Number.isFinite(value)) return REST;
  const share = high > low ? (value - low) / (high - low) : 1;
  return RAMP + Math.round(Math.max(0, Math.min(1, share)) * (STEPS - 1));
}

/** Return the palette now: red, green, blue and alpha of every entry. */
export function palette() {
  const made = new Uint8Array(4 * PALETTE);
  const put = (entry, [r, g, b]) => made.set([r, g, b, 255], 4 * entry);
  for (let n = 0; n < COLOURED; n++) put(n, read(`--label-${n}`));
  put(REST, read("--rest"));
  const stops = ["--ramp-0", "--ramp-1", "--ramp-2"].map(read);
  for (let n = 0; n < STEPS; n++) {
    const at = (2 * n) / (STEPS - 1);
    const left = Math.min(1, Math.floor(at));
    put(RAMP + n, stops[left].map((c, k) => c + (stops[left + 1][k] - c) * (at - left)));
  }
  return made;
}

const known = new Map();

/** Forget the colours: the page is light or dark now. */
export const forget = () => known.clear();

/** Return a colour of the style sheet as it is now: red, green, blue, 0 to 255. */
export function read(variable) {
  if (!known.has(variable)) {
    const probe = document.getElementById("probe");
    probe.style.color = `var(${variable})`;
    known.set(variable, getComputedStyle(probe).color.match(/[\d.]+/g).slice(0, 3).map(Number));
  }
  return known.get(variable);
}

/** Return a colour of the style sheet for a canvas. */
export const css = (variable, alpha = 1) => `rgb(${read(variable).join(" ")} / ${alpha})`;
