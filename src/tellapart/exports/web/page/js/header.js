// Reads a picture's header before a browser decodes it: size, color profile, and whether a browser
// would decode it differently from Python.
//
// Files come from anywhere: every read is within the bytes, and every loop moves forward.

export const MAX_PIXELS = 100_000_000; // as images.MAX_PIXELS
const MAX_SCANS = 200; // as images.MAX_SCANS
const HEAD = 1024 * 1024; // bytes of an AVIF that are searched for its properties
const MAX_PROFILE = 4 * 1024 * 1024; // as colors.py

/** A picture that is refused: `code` is tellapart's, `message` is for people. */
export class PictureProblem extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

const text = (bytes, at, length) => String.fromCharCode(...bytes.subarray(at, at + length));
const view = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const cutOff = () =>
  new PictureProblem("cut_off", "The file is cut off: part of the picture is missing.");

/**
 * Read a file's header.
 *
 * @param {Uint8Array} bytes The whole file.
 * @returns {{format: string, width: number, height: number, gray: boolean, deep: boolean,
 *   profile: Uint8Array|null, packed: boolean, exif: {at: number, length: number}|null}} Sizes are
 *   0 if only the decoder knows them; `packed` means that the profile is compressed; `exif` is
 *   the position of a WebP's EXIF chunk, name and length included.
 * @throws {PictureProblem} If it is empty, not a picture, cut off, too large, or made to be slow to decode.
 */
export function readHeader(bytes) {
  if (bytes.length === 0) throw new PictureProblem("empty", "The file is empty.");
  const found = {
    width: 0, height: 0, gray: false, deep: false, profile: null, packed: false, exif: null,
  };
  const format = formatOf(bytes);
  const readers = { JPEG: jpeg, PNG: png, GIF: gif, BMP: bmp, WebP: webp, AVIF: boxes, HEIC: boxes };
  try {
    readers[format]?.(bytes, found);
  } catch (error) {
    if (error instanceof RangeError) throw cutOff(); // read past the end
    throw error;
  }
  refuseLarge(found.width, found.height);
  return { format, ...found };
}

/** @throws {PictureProblem} If a picture has too many pixels to be decoded. */
export function refuseLarge(width, height) {
  if (width * height <= MAX_PIXELS) return;
  const claim = `${width.toLocaleString("en")} x ${height.toLocaleString("en")}`;
  throw new PictureProblem(
    "too_large",
    `A picture that claims ${claim} has more than ${MAX_PIXELS / 1e6} million pixels.`,
  );
}

function formatOf(bytes) {
  const start = text(bytes, 0, 12);
  if (start.startsWith("\xff\xd8\xff")) return "JPEG";
  if (start.startsWith("\x89PNG\r\n\x1a\n")) return "PNG";
  if (start.startsWith("GIF8")) return "GIF";
  if (start.startsWith("BM")) return "BMP";
  if (start.startsWith("RIFF") && start.slice(8) === "WEBP") return "WebP";
  if (start.startsWith("II*\0") || start.startsWith("MM\0*")) return "TIFF";
  if (start.slice(4, 8) === "ftyp") {
    const brand = start.slice(8, 12);
    if (brand === "avif" || brand === "avis") return "AVIF";
    if (/^(hei[cxms]|hev[cx]|mif1|msf1)$/.test(brand)) return "HEIC";
  }
  throw new PictureProblem("not_a_picture", "The content is not a picture in a known format.");
}

function jpeg(bytes, found) {
  const data = view(bytes);
  const profile = [];
  let at = 2;
  for (;;) {
    if (data.getUint8(at) !== 0xff) {
      throw new PictureProblem("undecodable", "The picture cannot be decoded.");
    }
    const marker = data.getUint8(at + 1);
    if (marker === 0xff || marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
      at += marker === 0xff ? 1 : 2; // fill bytes, and markers without a length
      continue;
    }
    if (marker === 0xd9) throw cutOff(); // an end before any pixels
    const length = data.getUint16(at + 2);
    if (marker === 0xda) break;
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      found.deep = data.getUint8(at + 4) > 8;
      found.height = data.getUint16(at + 5);
      found.width = data.getUint16(at + 7);
      found.gray = data.getUint8(at + 9) === 1;
    } else if (marker === 0xe2 && text(bytes, at + 4, 12) === "ICC_PROFILE\0") {
      profile.push({ order: data.getUint8(at + 16), part: bytes.subarray(at + 18, at + 2 + length) });
    }
    at += 2 + length;
  }
  let scans = 0;
  let end = false;
  for (let place = at; place >= 0 && !end; place = bytes.indexOf(0xff, place + 1)) {
    if (bytes[place + 1] === 0xda) scans++;
    end = bytes[place + 1] === 0xd9; // what follows, such as a film, is no part of the picture
  }
  if (scans > MAX_SCANS) {
    throw new PictureProblem("undecodable", "This JPEG has far too many scans.");
  }
  if (!end) throw cutOff();
  if (profile.length) found.profile = joined(profile.sort((a, b) => a.order - b.order));
}

function joined(parts) {
  const whole = new Uint8Array(parts.reduce((sum, { part }) => sum + part.length, 0));
  let at = 0;
  for (const { part } of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function png(bytes, found) {
  const data = view(bytes);
  found.width = data.getUint32(16);
  found.height = data.getUint32(20);
  found.deep = data.getUint8(24) === 16;
  found.gray = [0, 4].includes(data.getUint8(25));
  for (let at = 8; ; ) {
    const length = data.getUint32(at);
    const name = text(bytes, at + 4, 4);
    if (name === "IEND") return;
    if (name === "iCCP") {
      const end = bytes.indexOf(0, at + 8); // of the profile's name; a byte for the method follows
      found.profile = bytes.subarray(end + 2, at + 8 + length);
      found.packed = true;
    }
    at += 12 + length;
    if (at > bytes.length) throw cutOff();
  }
}

function gif(bytes, found) {
  found.width = view(bytes).getUint16(6, true);
  found.height = view(bytes).getUint16(8, true);
}

function bmp(bytes, found) {
  const data = view(bytes);
  const old = data.getUint32(14, true) === 12; // OS/2's header has sides of 16 bits
  found.width = old ? data.getUint16(18, true) : Math.abs(data.getInt32(18, true));
  found.height = old ? data.getUint16(20, true) : Math.abs(data.getInt32(22, true));
}

function webp(bytes, found) {
  const data = view(bytes);
  if (data.getUint32(4, true) + 8 > bytes.length) throw cutOff();
  for (let at = 12; at + 8 <= bytes.length; ) {
    const name = text(bytes, at, 4);
    const length = data.getUint32(at + 4, true);
    if (name === "VP8X") {
      found.width = 1 + (data.getUint32(at + 12, true) & 0xffffff);
      found.height = 1 + (data.getUint32(at + 14, true) >>> 8);
    } else if (name === "ICCP") {
      found.profile = bytes.subarray(at + 8, at + 8 + length);
    } else if (name === "EXIF") {
      found.exif = { at, length: length + 8 };
    } else if (name === "VP8 " && !found.width) {
      found.width = data.getUint16(at + 14, true) & 0x3fff;
      found.height = data.getUint16(at + 16, true) & 0x3fff;
    } else if (name === "VP8L" && !found.width) {
      const sides = data.getUint32(at + 9, true);
      found.width = 1 + (sides & 0x3fff);
      found.height = 1 + ((sides >>> 14) & 0x3fff);
    }
    at += 8 + length + (length & 1);
  }
}

/** AVIF and HEIC: only the boxes that contain a size or a color profile. */
function boxes(bytes, found) {
  const data = view(bytes);
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, HEAD));
  for (let at = head.indexOf("ispe"); at >= 0; at = head.indexOf("ispe", at + 4)) {
    const [width, height] = [data.getUint32(at + 8), data.getUint32(at + 12)];
    if (width * height > found.width * found.height) Object.assign(found, { width, height });
  }
  const at = head.indexOf("colrprof");
  if (at >= 4) found.profile = bytes.subarray(at + 8, at - 4 + data.getUint32(at - 4));
}

/**
 * The orientation in an EXIF block, 1 to 8; 1 if it cannot be read.
 *
 * @param {Uint8Array} bytes A TIFF header and what follows, with or without "Exif" before it.
 */
export function orientationOf(bytes) {
  try {
    const block = text(bytes, 0, 4) === "Exif" ? bytes.subarray(6) : bytes;
    const data = view(block);
    const little = data.getUint16(0) === 0x4949;
    const start = data.getUint32(4, little);
    for (let i = data.getUint16(start, little) - 1; i >= 0; i--) {
      const at = start + 2 + i * 12;
      if (data.getUint16(at, little) !== 0x0112) continue;
      const value = data.getUint16(at + 8, little);
      return value >= 1 && value <= 8 ? value : 1;
    }
  } catch {
    // as in Python: a picture with broken EXIF may be fine
  }
  return 1;
}

/**
 * Whether the picture's own color profile is applied, as in `tellapart.images.color.needs_profile`.
 * Profiles of gray pictures describe a tone curve; both ignore them.
 *
 * @param {ReturnType<typeof readHeader>} header A picture's header.
 */
export async function needsProfile(header) {
  if (!header.profile || header.gray) return false;
  const profile = header.packed ? await inflated(header.profile) : header.profile;
  if (!profile || profile.length === 0 || profile.length > MAX_PROFILE) return false;
  return !isSrgb(profile);
}

const SRGB = { rXYZ: [0.4361, 0.2225, 0.0139], gXYZ: [0.3851, 0.7169, 0.0971], bXYZ: [0.1431, 0.0606, 0.7141] };

/** Whether a profile has the primaries of sRGB: its name says nothing. Format: ICC.1:2022, 7.3. */
function isSrgb(profile) {
  const data = view(profile);
  let alike = 0;
  try {
    const count = Math.min(data.getUint32(128), 200);
    for (let tag = 0; tag < count; tag++) {
      const wanted = SRGB[text(profile, 132 + 12 * tag, 4)];
      const at = data.getUint32(136 + 12 * tag) + 8;
      if (wanted?.every((one, i) => Math.abs(data.getInt32(at + 4 * i) / 65536 - one) < 0.003)) alike++;
    }
  } catch {
    return true; // a broken profile is none
  }
  return alike === 3;
}

/** A zlib stream, unpacked to at most one byte more than a profile may have; null if broken. */
async function inflated(packed) {
  const parts = [];
  let length = 0;
  try {
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    const reader = stream.getReader();
    while (length <= MAX_PROFILE) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push({ part: value });
      length += value.length;
    }
    await reader.cancel();
  } catch {
    return null;
  }
  return joined(parts);
}
