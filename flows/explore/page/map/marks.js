/** What lies over the points: rings, the lasso, names of groups, arrows of texts that moved. */

import { css } from "./colours.js";

const FONT = '600 12.5px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';

/** @param {import("./map.js").PointMap} map @param {number} size of a point, in pixels */
export function drawMarks(map, size) {
  const { over, camera, marks, outline, dense } = map;
  const pen = over.getContext("2d");
  pen.setTransform(dense, 0, 0, dense, 0, 0);
  pen.clearRect(0, 0, camera.width, camera.height);
  pen.lineJoin = "round";
  if (!map.moving) {
    for (const arrow of marks.arrows) drawArrow(pen, camera, arrow, arrow.row === marks.hovered, marks.arrows.length);
    for (const name of placed(pen, camera, marks.names)) drawName(pen, name);
    if (marks.open >= 0) ring(pen, pixelOf(map, marks.open), size / 2 + 5, 2.5);
    if (marks.hovered >= 0) ring(pen, pixelOf(map, marks.hovered), size / 2 + 4, 2);
  }
  if (outline) drawOutline(pen, camera, outline);
}

const pixelOf = ({ xy, camera }, row) => camera.pixel(xy[2 * row], xy[2 * row + 1]);

function ring(pen, [left, top], radius, width) {
  for (const [colour, wide] of [["--paper", width + 3], ["--ink", width]]) {
    pen.beginPath();
    pen.arc(left, top, radius, 0, 2 * Math.PI);
    pen.strokeStyle = css(colour);
    pen.lineWidth = wide;
    pen.stroke();
  }
}

function drawOutline(pen, camera, outline) {
  pen.beginPath();
  for (const place of outline) pen.lineTo(...camera.pixel(...place));
  pen.closePath();
  pen.fillStyle = css("--accent", 0.12);
  pen.strokeStyle = css("--accent");
  pen.lineWidth = 1.5;
  pen.fill();
  pen.stroke();
}

/** Draw an arrow in the colour of where it leads; fainter the more there are, but for the one that is meant. */
function drawArrow(pen, camera, { from, to, entry }, meant, many) {
  const [ax, ay] = camera.pixel(...from);
  const [bx, by] = camera.pixel(...to);
  const angle = Math.atan2(by - ay, bx - ax);
  pen.beginPath();
  pen.moveTo(ax, ay);
  pen.lineTo(bx, by);
  for (const side of [-0.45, 0.45]) {
    pen.moveTo(bx, by);
    pen.lineTo(bx - 7 * Math.cos(angle + side), by - 7 * Math.sin(angle + side));
  }
  pen.strokeStyle = meant ? css("--ink") : css(entry >= 0 && entry < 9 ? `--label-${entry}` : "--faint", Math.max(0.25, Math.min(0.8, 30 / many)));
  pen.lineWidth = meant ? 2 : 1.2;
  pen.stroke();
}

/** Return the names that find room: the largest groups first, none over another. */
function placed(pen, camera, names) {
  pen.font = FONT;
  const taken = [];
  return names.flatMap(({ name, at }) => {
    const [middle, top] = camera.pixel(...at);
    const half = pen.measureText(name).width / 2 + 6;
    const box = [middle - half, top - 10, middle + half, top + 10];
    const clear = taken.every((other) => box[2] < other[0] || box[0] > other[2] || box[3] < other[1] || box[1] > other[3]);
    if (!clear || box[0] < 0 || box[2] > camera.width || box[1] < 0 || box[3] > camera.height) return [];
    taken.push(box);
    return [{ name, middle, top }];
  });
}

function drawName(pen, { name, middle, top }) {
  pen.font = FONT;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.lineWidth = 4;
  pen.strokeStyle = css("--paper", 0.86);
  pen.strokeText(name, middle, top);
  pen.fillStyle = css("--ink");
  pen.fillText(name, middle, top);
}
