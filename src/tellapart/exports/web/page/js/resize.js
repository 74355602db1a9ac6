// tellapart's resize in JavaScript: pixels must be those of `tellapart.images.resize`. A canvas
// scales with another filter, and a network would then see another picture.
//
// Antialiased bicubic (Keys, a = -0.5). The rows are resized first, then the columns, with
// 8-bit pixels between the two passes and integers within each: weights have 16 bits, with as
// many after the point as the largest weight allows. tests/exports/web/test_resize.py compares
// every pixel with Python's.

const PAD_VALUE = 127; // mid-gray, as images.PAD_VALUE
const REACH = 2; // of the bicubic kernel, in pixels of the larger scale

/** The kernel at distance `x`. */
function bicubic(x) {
  const a = -0.5;
  const t = Math.abs(x);
  if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  if (t < 2) return (((t - 5) * t + 8) * t - 4) * a;
  return 0;
}

/**
 * The source pixels of each pixel of the result, with their weights.
 *
 * @param {number} from Pixels along one side before.
 * @param {number} to Pixels along it after.
 * @returns {{first: number, weights: Float64Array}[]} One per pixel of the result; weights sum to 1.
 */
export function contributions(from, to) {
  const scale = from / to;
  const wide = Math.max(scale, 1); // shrinking widens the kernel, which is the antialiasing
  const made = [];
  for (let place = 0; place < to; place++) {
    const center = (place + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - REACH * wide + 0.5));
    const end = Math.min(from, Math.trunc(center + REACH * wide + 0.5));
    const weights = new Float64Array(end - first);
    let sum = 0;
    for (let i = 0; i < weights.length; i++) {
      weights[i] = bicubic((first + i - center + 0.5) / wide);
      sum += weights[i];
    }
    for (let i = 0; i < weights.length; i++) weights[i] /= sum;
    made.push({ first, weights });
  }
  return made;
}

/** The same in integers: `bits` after the point, so that the largest weight fits in 16 bits. */
function fixed(from, to) {
  const exact = contributions(from, to);
  let largest = 0;
  for (const { weights } of exact) for (const weight of weights) largest = Math.max(largest, weight);
  let bits = 0;
  while (bits < 21 && Math.round(largest * 2 ** (bits + 1)) < 2 ** 15) bits++;
  const rounded = exact.map(({ first, weights }) => ({
    first,
    weights: Int32Array.from(weights, (weight) => awayFromZero(weight * 2 ** bits)),
  }));
  return { bits, rounded };
}

function awayFromZero(value) {
  return value < 0 ? -Math.round(-value) : Math.round(value);
}

/** Python's `round`: halves are rounded to even. */
function toEven(value) {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}

const clamp = (value) => (value < 0 ? 0 : value > 255 ? 255 : value);

/** Resize some columns from `height` to `rows`. RGBA in, RGB out at `x` of a wider picture. */
function joinRows(rgba, width, height, rows, plan, made, madeWidth, x) {
  const half = 1 << (plan.bits - 1);
  const sums = new Int32Array(width * 3);
  for (let row = 0; row < rows; row++) {
    const { first, weights } = plan.rounded[row];
    sums.fill(half);
    for (let i = 0; i < weights.length; i++) {
      const weight = weights[i];
      let from = (first + i) * width * 4;
      for (let at = 0; at < sums.length; at += 3, from += 4) {
        sums[at] += rgba[from] * weight;
        sums[at + 1] += rgba[from + 1] * weight;
        sums[at + 2] += rgba[from + 2] * weight;
      }
    }
    const start = (row * madeWidth + x) * 3;
    for (let at = 0; at < sums.length; at++) made[start + at] = clamp(sums[at] >> plan.bits);
  }
}

/** Resize RGB `[height, width]` to `columns`, into a square of `size` at an offset. */
function joinColumns(rgb, width, height, columns, square, size, top, left) {
  const { bits, rounded } = fixed(width, columns);
  const half = 1 << (bits - 1);
  for (let row = 0; row < height; row++) {
    let to = ((top + row) * size + left) * 3;
    for (let column = 0; column < columns; column++) {
      const { first, weights } = rounded[column];
      let from = (row * width + first) * 3;
      let red = half;
      let green = half;
      let blue = half;
      for (let i = 0; i < weights.length; i++, from += 3) {
        const weight = weights[i];
        red += rgb[from] * weight;
        green += rgb[from + 1] * weight;
        blue += rgb[from + 2] * weight;
      }
      square[to++] = clamp(red >> bits);
      square[to++] = clamp(green >> bits);
      square[to++] = clamp(blue >> bits);
    }
  }
}

/**
 * Which part of a picture is used, and where in the square it is placed.
 *
 * @returns {{x: number, y: number, width: number, height: number, columns: number, rows: number,
 *   left: number, top: number}} A part of the picture, and its place in the square.
 */
export function placed(width, height, size, fit) {
  if (fit === "crop") {
    const side = Math.min(width, height);
    const x = Math.floor((width - side) / 2);
    const y = Math.floor((height - side) / 2);
    return { x, y, width: side, height: side, columns: size, rows: size, left: 0, top: 0 };
  }
  const whole = { x: 0, y: 0, width, height, columns: size, rows: size, left: 0, top: 0 };
  if (fit === "squash") return whole;
  if (fit !== "pad") throw new RangeError(`no such fit: ${fit}`);
  const scale = size / Math.max(width, height);
  const columns = Math.max(1, toEven(width * scale));
  const rows = Math.max(1, toEven(height * scale));
  const left = Math.floor((size - columns) / 2);
  const top = Math.floor((size - rows) / 2);
  return { ...whole, columns, rows, left, top };
}

/**
 * Resize a picture to a square.
 *
 * @param {(x: number, y: number, width: number, height: number) => Uint8ClampedArray} read Gives
 *   a part of the picture as RGBA. It is called for strips of columns, so that a large picture
 *   is never in memory twice.
 * @param {number} width Of the picture, in pixels.
 * @param {number} height Of the picture, in pixels.
 * @param {number} size Side of the square, in pixels.
 * @param {"squash"|"crop"|"pad"} fit As `tellapart.images.resize` defines them.
 * @param {number} most Pixels to read at once.
 * @returns {Uint8Array} RGB, `[size, size, 3]`.
 */
export function resize(read, width, height, size, fit, most = 4_000_000) {
  const part = placed(width, height, size, fit);
  const square = new Uint8Array(size * size * 3).fill(PAD_VALUE);
  const between = new Uint8Array(part.rows * part.width * 3);
  const plan = fixed(part.height, part.rows);
  const strip = Math.max(1, Math.floor(most / part.height));
  for (let x = 0; x < part.width; x += strip) {
    const wide = Math.min(strip, part.width - x);
    const rgba = read(part.x + x, part.y, wide, part.height);
    joinRows(rgba, wide, part.height, part.rows, plan, between, part.width, x);
  }
  joinColumns(between, part.width, part.rows, part.columns, square, size, part.top, part.left);
  return square;
}
