"""Charts of a measured model and of a folder as inline SVG: pure functions of plain numbers.

Colors are CSS classes of the page, so a chart follows light, dark and print.
``interval_strip`` is as wide as the page and keeps the size of its letters; the others are at
most as wide as a phone. Every chart has a label that says in words what it shows; the page
gives the numbers beside it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.core import text
from tellapart.reports.plot import Axis, Plot, decade_axis, line, number_axis, share_axis
from tellapart.reports.svg import Svg, chart, element


def interval_strip(accuracy: float, low: float, high: float, guess: float) -> Svg:
    """Accuracy with its interval on a line from 0 to 100 %, and where guessing stands."""
    label = (
        f"Accuracy {text.percent(accuracy)} on a line from 0 to 100 %; 95 % interval "
        f"{text.interval(low, high)}; guessing gets {text.percent(guess)}."
    )

    def at(share: float) -> str:
        return f"{100 * min(max(share, 0.0), 1.0):.2f}%"

    width = f"{100 * max(high - low, 0.004):.2f}%"
    # The words under the line stand on the side where there is room for them.
    anchor = "start" if guess < 0.18 else "end" if guess > 0.82 else "middle"
    parts = [
        element("rect", x=0, y=15, width="100%", height=6, rx=3, class_="rail"),
        element("rect", x=0, y=15, width=at(accuracy), height=6, rx=3, class_="reach"),
        element("line", x1=at(guess), x2=at(guess), y1=8, y2=28, class_="mark-quiet"),
        element("rect", x=at(low), y=6, width=width, height=24, rx=3, class_="band"),
        element("line", x1=at(accuracy), x2=at(accuracy), y1=2, y2=34, class_="mark"),
        element(
            "text",
            f"guessing {text.percent(guess)}",
            x=at(guess),
            y=50,
            text_anchor=anchor,
            class_="tick",
        ),
    ]
    if guess > 0.22:
        parts.append(element("text", "0", x="0%", y=50, text_anchor="start", class_="tick"))
    if guess < 0.75:
        parts.append(element("text", "100 %", x="100%", y=50, text_anchor="end", class_="tick"))
    return element(
        "svg", *parts, width="100%", height=56, role="img", aria_label=label, class_="strip"
    )


def reliability(
    bins: Sequence[Mapping[str, Any]],
    confidences: Sequence[float] | NDArray[np.floating[Any]] = (),
) -> Svg:
    """How often the model is right against how sure it says it is.

    Both axes begin at the same round share, so that the dashed line of a model that is as
    sure as it is right stays the diagonal.

    Args:
        bins: ``{n, confidence, accuracy}`` each and, for the whiskers, ``ci95``; shares of 1;
            none may be empty.
        confidences: How sure the model is of each picture, shares of 1; counted below.
    """
    sure = finite(confidences)
    lowest = min((min(float(one["confidence"]), *_interval(one)) for one in bins), default=0.0)
    start = math.floor(min(lowest, float(sure.min()) if sure.size else 1.0, 0.5) * 10) / 10
    across = share_axis("how sure it is", start)
    plot = Plot(across, share_axis("how often it is right", start), top=12, width=270, height=270,
                inset=0)  # fmt: skip
    parts = [plot.whisker(one["confidence"], *_interval(one), "whisker") for one in bins]
    runs = plot.points((float(one["confidence"]), float(one["accuracy"])) for one in bins)
    ideal = element("line", x1=plot.left, y1=plot.bottom, x2=plot.right, y2=plot.top,
                    class_="ideal")  # fmt: skip
    parts = [ideal, *parts, *line(runs, dots=True)]
    below = plot
    if sure.size:
        counts, _ = np.histogram(sure, bins=20, range=(start, 1.0))
        below = Plot(across, _count_axis(counts), top=plot.bottom + 22, width=270, height=54,
                     inset=0)  # fmt: skip
        plot = replace(plot, across=replace(across, name="", marks=()))
        parts = [*plot.axes(), *parts, *below.bars(counts.tolist())]
    said = "; ".join(
        f"says {text.percent(float(one['confidence']), 0)}, right "
        f"{text.percent(float(one['accuracy']), 0)} of {one['n']}"
        for one in bins
    )
    label = f"Reliability chart. How sure it says it is, and how often it is right: {said}."
    return below.chart(label, parts, right=24)


def _interval(one: Mapping[str, Any]) -> tuple[float, float]:
    low, high = one.get("ci95") or (one["accuracy"], one["accuracy"])
    return float(low), float(high)


def _count_axis(counts: NDArray[np.int_]) -> Axis:
    most = max(int(counts.max()), 1)
    return Axis("pictures", 0, most, [(0, "0"), (most, f"{most:,}")])


def regularization_curve(table: Sequence[Mapping[str, Any]], chosen: float) -> Svg:
    """Cross-validated log loss against the probe's C (logarithmic), the chosen one marked.

    Args:
        table: ``{C, log_loss}`` each.
        chosen: The C that was chosen.
    """
    pairs = sorted((float(one["C"]), float(one["log_loss"])) for one in table)
    losses = [loss for _, loss in pairs]
    pad = max((max(losses) - min(losses)) * 0.12, 1e-6)
    up = number_axis("log loss", max(min(losses) - pad, 0.0), max(losses) + pad, "{:.3g}".format)
    across = decade_axis("C (small: strong regularization)", [c for c, _ in pairs])
    plot = Plot(across, up, top=12, width=264, height=130)
    runs = plot.points((math.log10(c), loss) for c, loss in pairs)
    parts = line(runs, dots=True)
    for (c, _), (x, y) in zip(pairs, runs[0], strict=True):
        if math.isclose(c, chosen, rel_tol=1e-6):
            parts.append(element("circle", cx=x, cy=y, r=8.5, class_="ring"))
    best = min(pairs, key=lambda pair: pair[1])
    label = (
        f"Cross-validated log loss for {len(pairs)} strengths of regularization; "
        f"lowest {best[1]:.3g} at C = {best[0]:g}; chosen C = {chosen:g}."
    )
    return plot.chart(label, parts)


def histogram(
    values: Sequence[float | None] | NDArray[np.generic],
    *,
    title: str,
    unit: str,
    low: float | None = None,
    high: float | None = None,
    bins: int = 30,
) -> Svg:
    """Counts of values in equal bins; a long right tail is gathered in the last one."""
    numbers = finite(values)
    if not numbers.size:
        return Svg("")
    start = float(numbers.min()) if low is None else low
    end = float(numbers.max()) if high is None else high
    tail = float(np.quantile(numbers, 0.99))
    gathered = high is None and tail > start and end > start + 1.6 * (tail - start)
    if gathered:
        end = start + 1.05 * (tail - start)
    if end <= start:
        start, end = start - 0.5, start + 0.5
    counts, _ = np.histogram(np.clip(numbers, start, end), bins=bins, range=(start, end))
    across = number_axis("", start, end, "{:,.0f}".format if end - start >= 5 else "{:g}".format)
    if gathered and across.marks:
        at, written = across.marks[-1]
        across = replace(across, marks=[*across.marks[:-1], (at, f"{written} +")])
    plot = Plot(across, _count_axis(counts), top=8, width=272, height=92, inset=0)
    middle = float(np.median(numbers))
    label = (
        f"{title}: histogram of {numbers.size:,} pictures, {numbers.min():,.6g} to "
        f"{numbers.max():,.6g} {unit}, median {middle:,.4g}."
    )
    return plot.chart(label, plot.bars(counts.tolist()), right=20)


def finite(values: Sequence[float | None] | NDArray[np.generic]) -> NDArray[np.float64]:
    """The values that are numbers, float64 ``[m]``; None and NaN are passed over."""
    numbers = np.asarray(
        [math.nan if one is None else one for one in values]
        if not isinstance(values, np.ndarray)
        else values,
        dtype=np.float64,
    )
    return numbers[np.isfinite(numbers)]


def matrix_map(shares: NDArray[np.float64], *, label: str) -> Svg:
    """A large confusion matrix as a map: one square a cell, stronger where its row's share is.

    Squares of one strength are one path, so that a hundred classes stay small.

    Args:
        shares: float64 ``[B, B]``, each row's cells as shares of 1.
        label: What it shows, in words.
    """
    count = shares.shape[0]
    scale = max(1, 480 // max(count, 1))
    parts: list[str] = [
        element("rect", x=0, y=0, width=count * scale, height=count * scale, class_="plot")
    ]
    # The square root lets single mistakes be seen beside a full diagonal.
    strength = np.ceil(np.sqrt(np.clip(shares, 0.0, 1.0)) * 6).astype(int)
    for level in range(1, 7):
        for right in (False, True):
            rows, columns = np.nonzero((strength == level) & (np.eye(count, dtype=bool) == right))
            if rows.size:
                path = "".join(
                    f"M{c * scale} {r * scale}h{scale}v{scale}h-{scale}z"
                    for r, c in zip(rows.tolist(), columns.tolist(), strict=True)
                )
                opacity = f"{0.1 + 0.9 * level / 6:.2f}"
                kind = "cell-right" if right else "cell-wrong"
                parts.append(element("path", d=path, class_=kind, fill_opacity=opacity))
    return chart(count * scale, count * scale, label, *parts)
