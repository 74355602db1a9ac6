"""Small charts as inline SVG, drawn by pure functions of plain numbers.

Colors are CSS classes of the page, so a chart follows light, dark and print. Charts that
stretch (``interval_strip``) place everything by percent and keep their letters' size; the
others are at most as wide as a phone. Every chart has a label that says in words what it
shows; the page gives the numbers beside it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.core import text
from tellapart.reports.svg import Svg, chart, element, ticks, words


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
    left, top, side, gap, bar = 44, 12, 270, 34, 54
    sure = finite(confidences)
    lowest = min((min(float(one["confidence"]), *_whisker(one)) for one in bins), default=0.0)
    start = math.floor(min(lowest, float(sure.min()) if sure.size else 1.0, 0.5) * 10) / 10

    def x(share: float) -> float:
        return left + side * (share - start) / (1 - start)

    def y(share: float) -> float:
        return top + side * (1 - share) / (1 - start)

    parts = [element("rect", x=left, y=top, width=side, height=side, class_="plot")]
    for share in ticks(start, 1.0):
        parts.append(_grid(left, left + side, y(share)))
        parts.append(words(f"{share:.0%}", left - 8, y(share) + 4, "end"))
        parts.append(words(f"{share:.0%}", x(share), top + side + 18))
    parts.append(element("line", x1=x(start), y1=y(start), x2=x(1), y2=y(1), class_="ideal"))
    points = [(x(float(one["confidence"])), y(float(one["accuracy"]))) for one in bins]
    for one, (px, _) in zip(bins, points, strict=True):
        low, high = _whisker(one)
        parts.append(element("line", x1=px, x2=px, y1=y(high), y2=y(low), class_="whisker"))
    if len(points) > 1:
        path = "M" + "L".join(f"{px:.1f} {py:.1f}" for px, py in points)
        parts.append(element("path", d=path, class_="line"))
    for px, py in points:
        parts.append(element("circle", cx=px, cy=py, r=4, class_="dot"))
    bottom = top + side + 24
    if sure.size:
        bottom = top + side + gap + bar
        counts, edges = np.histogram(sure, bins=20, range=(start, 1.0))
        most = int(counts.max())
        for count, low in zip(counts.tolist(), edges.tolist(), strict=False):
            if count:
                tall = max(bar * count / most, 1.5)
                parts.append(_bar(x(low) + 0.75, bottom - tall, side / 20 - 1.5, tall))
        parts.append(_axis(left, left + side, bottom))
        parts.append(words(f"{most:,}", left - 8, bottom - bar + 9, "end"))
        parts.append(words("0", left - 8, bottom, "end"))
        parts.append(words("pictures", left + side / 2, bottom + 18))
    said = "; ".join(
        f"says {text.percent(float(one['confidence']), 0)}, right "
        f"{text.percent(float(one['accuracy']), 0)} of {one['n']}"
        for one in bins
    )
    label = f"Reliability chart. How sure it says it is, and how often it is right: {said}."
    return chart(left + side + 24, bottom + 26, label, *parts)


def _whisker(one: Mapping[str, Any]) -> tuple[float, float]:
    low, high = one.get("ci95") or (one["accuracy"], one["accuracy"])
    return float(low), float(high)


def _grid(start: float, end: float, height: float) -> Svg:
    return element("line", x1=start, x2=end, y1=height, y2=height, class_="grid")


def _axis(start: float, end: float, height: float) -> Svg:
    return element("line", x1=start, x2=end, y1=height, y2=height, class_="axis")


def _bar(x: float, y: float, width: float, height: float) -> Svg:
    return element("rect", x=x, y=y, width=width, height=height, rx=1.5, class_="count")


def regularization_curve(table: Sequence[Mapping[str, Any]], chosen: float) -> Svg:
    """Cross-validated log loss against the probe's C (logarithmic), the chosen one marked.

    Args:
        table: ``{C, log_loss}`` each.
        chosen: The C that was chosen.
    """
    left, top, width, height = 52, 12, 264, 130
    points = sorted((float(one["C"]), float(one["log_loss"])) for one in table)
    low, high = min(p[1] for p in points), max(p[1] for p in points)
    pad = max((high - low) * 0.12, 1e-6)
    low, high = max(low - pad, 0.0), high + pad
    first, last = math.log10(points[0][0]), math.log10(points[-1][0])

    def x(c: float) -> float:
        return left + (
            width * (math.log10(c) - first) / (last - first) if last > first else width / 2
        )

    def y(loss: float) -> float:
        return top + height * (high - loss) / (high - low)

    parts = [element("rect", x=left, y=top, width=width, height=height, class_="plot")]
    for loss in ticks(low, high, 4):
        parts.append(
            element("line", x1=left, x2=left + width, y1=y(loss), y2=y(loss), class_="grid")
        )
        parts.append(words(f"{loss:.3g}", left - 8, y(loss) + 4, "end"))
    decades = range(math.ceil(first - 1e-9), math.floor(last + 1e-9) + 1)
    for power in decades if len(decades) < 9 else decades[::2]:
        parts.append(words(power_of_ten(power), x(10.0**power), top + height + 18))
    path = "M" + "L".join(f"{x(c):.1f} {y(loss):.1f}" for c, loss in points)
    parts.append(element("path", d=path, class_="line"))
    for c, loss in points:
        picked = math.isclose(c, chosen, rel_tol=1e-6)
        if picked:
            parts.append(element("circle", cx=x(c), cy=y(loss), r=8.5, class_="ring"))
        parts.append(element("circle", cx=x(c), cy=y(loss), r=4 if picked else 2.5, class_="dot"))
    parts.append(
        words(
            "C: small means strong regularization",
            left + width / 2,
            top + height + 38,
        )
    )
    best = min(points, key=lambda p: p[1])
    label = (
        f"Cross-validated log loss for {len(points)} strengths of regularization; "
        f"lowest {best[1]:.3g} at C = {best[0]:g}; chosen C = {chosen:g}."
    )
    return chart(left + width + 20, top + height + 48, label, *parts)


def power_of_ten(exponent: int) -> str:
    """A power of ten as it is read on an axis: ``0.01``, ``100``, ``10⁻⁵``."""
    if -3 <= exponent <= 3:
        return f"{10.0**exponent:g}"
    return "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


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
    left, top, width, height = 8, 8, 304, 92
    most, step = int(counts.max()), width / bins
    parts: list[str] = []
    for index, count in enumerate(counts.tolist()):
        if count:
            tall = max(height * count / most, 1.5)
            place = left + index * step + 0.75
            parts.append(_bar(place, top + height - tall, step - 1.5, tall))
    bottom = top + height
    parts.append(_axis(left, left + width, bottom))
    marks = [mark for mark in ticks(start, end, 4) if start <= mark <= end]
    for mark in marks:
        place = left + width * (mark - start) / (end - start)
        anchor = "start" if place < left + 12 else "end" if place > left + width - 18 else "middle"
        written = f"{mark:,.0f}" if end - start >= 5 else f"{mark:g}"
        parts.append(
            words(
                written + (" +" if gathered and mark == marks[-1] else ""),
                place,
                bottom + 18,
                anchor,
            )
        )
    middle = float(np.median(numbers))
    label = (
        f"{title}: histogram of {numbers.size:,} pictures, {numbers.min():,.6g} to "
        f"{numbers.max():,.6g} {unit}, median {middle:,.4g}."
    )
    return chart(left + width + 8, bottom + 26, label, *parts)


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
