// Pictures in, answers out. Everything shown is set as text, never as HTML.
import { openCamera } from "./camera.js";

const options = JSON.parse(document.body.dataset.options);
const TOP = 5;
const AT_ONCE = 2;
const byId = (id) => document.getElementById(id);
const results = byId("results");
const waiting = [];
let working = 0;
let asked = 0;

// As the reports write a probability: never 0 or 100 %, since no model is certain.
function certainty(probability) {
  if (probability > 0.999) return "over 99.9\u00a0%";
  if (probability < 0.001) return "under 0.1\u00a0%";
  return `${(100 * probability).toFixed(1)}\u00a0%`;
}

function say(text) {
  byId("status").textContent = text;
}

// ---------------------------------------------------------------- asking

async function ask(path, file) {
  const form = new FormData();
  form.append("picture", file, file.name || "picture");
  for (let attempt = 0; ; attempt += 1) {
    const answer = await fetch(path, { method: "POST", body: form });
    if (answer.status === 503 && attempt < 5) {
      const seconds = Number(answer.headers.get("retry-after")) || 1;
      await new Promise((resolve) => setTimeout(resolve, 1000 * Math.min(seconds, 10)));
      continue;
    }
    const content = await answer.json().catch(() => null);
    if (!content) throw new Error(`The reply did not come from tellapart (status ${answer.status}).`);
    if (!answer.ok) throw new Error(`${content.error.message} ${content.error.remedy}`.trim());
    return content;
  }
}

function reason(error) {
  return error instanceof TypeError ? "The server cannot be reached." : error.message;
}

function add(files) {
  const pictures = [...files];
  if (!pictures.length) return;
  byId("results-head").hidden = false;
  for (const file of pictures) {
    const item = byId("answer").content.firstElementChild.cloneNode(true);
    const name = file.name || "pasted picture";
    item.querySelector(".path").textContent = name;
    const picture = item.querySelector(".picture");
    picture.alt = `The picture ${name}`;
    picture.src = URL.createObjectURL(file);
    picture.addEventListener("error", () => withoutPicture(item), { once: true });
    results.prepend(item);
    waiting.push({ file, item, name });
  }
  say(pictures.length === 1 ? `Classifying ${pictures[0].name || "a picture"}.` : `Classifying ${pictures.length} pictures.`);
  byId("results-title").focus({ preventScroll: true });
  byId("results-head").scrollIntoView({ block: "nearest" });
  next();
}

function next() {
  while (working < AT_ONCE && waiting.length) {
    working += 1;
    const one = waiting.shift();
    answer(one).finally(() => {
      working -= 1;
      next();
    });
  }
}

async function answer({ file, item, name }) {
  try {
    if (file.size > options.maxBytes) {
      throw new Error(`This file is larger than ${options.maxMegabytes}\u00a0MiB, the most the server accepts.`);
    }
    const content = await ask(`v1/predict?top=${TOP}`, file);
    const row = content.rows[0];
    if (row.error) {
      if (row.code !== "too_large") withoutPicture(item);
      throw new Error(row.error);
    }
    show(item, row, file);
    say(`${name}: ${row.label}, ${certainty(row.probability)}.`);
  } catch (error) {
    const told = reason(error);
    const label = item.querySelector(".label");
    label.textContent = told;
    label.classList.add("is-error");
    say(`${name}: ${told}`);
  }
}

// ---------------------------------------------------------------- showing

// The browser cannot show it: a broken file, or a format that only the server knows.
function withoutPicture(item) {
  const shown = item.querySelector(".shown");
  item.querySelector(".picture").hidden = true;
  shown.classList.add("is-alone");
  shown.hidden = item.querySelector(".heat").hidden;
}

function show(item, row, file) {
  const label = item.querySelector(".label");
  const name = document.createElement("bdi");
  name.textContent = row.label;
  const share = document.createElement("span");
  share.className = "share";
  share.textContent = certainty(row.probability);
  label.replaceChildren(name, share);

  const bars = item.querySelector(".answer-bars");
  for (const [title, value] of Object.entries(row.probabilities)) bars.append(bar(title, value));
  bars.hidden = false;
  if (options.heat) offerHeat(item, row.label, file);
}

function bar(title, value) {
  const line = document.createElement("li");
  line.className = "answer-bar";
  const name = document.createElement("bdi");
  name.className = "bar-name";
  name.textContent = title;
  const share = document.createElement("span");
  share.textContent = certainty(value);
  line.append(name, share, track(value));
  return line;
}

// An SVG, since its sizes are attributes: the page allows no styles of its own making.
function track(value) {
  const make = (name, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, given] of Object.entries(attributes)) element.setAttribute(key, given);
    return element;
  };
  const svg = make("svg", { class: "bar-track", "aria-hidden": "true" });
  svg.append(
    make("rect", { width: "100%", height: "10", rx: "5" }),
    make("rect", { class: "bar-fill", width: `${Math.max(100 * value, 0.6)}%`, height: "10", rx: "5" }),
  );
  return svg;
}

function offerHeat(item, label, file) {
  const button = item.querySelector(".heat-button");
  const heat = item.querySelector(".heat");
  const key = item.querySelector(".heat-key");
  item.querySelector(".small-actions").hidden = false;
  button.addEventListener("click", async () => {
    if (!heat.src) {
      button.disabled = true;
      try {
        const content = await ask("v1/explain", file);
        if (content.error) throw new Error(content.error);
        heat.src = `data:image/png;base64,${content.png}`;
        heat.alt = `Heat map. Orange: evidence for ${label}. Blue: evidence against.`;
        heat.classList.toggle("is-stretched", options.fit === "squash");
        key.replaceChildren(
          mark("key-for"), `orange: evidence for ${label}`, document.createElement("br"),
          mark("key-against"), "blue: evidence against",
        );
      } catch (error) {
        key.textContent = reason(error);
        key.hidden = false;
        say(key.textContent);
        return;
      } finally {
        button.disabled = false;
        button.focus();
      }
    }
    const shown = heat.hidden;
    heat.hidden = key.hidden = !shown;
    const frame = item.querySelector(".shown");
    if (frame.classList.contains("is-alone")) frame.hidden = !shown;
    button.textContent = shown ? "Hide" : "Show why";
    button.setAttribute("aria-expanded", String(shown));
    say(shown ? heat.alt : "The heat map is hidden.");
  });
}

function mark(kind) {
  const element = document.createElement("span");
  element.className = `key ${kind}`;
  return element;
}

// ---------------------------------------------------------------- ways in

byId("choose").addEventListener("click", () => byId("files").click());
byId("files").addEventListener("change", (event) => {
  add(event.target.files);
  event.target.value = "";
});
byId("camera").addEventListener("click", () => openCamera((file) => {
  asked += 1;
  add([new File([file], `camera ${asked}.jpg`, { type: "image/jpeg" })]);
}));
byId("clear").addEventListener("click", () => {
  waiting.length = 0;
  for (const picture of results.querySelectorAll(".picture")) URL.revokeObjectURL(picture.src);
  results.replaceChildren();
  byId("results-head").hidden = true;
  say("The results are cleared.");
  byId("choose").focus();
});

document.addEventListener("paste", (event) => {
  const files = [...event.clipboardData.files];
  if (files.length) {
    event.preventDefault();
    add(files);
  }
});

let inside = 0;
const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
addEventListener("dragenter", (event) => {
  if (!carriesFiles(event)) return;
  inside += 1;
  document.body.classList.add("is-over");
});
addEventListener("dragleave", (event) => {
  if (!carriesFiles(event)) return;
  inside = Math.max(0, inside - 1);
  if (!inside) document.body.classList.remove("is-over");
});
addEventListener("dragover", (event) => {
  if (carriesFiles(event)) event.preventDefault();
});
addEventListener("drop", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  inside = 0;
  document.body.classList.remove("is-over");
  add(event.dataTransfer.files);
});
