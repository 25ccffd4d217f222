/** One map: points on a canvas, marks over them, and what a pointer or a key does there. */

import { Camera } from "./camera.js";
import { Grid } from "./grid.js";
import { listen } from "./gestures.js";
import { drawMarks } from "./marks.js";
import { Renderer } from "./renderer.js";

const MOVE = 900; // milliseconds from the old places to the new ones
const SMOOTH = 28; // milliseconds a frame may take while something moves
const REST = 160; // milliseconds without a move before all points are drawn again
const REACH = 12; // pixels between the pointer and a point that it means
const still = matchMedia("(prefers-reduced-motion: reduce)");

export class PointMap {
  /**
   * @param {HTMLElement} place holds the canvases
   * @param {{hover: Function, choose: Function, lasso: Function}} told what happened: a row, a row, rows and outline
   */
  constructor(place, told) {
    this.told = told;
    this.points = place.querySelector("canvas.points");
    this.over = place.querySelector("canvas.marks");
    this.camera = new Camera();
    this.renderer = new Renderer(this.points);
    this.lassoing = false;
    this.outline = null;
    this.marks = { hovered: -1, open: -1, names: [], arrows: [] };
    this._kept = {};
    this._began = 0;
    this._time = 1;
    this._asked = 0;
    this._share = 1;
    this._last = NaN;
    this.frames = 0; // drawn so far: what a measurement counts
    listen(this);
    new ResizeObserver(() => this._measure()).observe(place);
    this._measure();
    this.points.addEventListener("webglcontextlost", (event) => event.preventDefault());
    this.points.addEventListener("webglcontextrestored", () => this._restore());
  }

  get xy() {
    return this._kept.xy ?? new Float32Array();
  }

  /** Show points: as many as before move to their new places. */
  show(xy, codes, layers) {
    const { codes: before, xy: last } = this._kept;
    const alike = before?.length === codes.length;
    this._kept = { ...this._kept, xy, codes, layers };
    this._grid = null;
    const moves = xy !== last && this.renderer.place(xy, this._time);
    this.renderer.colour(codes, alike ? before : codes);
    this.renderer.layer(layers);
    this._time = 1;
    if (xy !== last) this.marks.hovered = -1;
    if (alike && (moves || codes !== before) && !still.matches) {
      this._began = performance.now();
      this._time = 0;
    }
    this.ask();
  }

  /** Draw with these layers from now on. */
  layer(layers) {
    this._kept.layers = layers;
    this.renderer.layer(layers);
    this.ask();
  }

  /** Draw in these colours from now on. */
  paint(palette, edge) {
    Object.assign(this._kept, { palette, edge });
    this.renderer.paint(palette, edge);
    this.ask();
  }

  /** Draw a frame soon. */
  ask() {
    this._asked ||= requestAnimationFrame(() => this._draw());
  }

  /** Draw the marks anew soon, and the points only if they are to be drawn anyway. */
  askMarks() {
    this._askedMarks ||= requestAnimationFrame(() => {
      this._askedMarks = 0;
      if (!this._asked) drawMarks(this, this._look().size);
    });
  }

  /** Return the row nearest to a pixel, or -1. */
  near(left, top) {
    const [x, y] = this.camera.place(left, top);
    return this.grid.nearest(x, y, REACH / Math.min(...this.camera.units), (row) => this._shown?.[row] !== 0);
  }

  /** Return the rows inside an outline, of those that no filter leaves out. */
  inside(outline) {
    return this.grid.inside(outline, (row) => this._shown?.[row] !== 0);
  }

  /** @param {Uint8Array | null} shown 1 for each row that the filter has */
  filter(shown) {
    this._shown = shown;
  }

  get grid() {
    this._grid ??= new Grid(this.xy);
    return this._grid;
  }

  /** Tell whether points still move. */
  get moving() {
    return this._time < 1;
  }

  _measure() {
    const { clientWidth: width, clientHeight: height } = this.points.parentElement;
    const dense = Math.min(devicePixelRatio || 1, 2);
    for (const canvas of [this.points, this.over]) {
      canvas.width = Math.max(1, Math.round(width * dense));
      canvas.height = Math.max(1, Math.round(height * dense));
    }
    Object.assign(this.camera, { width: Math.max(1, width), height: Math.max(1, height) });
    this.dense = dense;
    this._asked = 0;
    this._draw();
  }

  _draw() {
    this._asked = 0;
    const now = performance.now();
    if (this._time < 1) {
      this._time = Math.min(1, (now - this._began) / MOVE);
      this.ask();
    }
    const share = this._pace(now);
    const { size, alpha } = this._look();
    this.renderer.draw({ ...this.camera.frame(), time: eased(this._time), size: size * this.dense, alpha, share });
    drawMarks(this, size);
    this.frames++;
  }

  /** Return the share of the points that this machine can draw while they move; all, once they rest. */
  _pace(now) {
    const took = now - this._last;
    this._last = now;
    clearTimeout(this._rests);
    if (took < 10 * REST) this._share = Math.max(0.01, Math.min(1, this._share * Math.max(0.4, Math.min(1.2, SMOOTH / took))));
    if (this._share < 1) this._rests = setTimeout(() => this._whole(), REST);
    return this._share;
  }

  _whole() {
    if (this._asked) return; // it still moves
    const { size, alpha } = this._look();
    this.renderer.draw({ ...this.camera.frame(), time: eased(this._time), size: size * this.dense, alpha, share: 1 });
    this._last = NaN;
  }

  /** Return size and opacity of a point: smaller and fainter the more there are in sight. */
  _look() {
    const { width, height, zoom } = this.camera;
    const share = Math.sqrt((width * height) / Math.max(1, this.renderer.count)) * Math.sqrt(zoom);
    return { size: Math.max(1.6, Math.min(11, 1.1 + share * 0.33)), alpha: Math.max(0.35, Math.min(0.85, 0.3 + share * 0.05)) };
  }

  _restore() {
    const { xy, codes, layers, palette, edge } = this._kept;
    this.renderer._set();
    if (palette) this.renderer.paint(palette, edge);
    if (xy) this.renderer.place(xy, 1);
    if (codes) this.renderer.colour(codes, codes);
    if (layers) this.renderer.layer(layers);
    this.ask();
  }
}

const eased = (time) => (time < 0.5 ? 4 * time ** 3 : 1 - (-2 * time + 2) ** 3 / 2);
