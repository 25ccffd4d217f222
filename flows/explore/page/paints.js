/** What the points are coloured by: a palette entry for each row, and what the legend says of it. */

import { COLOURED, REST, step } from "./map/colours.js";
import { coded } from "./points.js";

/**
 * @typedef {{ codes: Uint8Array, groups: Int32Array | null, names: string[], entries: number[], range: number[] | null, by: string }} Paint
 * groups: of each row its place in `names`, or -1; entries: the palette entry of each name; range: of numbers.
 */

/** Return the paint of labels. order: the names that keep their colours, the first ones in colour. */
export function byLabel(points, order) {
  return byName("label", points.codes, points.names, order);
}

/** Return the paint of labels that people gave: of all other rows none. */
export function byGiven(points, given, order) {
  const codes = new Int32Array(points.count).fill(-1);
  const names = [...new Set(given.values())];
  const place = new Map(names.map((name, n) => [name, n]));
  for (const [id, label] of given) {
    const row = points.row(id);
    if (row >= 0) codes[row] = place.get(label);
  }
  return byName("label", codes, names, order);
}

/** Return the paint of a column of numbers. */
export function byNumber(by, values) {
  const [low, high] = by === "confidence" || by === "novelty" ? [0, 1] : most(values);
  return { by, codes: Uint8Array.from(values, (value) => step(value, low, high)), groups: null, names: [], entries: [], range: [low, high] };
}

/** Return what 96 of 100 values lie between: a few that are far out would leave all others one colour. */
function most(values) {
  const every = Math.max(1, Math.floor(values.length / 20_000));
  const sample = values.filter((value, n) => n % every === 0 && Number.isFinite(value)).sort();
  const at = (share) => sample[Math.round(share * (sample.length - 1))] ?? 0;
  return [at(0.02), at(0.98)];
}

/** Return the paint of a column as the service streams it: by numbers where it has some, else by value. */
export function byColumn(by, column) {
  const first = firstOf(column);
  if (typeof first === "number" || typeof first === "bigint") {
    const values = Float64Array.from(column, (value) => (value === null || value === undefined ? NaN : Number(value)));
    return byNumber(by, values);
  }
  const { codes, names } = coded(column);
  return byName(by, codes, names, []);
}

function firstOf(column) {
  for (const value of column) if (value !== null && value !== undefined) return value;
  return null;
}

function byName(by, codes, found, order) {
  const counts = new Float64Array(found.length);
  for (const code of codes) if (code >= 0) counts[code]++;
  const often = found.map((_, n) => n).sort((a, b) => counts[b] - counts[a] || (found[a] < found[b] ? -1 : 1));
  const rest = often.map((n) => found[n]).filter((name) => !order.includes(name));
  const names = [...order, ...rest];
  const place = new Map(names.map((name, n) => [name, n]));
  const entries = names.map((_, n) => (n < COLOURED ? n : REST));
  const to = Int32Array.from(found, (name) => place.get(name));
  const groups = Int32Array.from(codes, (code) => (code < 0 ? -1 : to[code]));
  const entry = Uint8Array.from(groups, (group) => (group < 0 ? REST : entries[group]));
  return { by, codes: entry, groups, names, entries, range: null };
}
