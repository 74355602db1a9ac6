// Refuses files that are cut off or damaged, as Python does. Some browsers would show what is left
// of them.
//
// JPEG and WebP are checked in header.js; AVIF is checked by every browser.

import { PictureProblem } from "./header.js";

const cutOff = () =>
  new PictureProblem("cut_off", "The file is cut off: part of the picture is missing.");
const damaged = () =>
  new PictureProblem("undecodable", "The picture cannot be decoded; it may be damaged.");

const CRC = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/**
 * Check that a file contains the whole picture that its header describes.
 *
 * @param {Uint8Array} bytes The whole file.
 * @param {{format: string, width: number, height: number}} header From `readHeader`.
 * @throws {PictureProblem} If it is cut off or damaged.
 */
export function checkWhole(bytes, { format, width, height }) {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    if (format === "PNG") png(bytes, data);
    if (format === "GIF") gif(bytes, data);
    if (format === "BMP") bmp(data, width, height);
  } catch (error) {
    if (error instanceof RangeError) throw cutOff(); // read past the end
    throw error;
  }
}

/** Every chunk up to the last one with pixels must have the checksum that it states. */
function png(bytes, data) {
  let pixels = false;
  for (let at = 8; ; ) {
    const length = data.getUint32(at);
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (name === "IEND" || (pixels && name !== "IDAT")) return;
    pixels = name === "IDAT";
    let crc = -1;
    for (let i = at + 4; i < at + 8 + length; i++) crc = CRC[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
    if (~crc >>> 0 !== data.getUint32(at + 8 + length)) throw damaged();
    at += 12 + length;
  }
}

/** The first frame's data must be complete; what follows does not matter. */
function gif(bytes, data) {
  const table = (flags) => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0);
  let at = 13 + table(data.getUint8(10));
  for (;;) {
    const kind = data.getUint8(at);
    const picture = kind === 0x2c;
    if (!picture && kind !== 0x21) throw damaged(); // also the end, before any picture
    at += picture ? 11 + table(data.getUint8(at + 9)) : 2;
    while (data.getUint8(at) > 0) at += 1 + bytes[at]; // blocks of data, up to the empty one
    if (picture) return;
    at += 1;
  }
}

/** There must be a row of bytes per row of pixels; compressed ones are left to the browser. */
function bmp(data, width, height) {
  const old = data.getUint32(14, true) === 12; // OS/2's header
  const bits = data.getUint16(old ? 24 : 28, true);
  const packing = old ? 0 : data.getUint32(30, true);
  if (![0, 3, 6].includes(packing)) return;
  const line = Math.ceil((width * bits) / 32) * 4;
  if (data.getUint32(10, true) + line * height > data.byteLength) throw cutOff();
}
