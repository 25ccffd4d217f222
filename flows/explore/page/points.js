/** The points of one view: what the service streams, as arrays. */

import * as api from "./api.js";

export class Points {
  /** @param {import("./vendor/flechette.js").Table} table columns id, x, y, label, confidence, novelty */
  constructor(name, table) {
    const about = table.schema.metadata ?? new Map();
    this.name = name;
    this.count = table.numRows;
    this.total = Number(about.get("total") ?? this.count);
    this.transform = about.get("transform") ?? null;
    this.corpus = about.get("corpus") ?? null;
    this.making = about.has("making") ? Number(about.get("making")) : null; // of its own map: these are the places of an earlier one
    this.xy = paired(table.getChild("x").toArray(), table.getChild("y").toArray());
    this.confidence = table.getChild("confidence").toArray();
    this.novelty = table.getChild("novelty").toArray();
    Object.assign(this, coded(table.getChild("label")));
    this._ids = table.getChild("id");
    this._rows = null;
  }

  /** Return the id of a row. */
  id(row) {
    return this._ids.at(row);
  }

  /** Return the row of an id, or -1: rows are in the order of their ids. */
  row(id) {
    let [low, high] = [0, this.count - 1];
    while (!this._rows && low <= high) {
      const middle = (low + high) >> 1;
      const found = this.id(middle);
      if (found === id) return middle;
      if (found < id) low = middle + 1;
      else high = middle - 1;
    }
    this._rows ??= new Map(Array.from(this._ids, (one, row) => [one, row])); // the service orders by bytes: rare ids differ
    return this._rows.get(id) ?? -1;
  }

  /** Return the middle of the rows that `of` gives a group from 0 on, by group: medians of x and y. */
  middles(of, groups) {
    const xs = Array.from({ length: groups }, () => []);
    const ys = Array.from({ length: groups }, () => []);
    const every = Math.max(1, Math.floor(this.count / 20_000)); // the middle of a sample is near enough
    for (let row = 0; row < this.count; row += every) {
      const group = of(row);
      if (group < 0) continue;
      xs[group].push(this.xy[2 * row]);
      ys[group].push(this.xy[2 * row + 1]);
    }
    const middle = (values) => values.sort((a, b) => a - b)[values.length >> 1];
    return xs.map((values, group) => (values.length ? [middle(values), middle(ys[group])] : null));
  }
}

/** Ask for the points of a view until they are made; `waits(share)` is told while they are not. standing: rather at the places of before. */
export async function points(name, waits, gone, standing = false) {
  for (;;) {
    const { table, making } = await api.points(name, standing);
    if (table) return new Points(name, table);
    if (gone()) return null;
    waits(making);
    await new Promise((resolve) => setTimeout(resolve, 700));
  }
}

function paired(xs, ys) {
  const xy = new Float32Array(2 * xs.length);
  for (let n = 0; n < xs.length; n++) {
    xy[2 * n] = xs[n];
    xy[2 * n + 1] = ys[n];
  }
  return xy;
}

/** Return a column of texts as numbers: `names`, and of each row its place among them, or -1. */
export function coded(column) {
  const places = new Map();
  const codes = new Int32Array(column.length).fill(-1);
  let row = 0;
  for (const value of column) {
    if (value !== null && value !== undefined) {
      const name = String(value);
      if (!places.has(name)) places.set(name, places.size);
      codes[row] = places.get(name);
    }
    row++;
  }
  return { codes, names: [...places.keys()] };
}
