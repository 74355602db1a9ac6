// Runs the exported page's own modules over pictures and hands the answers back to the process
// that serves both. Never part of an export; see asking.py, the other side of it.

import { Engine } from "/js/engine.js";

const state = document.getElementById("state");

async function post(where, body) {
  const answer = await fetch(where, { method: "POST", body });
  if (!answer.ok) throw new Error(`${where}: ${answer.status}`);
}

const tell = (what) => post("answer", JSON.stringify(what));

async function check() {
  const engine = await Engine.load();
  const { pictures } = await (await fetch("pictures.json")).json();
  await tell({ started: navigator.userAgent, exact: engine.canvas === "true" });
  for (let place = 0; place < pictures; place++) {
    state.textContent = `${place + 1} of ${pictures}`;
    const file = await (await fetch(`picture/${place}`)).blob();
    try {
      const { probabilities, pixels } = await engine.classify(file, { pixels: true });
      await post(`square/${place}`, pixels);
      await tell({ place, probabilities });
    } catch (error) {
      await tell({ place, code: error.code ?? "failed", message: error.message });
    }
  }
  state.textContent = "Done. This tab can be closed.";
}

try {
  await check();
} catch (error) {
  state.textContent = `It failed: ${error.message}`;
  await tell({ failed: `${error.name}: ${error.message}` });
}
