/** What part of a plane a map shows: a middle, and how near. */

const NEAREST = 400;
const MARGIN = 0.93; // of a side
const STRETCH = 1.3; // of the longer side: on such a map near and far matter, angles do not

export class Camera {
  constructor() {
    this.reset();
    this.width = this.height = 1;
  }

  reset() {
    this.x = this.y = 0;
    this.zoom = 1;
  }

  /** Pixels of a unit, from left to right and upwards. */
  get units() {
    const { width, height } = this;
    const near = (this.zoom * MARGIN) / 2;
    return [near * Math.min(width, height * STRETCH), near * Math.min(height, width * STRETCH)];
  }

  /** Return the pixel of a place. */
  pixel(x, y) {
    const [across, up] = this.units;
    return [this.width / 2 + (x - this.x) * across, this.height / 2 - (y - this.y) * up];
  }

  /** Return the place at a pixel. */
  place(left, top) {
    const [across, up] = this.units;
    return [this.x + (left - this.width / 2) / across, this.y - (top - this.height / 2) / up];
  }

  /** Move by pixels, never so far that nothing is left to see. */
  pan(right, down) {
    const [across, up] = this.units;
    this.x = within(this.x - right / across);
    this.y = within(this.y + down / up);
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
    return { middle: [this.x, this.y], scale: [(2 * this.units[0]) / this.width, (2 * this.units[1]) / this.height] };
  }
}

const within = (value) => Math.max(-1.2, Math.min(1.2, value));
