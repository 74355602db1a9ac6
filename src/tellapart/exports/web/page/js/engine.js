// The network as the page sees it: `await Engine.load()`, then `await engine.classify(file)`. The
// check by `tellapart export` uses this module, too.

import { PictureProblem } from "./header.js";

export class Engine {
  #worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  #waiting = new Map();
  #last = 0;

  /**
   * @param {object} model What model.json holds.
   */
  constructor(model) {
    this.model = model;
    this.canvas = "true";
    this.#worker.addEventListener("message", ({ data }) => {
      const { resolve, reject } = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if (data.error) reject(new PictureProblem(data.error.code, data.error.message));
      else resolve(data.result);
    });
    this.#worker.addEventListener("error", (event) => {
      const why = event.message || "this browser does not run it";
      for (const { reject } of this.#waiting.values()) reject(new Error(`The network failed: ${why}`));
      this.#waiting.clear();
    });
  }

  /**
   * Load the network next to the page.
   *
   * @returns {Promise<Engine>} Ready to classify; `canvas` is the result of `canvasReads`.
   * @throws {Error} If a file of the folder is missing or damaged, or the browser too old.
   */
  static async load() {
    const answer = await fetch(new URL("../model.json", import.meta.url));
    if (!answer.ok) throw new Error(`model.json cannot be loaded (${answer.status})`);
    const engine = new Engine(await answer.json());
    engine.canvas = (await engine.#ask({ begin: engine.model })).canvas;
    return engine;
  }

  /**
   * Classify one picture.
   *
   * @param {Blob} file A picture's file.
   * @param {{pixels?: boolean, preview?: number}} options Whether to return the square that
   *   the network saw, and the longer side of a picture to show, in pixels at most.
   * @returns {Promise<{probabilities: number[], map: {height: number, width: number,
   *   values: Float32Array}|null, milliseconds: number, pixels: Uint8Array|null, width: number,
   *   height: number, picture: ImageBitmap|null}>} Probabilities in the order of the model's
   *   classes; `map` is `logit_map`, `[height, width, classes]`; `milliseconds` of the network.
   * @throws {PictureProblem} If the picture cannot be decoded.
   */
  classify(file, { pixels = false, preview = 0 } = {}) {
    return this.#ask({ file, pixels, preview });
  }

  #ask(message) {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ ...message, id });
    });
  }
}
