// The prediction for a picture, as bars with the best class first. Class names are text, never markup.

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

/** One class: its name, its probability and a bar; a button if its evidence can be shown. */
function row(label, probability, { best, chosen, choose }) {
  const item = document.createElement("li");
  const line = made(choose ? "button" : "div", best ? "line first" : "line");
  line.title = label; // of a long name, only the first lines are shown
  if (choose) {
    line.type = "button";
    line.setAttribute("aria-pressed", String(chosen));
    line.title = `Show the evidence for ${label}`;
    line.addEventListener("click", choose);
  }
  const rail = made("span", "rail-bar");
  rail.setAttribute("aria-hidden", "true");
  const fill = made("span", "fill");
  fill.style.width = `${probability * 100}%`;
  rail.append(fill);
  line.append(
    made("bdi", best ? "class best" : "class", label),
    made("span", best ? "share sure" : "share", certainty(probability)),
    rail,
  );
  item.append(line);
  return item;
}

/**
 * Show a prediction.
 *
 * @param {HTMLElement} place What is filled; its earlier content is removed.
 * @param {object} answer
 * @param {string[]} answer.labels The classes' names, as people read them.
 * @param {number[]} answer.probabilities One per class.
 * @param {number|null} answer.target The class whose evidence is shown; null if none is.
 * @param {((target: number) => void)|null} answer.choose Called with the class that is chosen; null
 *   if there is no evidence to show.
 * @param {string} answer.note A line below.
 */
export function showAnswer(place, { labels, probabilities, target, choose, note }) {
  const order = probabilities.map((_, i) => i).sort((a, b) => probabilities[b] - probabilities[a]);
  const lines = order.map((i, rank) =>
    row(labels[i], probabilities[i], {
      best: rank === 0,
      chosen: i === target,
      choose: choose && (() => choose(i)),
    }),
  );
  const shown = made("ol", "answers");
  shown.append(...lines.slice(0, SHOWN));
  place.replaceChildren(made("h2", "eyebrow", "Most probable"), shown);
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

/** Show that a picture could not be classified. */
export function showProblem(place, name, message) {
  const heading = made("h2", "problem", "This picture could not be read");
  const which = made("p", "path");
  which.append(made("bdi", "", name));
  place.replaceChildren(heading, made("p", "", message), which);
}
