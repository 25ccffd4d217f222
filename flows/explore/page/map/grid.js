/** Finds points by place: the nearest one, or those inside an outline. */

const A_CELL = 4; // points, in the mean
const MOST = 1024; // cells a side

export class Grid {
  /** @param {Float32Array} xy x and y of each point in turn, in [-1, 1] */
  constructor(xy) {
    this.xy = xy;
    const n = xy.length / 2;
    this.side = Math.max(1, Math.min(MOST, Math.ceil(Math.sqrt(n / A_CELL))));
    this.start = new Uint32Array(this.side ** 2 + 1);
    const cells = new Uint32Array(n);
    for (let i = 0; i < n; i++) {
      cells[i] = this._column(xy[2 * i + 1]) * this.side + this._column(xy[2 * i]);
      this.start[cells[i] + 1]++;
    }
    for (let c = 1; c < this.start.length; c++) this.start[c] += this.start[c - 1];
    const next = this.start.slice();
    this.points = new Uint32Array(n);
    for (let i = 0; i < n; i++) this.points[next[cells[i]]++] = i;
  }

  _column(value) {
    return Math.max(0, Math.min(this.side - 1, Math.floor(((value + 1) / 2) * this.side)));
  }

  *_within(left, right, low, high) {
    for (let row = this._column(low); row <= this._column(high); row++)
      for (let column = this._column(left); column <= this._column(right); column++) {
        const cell = row * this.side + column;
        for (let at = this.start[cell]; at < this.start[cell + 1]; at++) yield this.points[at];
      }
  }

  /** Return the nearest point at most `radius` away that `shown` has, or -1. */
  nearest(x, y, radius, shown) {
    let best = -1;
    let least = radius * radius;
    for (const i of this._within(x - radius, x + radius, y - radius, y + radius)) {
      const away = (this.xy[2 * i] - x) ** 2 + (this.xy[2 * i + 1] - y) ** 2;
      if (away <= least && shown(i)) [best, least] = [i, away];
    }
    return best;
  }

  /** Return the points inside an outline of [x, y] corners that `shown` has, in order. */
  inside(outline, shown) {
    const xs = outline.map(([x]) => x);
    const ys = outline.map(([, y]) => y);
    const found = [];
    for (const i of this._within(Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)))
      if (shown(i) && encloses(outline, this.xy[2 * i], this.xy[2 * i + 1])) found.push(i);
    return found.sort((a, b) => a - b);
  }
}

/** Tell whether an outline encloses a place: a ray from it crosses an odd number of sides. */
export function encloses(outline, x, y) {
  let odd = false;
  for (let i = 0, j = outline.length - 1; i < outline.length; j = i++) {
    const [ax, ay] = outline[i];
    const [bx, by] = outline[j];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
  }
  return odd;
}

/** Return an outline with at most `most` corners, evenly taken. */
export function simpler(outline, most = 48) {
  if (outline.length <= most) return outline;
  return Array.from({ length: most }, (_, n) => outline[Math.floor((n * outline.length) / most)]);
}
