// The current picture, with or without a heat map.

import { evidence, paint } from "./heat.js";
import { placed } from "./resize.js";

const SMALL = 96; // pixels; pictures with a shorter side are enlarged to ENLARGED, as in reports
const ENLARGED = 192;
const LONGEST = 2048; // and no longer than this: browsers draw nothing on a canvas of great length

/** The square that the network saw, in the picture's coordinates. */
function seen(width, height, fit) {
  if (fit === "squash") return { left: 0, top: 0, width, height };
  if (fit === "crop") {
    const side = Math.min(width, height);
    const { x, y } = placed(width, height, side, fit);
    return { left: x, top: y, width: side, height: side };
  }
  const side = Math.max(width, height);
  const { left, top } = placed(width, height, side, fit);
  return { left: -left, top: -top, width: side, height: side };
}

/** Draw a picture on white; for `crop` only the part that the network saw. */
function draw(canvas, picture, fit) {
  const side = Math.min(picture.width, picture.height);
  const most = Math.max(1, Math.floor(LONGEST / Math.max(picture.width, picture.height)));
  const times = side < SMALL ? Math.min(most, Math.ceil(ENLARGED / side)) : 1;
  const [width, height] = [picture.width * times, picture.height * times];
  const part = seen(width, height, fit);
  const [x, y] = fit === "crop" ? [part.left, part.top] : [0, 0];
  canvas.width = fit === "crop" ? part.width : width;
  canvas.height = fit === "crop" ? part.height : height;
  canvas.classList.toggle("small", times > 1);
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.imageSmoothingEnabled = false; // every pixel of a small picture becomes a block
  pen.drawImage(picture, -x, -y, width, height);
  return { pen, seen: { ...part, left: part.left - x, top: part.top - y } };
}

/**
 * Show a picture.
 *
 * @param {HTMLCanvasElement} canvas Where.
 * @param {object} shown
 * @param {ImageBitmap} shown.picture What.
 * @param {"squash"|"crop"|"pad"} shown.fit How it was fitted to the network's square.
 * @param {object|null} shown.map Its `logit_map`, or null for the picture alone.
 * @param {number} shown.classes How many.
 * @param {number} shown.target The class whose evidence is shown.
 */
export function showPicture(canvas, { picture, fit, map, classes, target }) {
  const { pen, seen: part } = draw(canvas, picture, fit);
  if (!map) return;
  const whole = pen.getImageData(0, 0, canvas.width, canvas.height);
  paint(whole, evidence(map, classes, target), map, part);
  pen.putImageData(whole, 0, 0);
}

/** A small square of a picture, for the history. */
export function thumbnail(picture, side = 144) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: side, height: side });
  const scale = side / Math.min(picture.width, picture.height);
  const [width, height] = [picture.width * scale, picture.height * scale];
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, side, side);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(picture, (side - width) / 2, (side - height) / 2, width, height);
  return canvas;
}
