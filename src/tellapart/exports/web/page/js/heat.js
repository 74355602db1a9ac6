// Heat maps: the lead of a class over the others, place by place, painted over the picture. The colors and the arithmetic are those of `tellapart explain`.

import { contributions } from "./resize.js";

const COVER = 0.75; // how much of the picture the strongest evidence covers, as painting.COVER
// From the strongest evidence against (blue) through none (light gray) to the strongest for (orange).
const COLORS = [
  [41, 113, 198],
  [93, 145, 212],
  [140, 177, 225],
  [187, 208, 234],
  [238, 238, 238],
  [232, 197, 182],
  [219, 158, 130],
  [203, 118, 78],
  [183, 76, 5],
];

/**
 * The lead of one class's logits over the mean of the others'.
 *
 * @param {{height: number, width: number, values: Float32Array}} map `[height, width, classes]`.
 * @param {number} classes How many, at least 2.
 * @param {number} target The class.
 * @returns {Float32Array} `[height, width]`.
 */
export function evidence({ height, width, values }, classes, target) {
  const lead = new Float32Array(height * width);
  for (let place = 0; place < lead.length; place++) {
    let sum = 0;
    for (let i = 0; i < classes; i++) sum += values[place * classes + i];
    const own = values[place * classes + target];
    lead[place] = own - (sum - own) / (classes - 1);
  }
  return lead;
}

/** A small map, enlarged smoothly, without rounding. */
function smooth(values, height, width, rows, columns) {
  const across = contributions(width, columns);
  const between = new Float32Array(height * columns);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < columns; column++) {
      const { first, weights } = across[column];
      let sum = 0;
      weights.forEach((weight, i) => (sum += weight * values[row * width + first + i]));
      between[row * columns + column] = sum;
    }
  }
  const made = new Float32Array(rows * columns);
  contributions(height, rows).forEach(({ first, weights }, row) => {
    weights.forEach((weight, i) => {
      const from = (first + i) * columns;
      for (let column = 0; column < columns; column++) {
        made[row * columns + column] += weight * between[from + column];
      }
    });
  });
  return made;
}

/** The color of a strength from -1 to 1, one channel. */
function color(strength, channel) {
  const place = ((strength + 1) / 2) * (COLORS.length - 1);
  const below = Math.min(Math.floor(place), COLORS.length - 2);
  const rest = place - below;
  return COLORS[below][channel] * (1 - rest) + COLORS[below + 1][channel] * rest;
}

/**
 * Paint a heat map over a picture, in place: orange is evidence for, blue against, gray none.
 *
 * @param {ImageData} picture What is painted on; it turns gray.
 * @param {Float32Array} heat `[map.height, map.width]`.
 * @param {{height: number, width: number}} map Its shape.
 * @param {{left: number, top: number, width: number, height: number}} seen The square that
 *   the network saw, in the picture's coordinates.
 */
export function paint(picture, heat, map, seen) {
  const largest = heat.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-12);
  const shares = heat.map((value) => value / largest);
  const full = smooth(shares, map.height, map.width, seen.height, seen.width);
  const { data, width, height } = picture;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const place = (row - seen.top) * seen.width + column - seen.left;
      const strength = Math.min(1, Math.max(-1, full[place]));
      const cover = COVER * Math.abs(strength);
      const at = (row * width + column) * 4;
      const luma = (19595 * data[at] + 38470 * data[at + 1] + 7471 * data[at + 2] + 32768) >> 16;
      const gray = 64 + luma * 0.75; // brighter shadows, so that colors show on them too
      for (let channel = 0; channel < 3; channel++) {
        data[at + channel] = gray * (1 - cover) + color(strength, channel) * cover;
      }
    }
  }
}
