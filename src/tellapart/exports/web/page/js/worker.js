// A thread for everything that takes long: decoding, resizing, and the network in ONNX Runtime Web.
// It gets `{begin: model}` once, then `{id, file, pixels}`; it answers each by its id.

import * as ort from "../vendor/ort.wasm.bundle.min.js";
import { canvasReads, decode, square } from "./decode.js";
import { PictureProblem } from "./header.js";

const INPUT = "image";
const PROBABILITIES = "probabilities";
const LOGIT_MAP = "logit_map";
const HIDDEN =
  "This browser does not let pages read the pixels of pictures, to protect your privacy " +
  "(resistFingerprinting). Allow it for this page, or use another browser.";

ort.env.wasm.numThreads = 1; // more would need headers that plain hosting does not send
ort.env.wasm.wasmPaths = {
  wasm: new URL("../vendor/ort-wasm-simd-threaded.wasm", import.meta.url).href,
};

let model = null;
let session = null;

/** Open the network, and check that it is the one that model.json describes. */
async function begin(given) {
  const answer = await fetch(new URL("../model.onnx", import.meta.url));
  if (!answer.ok) throw new Error(`model.onnx cannot be loaded (${answer.status})`);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  if (crypto.subtle) {
    // Over plain http there is no such function, and no check.
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const written = Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
    if (written !== given.sha256) {
      throw new Error("model.onnx and model.json are from two exports; upload the whole folder again");
    }
  }
  session = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
  model = given;
  return { canvas: canvasReads() };
}

/** A picture small enough to show: `bitmap` itself, or a smaller copy. */
async function shown(bitmap, side) {
  const scale = side / Math.max(bitmap.width, bitmap.height);
  if (scale >= 1) return bitmap;
  const small = await createImageBitmap(bitmap, {
    resizeWidth: Math.max(1, Math.round(bitmap.width * scale)),
    resizeHeight: Math.max(1, Math.round(bitmap.height * scale)),
    resizeQuality: "high",
  });
  bitmap.close();
  return small;
}

/** Classify one picture; see Engine.classify for the options. */
async function classify({ file, pixels, preview }) {
  if (!session) throw new Error("The network is not loaded.");
  if (canvasReads() === "hidden") throw new PictureProblem("hidden", HIDDEN); // until it is allowed
  const bitmap = await decode(file);
  const { width, height } = bitmap;
  let rgb;
  let picture = null;
  try {
    rgb = square(bitmap, model);
    if (preview) picture = await shown(bitmap, preview);
  } finally {
    if (picture !== bitmap) bitmap.close();
  }
  const started = performance.now();
  const shape = [1, model.size, model.size, 3];
  const wanted = model.has_map ? [PROBABILITIES, LOGIT_MAP] : [PROBABILITIES];
  const answers = await session.run({ [INPUT]: new ort.Tensor("uint8", rgb, shape) }, wanted);
  const map = answers[LOGIT_MAP];
  return {
    probabilities: Array.from(answers[PROBABILITIES].data),
    map: map ? { height: map.dims[1], width: map.dims[2], values: Float32Array.from(map.data) } : null,
    milliseconds: performance.now() - started,
    pixels: pixels ? rgb : null,
    width,
    height,
    picture,
  };
}

// One picture at a time, in order: two at once would need twice the memory.
let last = Promise.resolve();

self.addEventListener("message", ({ data }) => {
  last = last.then(async () => {
    try {
      const result = data.begin ? await begin(data.begin) : await classify(data);
      self.postMessage({ id: data.id, result }, result.picture ? [result.picture] : []);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      self.postMessage({ id: data.id, error: { code: error?.code ?? "failed", message } });
    }
  });
});
