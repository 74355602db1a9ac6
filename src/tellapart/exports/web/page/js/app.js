// The page: takes pictures by drop, paste, file or camera, and shows predictions and heat maps.

import { certainty, showAnswer, showProblem } from "./answer.js";
import { Camera, hasCamera } from "./camera.js";
import { Engine } from "./engine.js";
import { keep } from "./offline.js";
import { showPicture, thumbnail } from "./stage.js";

const AT_ONCE = 24; // pictures taken from one drop
const KEPT = 12; // pictures in the history
const SIDE = 1024; // longer side of a picture on the page, in pixels

const the = (id) => document.getElementById(id);
const pictures = []; // newest first: {name, result | problem, target}
let current = null;
let engine = null;
let standing = ""; // a notice for all pictures

// ---------------------------------------------------------------- showing

const labels = () => engine.model.labels;
const best = ({ probabilities }) => probabilities.indexOf(Math.max(...probabilities));
const say = (sentence) => (the("status").textContent = sentence);

function show(one) {
  current = one;
  const { result } = one;
  the("invite").hidden = Boolean(result);
  the("picture").hidden = !result;
  the("heat-switch").hidden = !result?.map;
  if (result) {
    draw();
    the("picture").setAttribute("aria-label", `${one.name}: ${labels()[best(result)]}`);
  } else {
    the("legend").hidden = true;
    showProblem(the("answer"), one.name, one.problem);
  }
  list();
}

/** Draw the current picture and its bars. */
function draw() {
  const { result, target } = current;
  const heat = the("heat").checked && Boolean(result.map);
  const { fit } = engine.model;
  const map = heat ? result.map : null;
  showPicture(the("picture"), { picture: result.picture, fit, map, classes: labels().length, target });
  the("legend").hidden = !heat;
  the("heat-class").textContent = labels()[target];
  const time = result.milliseconds < 1000
    ? `${Math.round(result.milliseconds)}\u00a0ms`
    : `${(result.milliseconds / 1000).toFixed(1)}\u00a0s`;
  const size = `${result.width.toLocaleString("en")} × ${result.height.toLocaleString("en")}`;
  showAnswer(the("answer"), {
    labels: labels(),
    probabilities: result.probabilities,
    target: heat ? target : null,
    choose: result.map && explainClass,
    note: `${current.name} · ${size} · classified in ${time} in this browser`,
  });
}

/** Show the evidence for a class over the picture. */
function explainClass(target) {
  current.target = target;
  the("heat").checked = true;
  draw();
  the("answer").querySelector("[aria-pressed=true]")?.focus();
  say(`Heat map. Orange: evidence for ${labels()[target]}. Blue: evidence against.`);
}

/** Show the history, as buttons. */
function list() {
  the("recent").hidden = pictures.length < 2;
  the("shots").replaceChildren(
    ...pictures.map((one) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.title = one.name;
      if (one === current) button.setAttribute("aria-current", "true");
      button.addEventListener("click", () => {
        show(one);
        the("shots").querySelector("[aria-current]").focus();
      });
      const label = document.createElement("bdi");
      const share = document.createElement("span");
      share.className = "share";
      label.textContent = one.result ? labels()[best(one.result)] : "unreadable";
      share.textContent = one.result ? certainty(Math.max(...one.result.probabilities)) : one.name;
      button.append(one.thumbnail, label, share);
      item.append(button);
      return item;
    }),
  );
}

function missing() {
  const mark = document.createElement("span");
  mark.className = "none";
  mark.setAttribute("aria-hidden", "true");
  mark.textContent = "!";
  return mark;
}

// ---------------------------------------------------------------- pictures coming in

async function classify(file, name) {
  const one = { name, target: 0 };
  try {
    one.result = await engine.classify(file, { preview: SIDE });
    one.target = best(one.result);
    one.thumbnail = thumbnail(one.result.picture);
    say(`${name}: ${labels()[one.target]}, ${certainty(one.result.probabilities[one.target])}`);
  } catch (error) {
    one.problem = error.message;
    one.thumbnail = missing();
    say(`${name}: could not be read. ${error.message}`);
  }
  pictures.unshift(one);
  for (const old of pictures.splice(KEPT)) old.result?.picture.close();
  show(one);
  reveal();
}

/** On a phone the prediction is below the picture: scroll both into view if it cannot be seen. */
function reveal() {
  const { top } = the("answer").getBoundingClientRect();
  if (top > window.innerHeight * 0.75) the("stage").scrollIntoView();
}

async function take(files) {
  if (!engine) return note("The network is still loading. Try again in a moment.");
  const some = [...files].slice(0, AT_ONCE);
  const left = files.length - some.length;
  note(left > 0 ? `Only the first ${AT_ONCE} of ${files.length} pictures were classified. For many, 'tellapart predict' is faster.` : "");
  for (const [i, file] of some.entries()) {
    say(some.length > 1 ? `Classifying ${i + 1} of ${some.length}` : "Classifying");
    the("stage").setAttribute("aria-busy", "true");
    await classify(file, file.name || "pasted picture");
  }
  the("stage").removeAttribute("aria-busy");
}

/** Show a notice below the picture; without a sentence, the one for all pictures. */
function note(sentence) {
  const shown = sentence || standing;
  the("notice").textContent = shown;
  the("notice").hidden = shown === "";
}

/** Drop and paste work anywhere on the page. */
function listen() {
  const stage = the("stage");
  let depth = 0;
  const over = (change) => {
    depth = Math.max(0, change === 0 ? 0 : depth + change);
    stage.classList.toggle("over", depth > 0);
  };
  document.addEventListener("dragenter", () => over(1));
  document.addEventListener("dragleave", () => over(-1));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    over(0);
    const { files } = event.dataTransfer;
    if (files.length) take(files);
    else note("That was not a file. Save the picture first, or copy and paste it.");
  });
  document.addEventListener("paste", (event) => {
    const files = event.clipboardData?.files;
    if (files?.length) take(files);
  });
  for (const place of ["choose", "invite"]) {
    the(place).addEventListener("click", () => engine && the("file").click());
  }
  the("file").addEventListener("change", ({ target }) => {
    take([...target.files]);
    target.value = ""; // so that the same file can be chosen again
  });
  the("heat").addEventListener("change", () => current?.result && draw());
  if (hasCamera()) {
    const camera = new Camera(the("camera"), (file) => {
      const time = new Date().toLocaleTimeString("en", { timeStyle: "medium" });
      take([new File([file], `camera, ${time}`, { type: file.type })]);
    });
    the("open-camera").hidden = false;
    the("open-camera").addEventListener("click", () => camera.open());
  }
}

// ---------------------------------------------------------------- the start

function ready() {
  const heading = document.createElement("h2");
  heading.textContent = "Ready";
  const about = document.createElement("p");
  about.className = "quiet";
  about.textContent = "Choose a picture to see which of these classes fits it best:";
  const classes = document.createElement("ul");
  classes.className = "classes";
  for (const label of labels().slice(0, 40)) {
    const item = document.createElement("li");
    const name = document.createElement("bdi");
    name.textContent = label;
    item.append(name);
    classes.append(item);
  }
  if (labels().length > 40) {
    const item = document.createElement("li");
    item.textContent = `and ${labels().length - 40} more`;
    classes.append(item);
  }
  the("answer").replaceChildren(heading, about, classes);
  say("Ready");
}

async function start() {
  the("unserved").hidden = true;
  the("tool").hidden = false;
  const buttons = [the("choose"), the("open-camera")];
  for (const button of buttons) button.disabled = true;
  listen(); // at once: a picture that is dropped early must not replace the page
  try {
    engine = await Engine.load();
  } catch (error) {
    showProblem(the("answer"), "", `The network cannot be loaded: ${error.message}`);
    the("answer").querySelector("h2").textContent = "The page could not start";
    say(`The network cannot be loaded: ${error.message}`);
    return;
  }
  for (const button of buttons) button.disabled = false;
  if (engine.canvas === "noisy") {
    standing = "To protect your privacy, this browser changes the pixels that a page reads. Results may differ slightly from those of tellapart.";
    note("");
  }
  ready();
  keep((short, sentence) => {
    the("offline-short").textContent = short;
    the("offline").textContent = sentence;
  });
}

start();
