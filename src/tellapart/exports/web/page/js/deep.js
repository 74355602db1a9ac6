// PNG with 16 bits per channel, of which browsers use only the higher byte: pictures of a 12-bit
// camera would turn black. Here they are decoded completely, and scaled by their own range, as in
// `tellapart.images.color`. Format: the PNG specification (W3C), sections 7, 9 and 11.

import { PictureProblem } from "./header.js";

const CHANNELS = { 0: 1, 2: 3, 4: 2, 6: 4 }; // by color type
const cutOff = () =>
  new PictureProblem("cut_off", "The file is cut off: part of the picture is missing.");

/**
 * Decode a PNG with 16 bits per channel.
 *
 * @param {Uint8Array} bytes The file; its chunks are known to be within it.
 * @param {number} width From its header.
 * @param {number} height From its header.
 * @returns {Promise<ImageData>} 8 bits per channel, opaque.
 * @throws {PictureProblem} If it is damaged, or of a kind that is not supported.
 */
export async function decodeDeep(bytes, width, height) {
  const channels = CHANNELS[bytes[25]];
  if (!channels || bytes[28] !== 0 || width < 1 || height < 1) {
    throw new PictureProblem(
      "unsupported",
      "A PNG of 16 bits a channel that is stored interlaced cannot be read in a browser. Use " +
        "'tellapart predict' for it.",
    );
  }
  const line = width * channels * 2; // bytes of a row, without its filter
  const rows = await inflated(pixelData(bytes), (line + 1) * height);
  unfilter(rows, line, height, channels * 2);
  return shown(rows, width, height, channels);
}

function pixelData(bytes) {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts = [];
  for (let at = 8; at + 12 <= bytes.length; at += 12 + data.getUint32(at)) {
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (name === "IDAT") parts.push(bytes.subarray(at + 8, at + 8 + data.getUint32(at)));
    if (name === "IEND") break;
  }
  return new Blob(parts);
}

/** Exactly so many bytes of a zlib stream; unpacking stops soon after them. */
async function inflated(packed, wanted) {
  const made = new Uint8Array(wanted);
  let length = 0;
  const reader = packed.stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  try {
    while (length < wanted) {
      const { done, value } = await reader.read();
      if (done) break;
      made.set(value.subarray(0, wanted - length), length);
      length += value.length;
    }
  } catch {
    throw new PictureProblem("undecodable", "The picture cannot be decoded; it may be damaged.");
  } finally {
    reader.cancel().catch(() => {});
  }
  if (length < wanted) throw cutOff();
  return made;
}

/** Undo each row's filter, in place. */
function unfilter(rows, line, height, step) {
  for (let row = 0; row < height; row++) {
    const start = row * (line + 1) + 1;
    const kind = rows[start - 1];
    if (kind > 4) {
      throw new PictureProblem("undecodable", "The picture cannot be decoded; it may be damaged.");
    }
    if (kind === 0) continue;
    for (let i = 0; i < line; i++) {
      const at = start + i;
      const left = i >= step ? rows[at - step] : 0;
      const above = row > 0 ? rows[at - line - 1] : 0;
      const corner = row > 0 && i >= step ? rows[at - line - 1 - step] : 0;
      if (kind === 1) rows[at] += left;
      else if (kind === 2) rows[at] += above;
      else if (kind === 3) rows[at] += (left + above) >> 1;
      else rows[at] += paeth(left, above, corner);
    }
  }
}

function paeth(left, above, corner) {
  const guess = left + above - corner;
  const a = Math.abs(guess - left);
  const b = Math.abs(guess - above);
  const c = Math.abs(guess - corner);
  if (a <= b && a <= c) return left;
  return b <= c ? above : corner;
}

/** 16-bit rows as 8-bit pixels, by `levels`, on white where there is alpha. */
function shown(rows, width, height, channels) {
  const colors = channels < 3 ? 1 : 3;
  const line = width * channels * 2;
  const value = (row, column, channel) => {
    const at = row * (line + 1) + 1 + (column * channels + channel) * 2;
    return (rows[at] << 8) | rows[at + 1];
  };
  const level = levels(range(), channels === 1);
  const made = new ImageData(width, height);
  let to = 0;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++, to += 4) {
      const alpha = channels === colors ? 255 : value(row, column, colors) >> 8;
      for (let channel = 0; channel < 3; channel++) {
        const color = level(value(row, column, colors === 1 ? 0 : channel));
        made.data[to + channel] = Math.floor((color * alpha + 255 * (255 - alpha) + 127) / 255);
      }
      made.data[to + 3] = 255;
    }
  }
  return made;

  /** The smallest and largest value, unless a few are far from all others: `_limits` in Python. */
  function range() {
    let [low, high] = [65535, 0];
    const some = [];
    const band = channels === 2 ? height : Math.max(1, Math.floor(2 ** 20 / width));
    for (let top = 0; top < height; top += band) {
      const rowsHere = Math.min(band, height - top);
      const step = Math.max(1, Math.floor((rowsHere * width * colors) / 2 ** 16));
      let index = 0;
      for (let row = top; row < top + rowsHere; row++) {
        for (let column = 0; column < width; column++) {
          for (let channel = 0; channel < colors; channel++, index++) {
            const number = value(row, column, channel);
            if (number < low) low = number;
            if (number > high) high = number;
            if (index % step === 0) some.push(number);
          }
        }
      }
    }
    const [least, most] = quantiles(Float32Array.from(some).sort(), [0.001, 0.999]);
    const far = 3 * (most - least);
    if (far <= 0) return [low, high];
    return [least - low > far ? least : low, high - most > far ? most : high];
  }
}

/** Quantiles of sorted numbers, linear between them, as NumPy has them. */
function quantiles(sorted, shares) {
  return shares.map((share) => {
    const place = share * (sorted.length - 1);
    const below = Math.floor(place);
    const next = sorted[Math.min(below + 1, sorted.length - 1)];
    return sorted[below] + (place - below) * (next - sorted[below]);
  });
}

/** The 8-bit level of a number, with the same single-precision steps as NumPy. */
function levels([low, high], gray) {
  if (gray && high < 256) return (number) => number; // 8-bit values in a 16-bit file
  if (high <= low) return () => 127;
  const table = new Uint8Array(65536);
  for (let number = Math.ceil(low); number <= high; number++) {
    const unit = Math.fround(Math.fround(number / 2 - low / 2) / Math.fround(high / 2 - low / 2));
    const share = Math.fround(unit * 255);
    const below = Math.floor(share);
    const up = share - below > 0.5 || (share - below === 0.5 && below % 2 === 1);
    table[number] = below + (up ? 1 : 0);
  }
  return (number) => (number >= high ? 255 : table[number]); // stray pixels are at the ends
}
