// Lets the exported page's own modules classify pictures, and sends each prediction to the process
// that serves both; it answers with the next picture. Never part of an export; see server.py.

import { Engine } from "/js/engine.js";

const state = document.getElementById("state");

/** Send an object and the pixels that belong to it; gives the next picture, or null at the end. */
async function next(what, pixels = "") {
  const answer = await fetch("next", { method: "POST", body: new Blob([JSON.stringify(what), "\n", pixels]) });
  if (!answer.ok) throw new Error(`next: ${answer.status}`);
  return answer.status === 204 ? null : answer.blob();
}

async function check() {
  const engine = await Engine.load();
  let file = await next({ started: navigator.userAgent, exact: engine.canvas === "true" });
  for (let count = 1; file; count++) {
    state.textContent = `Picture ${count}`;
    let answer;
    let square = "";
    try {
      const { probabilities, pixels } = await engine.classify(file, { pixels: true });
      answer = { probabilities };
      square = pixels;
    } catch (error) {
      answer = { code: error.code ?? "failed", message: error.message };
    }
    file = await next(answer, square);
  }
  state.textContent = "Done. You can close this tab.";
}

try {
  await check();
} catch (error) {
  state.textContent = `Failed: ${error.message}`;
  await next({ failed: `${error.name}: ${error.message}` });
}
