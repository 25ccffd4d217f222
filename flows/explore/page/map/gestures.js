/** What a pointer, a wheel, two fingers or a key do on a map. */

import { simpler } from "./grid.js";

const STILL = 4; // pixels that a click may move

/** @param {import("./map.js").PointMap} map */
export function listen(map) {
  const canvas = map.over;
  const fingers = new Map();
  let from = null;
  let moved = 0;

  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, at(event));
    [from, moved] = [at(event), 0];
    if (fingers.size === 1 && (map.lassoing || event.shiftKey)) map.outline = [map.camera.place(...from)];
    if (fingers.size === 2) map.outline = null;
  });

  canvas.addEventListener("pointermove", (event) => {
    const now = at(event);
    if (!fingers.has(event.pointerId)) return map.told.hover(map.near(...now), event);
    const last = fingers.get(event.pointerId);
    if (fingers.size === 2) pinch(map, fingers, event.pointerId, now);
    fingers.set(event.pointerId, now);
    if (fingers.size > 1) return map.ask();
    moved = Math.max(moved, Math.hypot(now[0] - from[0], now[1] - from[1]));
    if (moved < STILL) return undefined;
    map.told.hover(-1, event);
    if (map.outline) map.outline.push(map.camera.place(...now));
    else map.camera.pan(now[0] - last[0], now[1] - last[1]);
    return map.ask();
  });

  const end = (event) => {
    const only = fingers.size === 1;
    if (!fingers.delete(event.pointerId) || !only) return;
    const { outline } = map;
    map.outline = null;
    map.ask();
    if (event.type === "pointercancel") return;
    if (moved >= STILL && outline?.length > 2) {
      const digits = 3 + Math.max(0, Math.ceil(Math.log10(map.camera.zoom))); // less than a pixel, however near
      const drawn = simpler(outline).map((place) => place.map((value) => Number(value.toFixed(digits))));
      map.told.lasso(map.inside(drawn), drawn);
    }
  };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  canvas.addEventListener("pointerleave", (event) => map.told.hover(-1, event));
  canvas.addEventListener("click", (event) => moved < STILL && map.told.choose(map.near(...at(event)), event)); // after a touch it comes last: nothing else is hit by it
  canvas.addEventListener("dblclick", () => back(map));
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    map.camera.near(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0018)), ...at(event));
    map.ask();
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => keys(map, event));
}

function pinch(map, fingers, moving, now) {
  const other = [...fingers].find(([id]) => id !== moving)[1];
  const last = fingers.get(moving);
  const apart = (a, b) => Math.max(10, Math.hypot(a[0] - b[0], a[1] - b[1]));
  const middle = [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2];
  map.camera.near(apart(now, other) / apart(last, other), ...middle);
  map.camera.pan((now[0] - last[0]) / 2, (now[1] - last[1]) / 2);
}

function back(map) {
  map.camera.reset();
  map.ask();
}

function keys(map, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const pan = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[event.key];
  if (pan) map.camera.pan(...pan);
  else if (event.key === "+" || event.key === "=") map.camera.near(1.4);
  else if (event.key === "-") map.camera.near(1 / 1.4);
  else if (event.key === "0") map.camera.reset();
  else return;
  event.preventDefault();
  event.stopPropagation();
  map.ask();
}
