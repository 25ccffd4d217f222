/** Draws points with WebGL 2: n places, a colour and a layer each, moving from where they were. */

import { FRAGMENT, VERTEX } from "./shaders.js";

export const PALETTE = 256;
/** Layers, the last on top: left out by a filter, plain, labelled by somebody, selected. */
export const LAYER = { out: 0, plain: 1, labelled: 2, selected: 3 };
const LAYERS = 4;
const FEW = 2_000; // points of a layer that are always drawn

export class Renderer {
  /** @param {HTMLCanvasElement} canvas Throws an Error where the browser has no WebGL 2. */
  constructor(canvas) {
    const gl = canvas.getContext("webgl2", { antialias: false, alpha: true, powerPreference: "high-performance" });
    if (!gl) throw new Error("this browser draws no WebGL 2: the maps stay empty, the list has every text");
    this.gl = gl;
    this.canvas = canvas;
    this.count = 0;
    this._begins = new Uint32Array(LAYERS + 1);
    this._xy = { from: new Float32Array(), to: new Float32Array() };
    this._set();
  }

  _set() {
    const { gl } = this;
    this._program = linked(gl);
    gl.useProgram(this._program);
    this._array = gl.createVertexArray();
    gl.bindVertexArray(this._array);
    this._buffers = {};
    for (const [name, size, whole] of [["from", 2, false], ["to", 2, false], ["before", 1, true], ["code", 1, true], ["layer", 1, true]]) {
      this._buffers[name] = gl.createBuffer();
      gl.bindBuffer(gl.ARRAY_BUFFER, this._buffers[name]);
      const at = gl.getAttribLocation(this._program, `a_${name}`);
      gl.enableVertexAttribArray(at);
      if (whole) gl.vertexAttribIPointer(at, size, gl.UNSIGNED_BYTE, 0, 0);
      else gl.vertexAttribPointer(at, size, gl.FLOAT, false, 0, 0);
    }
    this._buffers.order = gl.createBuffer();
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this._buffers.order);
    this._at = {};
    for (const name of ["middle", "scale", "time", "size", "alpha", "palette", "edge"])
      this._at[name] = gl.getUniformLocation(this._program, `u_${name}`);
    this._palette = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, this._palette);
    for (const side of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, side, gl.NEAREST);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  _upload(name, data) {
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, this._buffers[name]);
    gl.bufferData(gl.ARRAY_BUFFER, data, gl.DYNAMIC_DRAW);
  }

  /**
   * Move to other places: from those of time `now` of the last move where they are as many.
   * @param {Float32Array} xy x and y of each point in turn. @param {number} now 0 to 1
   */
  place(xy, now) {
    const { from, to } = this._xy;
    const moved = to.length === xy.length;
    const start = moved ? (now >= 1 ? to : mixed(from, to, now)) : xy;
    this._xy = { from: start, to: xy };
    this.count = xy.length / 2;
    this._upload("from", start);
    this._upload("to", xy);
    return moved;
  }

  /** @param {Uint8Array} codes a palette entry each @param {Uint8Array} before those it had */
  colour(codes, before) {
    this._upload("code", codes);
    this._upload("before", before);
  }

  /** @param {Uint8Array} layers a value of LAYER each; higher ones are drawn over lower ones */
  layer(layers) {
    const { gl } = this;
    this._upload("layer", layers);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this._buffers.order);
    const { order, start } = byLayer(layers);
    this._begins = start;
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, order, gl.DYNAMIC_DRAW);
  }

  /** @param {Uint8Array} palette red, green, blue, alpha of PALETTE colours @param {number[]} edge of rings, 0 to 1 */
  paint(palette, edge) {
    const { gl } = this;
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, PALETTE, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, palette);
    gl.uniform3fv(this._at.edge, edge);
  }

  /** Draw one frame. middle, scale: the place at the centre, and units to clip space; share: of the points of each layer. */
  draw({ middle, scale, time, size, alpha, share }) {
    const { gl, canvas } = this;
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.uniform2fv(this._at.middle, middle);
    gl.uniform2fv(this._at.scale, scale);
    gl.uniform1f(this._at.time, time);
    gl.uniform1f(this._at.size, size);
    gl.uniform1f(this._at.alpha, alpha);
    gl.uniform1i(this._at.palette, 0);
    for (let layer = 0; layer + 1 < this._begins.length; layer++) {
      const [first, end] = [this._begins[layer], this._begins[layer + 1]];
      const many = end - first > FEW ? Math.max(FEW, Math.ceil((end - first) * share)) : end - first;
      if (many) gl.drawElements(gl.POINTS, many, gl.UNSIGNED_INT, 4 * first);
    }
  }
}

function linked(gl) {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(`the map's program: ${gl.getProgramInfoLog(program)}`);
  return program;
}

function mixed(from, to, time) {
  return from.map((value, n) => value + (to[n] - value) * time);
}

/**
 * Return the points layer by layer, and where each layer begins. Inside of one, every 64th row comes first, then
 * the ones beside them: so its beginning is a sample of it.
 */
export function byLayer(layers) {
  const start = new Uint32Array(LAYERS + 1);
  for (const layer of layers) start[layer + 1]++;
  for (let n = 1; n < start.length; n++) start[n] += start[n - 1];
  const [next, order] = [start.slice(), new Uint32Array(layers.length)];
  for (let first = 0; first < 64; first++) for (let n = first; n < layers.length; n += 64) order[next[layers[n]]++] = n;
  return { order, start };
}
