// What the network says, as a heading and bars. Class names are text, never markup.

const SHOWN = 8; // bars before the rest is folded away

/** A probability as the reports write it: never 0 or 100 %, since no model is certain. */
export function certainty(probability) {
  if (probability > 0.999) return "over 99.9\u00a0%";
  if (probability < 0.001) return "under 0.1\u00a0%";
  return `${(100 * probability).toFixed(1)}\u00a0%`;
}

function made(kind, className, text = "") {
  const node = document.createElement(kind);
  node.className = className;
  node.textContent = text;
  return node;
}

function row(label, share, chosen, choose) {
  const item = document.createElement("li");
  const line = made(choose ? "button" : "div", "line");
  if (choose) {
    line.type = "button";
    line.setAttribute("aria-pressed", String(chosen));
    line.title = "Show the evidence for this class";
    line.addEventListener("click", choose);
  }
  const rail = made("span", "rail-bar");
  rail.setAttribute("aria-hidden", "true");
  const fill = made("span", "fill");
  fill.style.width = `${share * 100}%`;
  rail.append(fill);
  line.append(made("bdi", "class", label), made("span", "share", certainty(share)), rail);
  item.append(line);
  return item;
}

/**
 * Show an answer.
 *
 * @param {HTMLElement} place What is filled; what it held is gone.
 * @param {object} answer
 * @param {string[]} answer.labels The classes' names, as people read them.
 * @param {number[]} answer.probabilities One a class.
 * @param {number|null} answer.target The class whose evidence is shown; null where none is.
 * @param {((target: number) => void)|null} answer.choose Is told which class is chosen; null where
 *   there is no evidence to show.
 * @param {string} answer.note A line below.
 */
export function showAnswer(place, { labels, probabilities, target, choose, note }) {
  const order = probabilities.map((_, i) => i).sort((a, b) => probabilities[b] - probabilities[a]);
  const best = order[0];
  const heading = made("h2", "best");
  heading.append(made("bdi", "", labels[best]));
  heading.title = labels[best]; // of a long name, only the first lines are shown
  const lines = order.map((i) =>
    row(labels[i], probabilities[i], i === target, choose && (() => choose(i))),
  );
  const first = made("ol", "answers");
  first.append(...lines.slice(0, SHOWN));
  place.replaceChildren(
    made("p", "eyebrow", "Most probable"),
    heading,
    made("p", "sure", certainty(probabilities[best])),
    first,
  );
  if (lines.length > SHOWN) {
    const more = document.createElement("details");
    const rest = made("ol", "answers");
    rest.start = SHOWN + 1;
    rest.append(...lines.slice(SHOWN));
    const left = lines.length - SHOWN;
    more.append(made("summary", "", left === 1 ? "1 more class" : `${left} more classes`), rest);
    more.open = order.indexOf(target) >= SHOWN;
    place.append(more);
  }
  place.append(made("p", "quiet small", note));
}

/** Say in the answer's place that a picture could not be classified. */
export function showProblem(place, name, message) {
  const heading = made("h2", "problem", "This picture could not be read");
  const which = made("p", "path");
  which.append(made("bdi", "", name));
  place.replaceChildren(heading, made("p", "", message), which);
}
