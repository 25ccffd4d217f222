/** What part of a plane a map shows: a middle, and how near. */

const NEAREST = 400;
const MARGIN = 0.93; // of the shorter side

export class Camera {
  constructor() {
    this.reset();
    this.width = this.height = 1;
  }

  reset() {
    this.x = this.y = 0;
    this.zoom = 1;
  }

  /** Pixels of a unit. */
  get unit() {
    return (this.zoom * MARGIN * Math.min(this.width, this.height)) / 2;
  }

  /** Return the pixel of a place. */
  pixel(x, y) {
    return [this.width / 2 + (x - this.x) * this.unit, this.height / 2 - (y - this.y) * this.unit];
  }

  /** Return the place at a pixel. */
  place(left, top) {
    return [this.x + (left - this.width / 2) / this.unit, this.y - (top - this.height / 2) / this.unit];
  }

  /** Move by pixels, never so far that nothing is left to see. */
  pan(right, down) {
    this.x = within(this.x - right / this.unit);
    this.y = within(this.y + down / this.unit);
  }

  /** Come nearer by a factor, around a pixel that stays where it is. */
  near(factor, left = this.width / 2, top = this.height / 2) {
    const [x, y] = this.place(left, top);
    this.zoom = Math.max(0.5, Math.min(NEAREST, this.zoom * factor));
    const [nx, ny] = this.place(left, top);
    this.x = within(this.x + x - nx);
    this.y = within(this.y + y - ny);
  }

  /** Return what a frame needs: the place in the middle, and units to clip space. */
  frame() {
    return { middle: [this.x, this.y], scale: [(2 * this.unit) / this.width, (2 * this.unit) / this.height] };
  }
}

const within = (value) => Math.max(-1.2, Math.min(1.2, value));
