// Decodes a file to upright pixels on white, by the decode policy of training as far as a browser
// allows; docs/web-export.md lists the exceptions.

import { decodeDeep } from "./deep.js";
import { needsProfile, orientationOf, PictureProblem, readHeader, refuseLarge } from "./header.js";
import { resize } from "./resize.js";
import { checkWhole } from "./whole.js";

const MAX_BYTES = 256 * 1024 * 1024;
const NOISE = 4; // levels by which a browser may change pixels for a prediction to be of use
const STRIP = 4_000_000; // pixels of a canvas: phones refuse those above 16 million

/**
 * Decode one picture.
 *
 * @param {Blob} file The file.
 * @returns {Promise<ImageBitmap>} Upright; close it after use.
 * @throws {PictureProblem} With tellapart's code and a message.
 */
export async function decode(file) {
  if (file.size > MAX_BYTES) {
    throw new PictureProblem("too_large", "The file has more than 256 million bytes.");
  }
  const bytes = new Uint8Array(await contentOf(file));
  const plain = netpbm(bytes);
  if (plain) return createImageBitmap(plain);
  const header = readHeader(bytes);
  checkWhole(bytes, header);
  if (header.deep && header.format === "PNG") {
    return createImageBitmap(await decodeDeep(bytes, header.width, header.height));
  }
  const profiled = await needsProfile(header);
  // Not every browser rotates a WebP by its EXIF: so it is hidden from all, and applied here.
  const turn = header.exif ? hideExif(bytes, header.exif) : 1;
  let bitmap;
  try {
    bitmap = await createImageBitmap(new Blob([bytes]), {
      imageOrientation: "from-image",
      // Some decoders round twice when they multiply by alpha.
      premultiplyAlpha: "none",
      colorSpaceConversion: profiled ? "default" : "none",
    });
    if (turn !== 1) bitmap = turned(bitmap, turn);
  } catch {
    if (header.format === "TIFF" || header.format === "HEIC") {
      throw new PictureProblem(
        "unsupported",
        `This browser cannot decode ${header.format}. Save the picture as JPEG or PNG, or use ` +
          "'tellapart predict'.",
      );
    }
    throw new PictureProblem("undecodable", "The picture cannot be decoded; it may be damaged.");
  }
  try {
    refuseLarge(bitmap.width, bitmap.height);
  } catch (error) {
    bitmap.close();
    throw error;
  }
  return bitmap;
}

/** A file's bytes; folders can be dropped on a page, too, and files may be gone by now. */
async function contentOf(file) {
  try {
    return await file.arrayBuffer();
  } catch {
    throw new PictureProblem("unreadable", "It cannot be read: it is a folder, or no longer there.");
  }
}

/** Rename a WebP's EXIF chunk in place, so that decoders ignore it; gives its orientation. */
function hideExif(bytes, { at, length }) {
  bytes.set([0x58, 0x58, 0x58, 0x58], at);
  return orientationOf(bytes.subarray(at + 8, at + length));
}

/** A picture rotated upright by its EXIF orientation, 2 to 8. */
function turned(bitmap, orientation) {
  const { width, height } = bitmap;
  const sideways = orientation >= 5;
  const canvas = new OffscreenCanvas(sideways ? height : width, sideways ? width : height);
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const [w, h] = [width, height];
  const matrix = [
    [-1, 0, 0, 1, w, 0], // mirrored
    [-1, 0, 0, -1, w, h], // half a turn
    [1, 0, 0, -1, 0, h], // upside down
    [0, 1, 1, 0, 0, 0], // transposed
    [0, 1, -1, 0, h, 0], // a quarter to the right
    [0, -1, -1, 0, h, w], // transposed along the other diagonal
    [0, -1, 1, 0, 0, w], // a quarter to the left
  ][orientation - 2];
  pen.setTransform(...matrix);
  pen.drawImage(bitmap, 0, 0);
  bitmap.close();
  return canvas.transferToImageBitmap();
}

/** Pixels of a Netpbm file (P5, P6), the format of pictures from arrays; null for other files. */
function netpbm(bytes) {
  const start = String.fromCharCode(...bytes.subarray(0, 40));
  const header = /^P([56])\s(\d{1,9})\s(\d{1,9})\s255\s/.exec(start);
  if (!header) return null;
  const [width, height] = [Number(header[2]), Number(header[3])];
  refuseLarge(width, height);
  const channels = header[1] === "5" ? 1 : 3;
  const pixels = bytes.subarray(header[0].length);
  if (width < 1 || height < 1) {
    throw new PictureProblem("undecodable", "The picture has no pixels.");
  }
  if (pixels.length < width * height * channels) {
    throw new PictureProblem("cut_off", "The file is cut off: part of the picture is missing.");
  }
  const rgba = new Uint8ClampedArray(width * height * 4);
  for (let from = 0, to = 0; to < rgba.length; from += channels, to += 4) {
    for (let color = 0; color < 3; color++) rgba[to + color] = pixels[from + (color % channels)];
    rgba[to + 3] = 255;
  }
  return new ImageData(rgba, width, height);
}

/** Gives parts of a picture on white, as RGBA. */
function reader(bitmap) {
  let canvas = null;
  let pen = null;
  return (x, y, width, height) => {
    if (!canvas || canvas.width !== width || canvas.height !== height) {
      canvas = new OffscreenCanvas(width, height);
      pen = canvas.getContext("2d", { willReadFrequently: true });
      if (!pen) throw new PictureProblem("unreadable", "Not enough memory to decode it now.");
    }
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, width, height);
    pen.drawImage(bitmap, -x, -y);
    return pen.getImageData(0, 0, width, height).data;
  };
}

/**
 * The square that the network sees.
 *
 * @param {ImageBitmap} bitmap A decoded picture.
 * @param {{size: number, fit: string}} model What the network takes.
 * @returns {Uint8Array} RGB, `[size, size, 3]`.
 */
export function square(bitmap, { size, fit }) {
  return resize(reader(bitmap), bitmap.width, bitmap.height, size, fit, STRIP);
}

/**
 * Whether a canvas returns the pixels that were drawn on it. Some browsers change them a little, or
 * return something else, to protect against fingerprinting.
 *
 * @returns {"true"|"noisy"|"hidden"} `hidden` if no prediction would be of use.
 */
export function canvasReads() {
  const side = 16;
  const drawn = new ImageData(side, side);
  for (let i = 0; i < drawn.data.length; i++) {
    drawn.data[i] = i % 4 === 3 ? 255 : (i * 73 + (i >> 5) * 11) % 256;
  }
  const pen = new OffscreenCanvas(side, side).getContext("2d", { willReadFrequently: true });
  pen.putImageData(drawn, 0, 0);
  const read = pen.getImageData(0, 0, side, side).data;
  const apart = read.reduce((most, value, i) => Math.max(most, Math.abs(value - drawn.data[i])), 0);
  if (apart === 0) return "true";
  return apart <= NOISE ? "noisy" : "hidden";
}
