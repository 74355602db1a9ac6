"""The plot that every chart with two axes is drawn on: axes, lines, bars, marks, tooltips."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tellapart.reports.svg import Svg, chart, element, ticks, words

LETTER = 6.4  # pixels, width of a letter of 12 px on average
TOOLTIPS = 120  # strips with a tooltip at most
DOTTED = 10  # points of a line up to which each gets a dot

Point = tuple[float, float]
"""A place in the drawing, in pixels."""
Box = tuple[float, float, float, float]
"""Left, top, right and bottom of what is written, in pixels."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a plot.

    Attributes:
        name: The quantity with its unit, written along the axis; may be empty.
        low: The value where it begins.
        high: The value where it ends.
        marks: Values and how they are written.
    """

    name: str
    low: float
    high: float
    marks: Sequence[tuple[float, str]] = ()


def number_axis(
    name: str, low: float, high: float, written: Callable[[float], str], count: int = 4
) -> Axis:
    """An axis with round numbers on it, about ``count`` of them."""
    return Axis(name, low, high, [(mark, written(mark)) for mark in ticks(low, high, count)])


def share_axis(name: str, low: float) -> Axis:
    """An axis of shares of 1, written as percentages, from ``low`` to 100 %."""
    return number_axis(name, low, 1.0, lambda share: f"{round(100 * share, 6):g} %", 5)


def epoch_axis(first: float, last: float) -> Axis:
    """An axis of epochs, with whole numbers on it."""
    return Axis("epoch", first, last, [(mark, f"{mark:,}") for mark in whole_ticks(first, last)])


def decade_axis(name: str, values: Sequence[float]) -> Axis:
    """A logarithmic axis over positive values; a value stands at its decimal logarithm."""
    low, high = math.log10(min(values)), math.log10(max(values))
    whole = range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1)
    marks = [(power, power_of_ten(power)) for power in (whole if len(whole) < 9 else whole[::2])]
    return Axis(name, low, high, marks)


@dataclass(frozen=True, slots=True)
class Plot:
    """Two axes and the ground between them.

    Attributes:
        across: The lower axis.
        up: The left axis.
        left: Pixels left of the ground, for the left axis.
        top: Pixels above it, for the names of marks.
        width: Width of the ground, in pixels.
        height: Its height.
        inset: Pixels that the ends of the lower axis keep from the ground's edges.
        gap: Pixels left free between the lower axis's marks and its name.
    """

    across: Axis
    up: Axis
    left: int = 60
    top: int = 34
    width: int = 288
    height: int = 150
    inset: int = 8
    gap: int = 0

    @property
    def right(self) -> int:
        """Right edge of the ground."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """Lower edge of the ground."""
        return self.top + self.height

    def x(self, value: float) -> float:
        """Where a value stands on the lower axis; a single one stands in the middle."""
        low, high = self.across.low, self.across.high
        if high <= low:
            return self.left + self.width / 2
        share = (min(max(value, low), high) - low) / (high - low)
        return self.left + self.inset + (self.width - 2 * self.inset) * share

    def y(self, value: float) -> float:
        """Where a value stands on the left axis; what lies outside is drawn on the edge."""
        low, high = self.up.low, self.up.high
        return self.top + self.height * (high - min(max(value, low), high)) / (high - low)

    def axes(self) -> list[Svg]:
        """The ground, the grid, and what is written along both axes."""
        middle = self.top + self.height / 2
        parts = [
            element("rect", x=self.left, y=self.top, width=self.width, height=self.height,
                    class_="plot"),
            element("text", self.up.name, text_anchor="middle", class_="tick axis-name",
                    transform=f"translate(11 {middle:g}) rotate(-90)"),
            words(self.across.name, self.left + self.width / 2, self.bottom + 37 + self.gap,
                  kind="tick axis-name"),
        ]  # fmt: skip
        for value, written in self.up.marks:
            parts.append(self.level(value, "grid"))
            parts.append(words(written, self.left - 8, self.y(value) + 4, "end"))
        return parts + [words(name, self.x(at), self.bottom + 18) for at, name in self.across.marks]

    def level(self, value: float, kind: str, beyond: float = 0.0) -> Svg:
        """A level line at a value of the left axis, from the left edge past the right one."""
        y = self.y(value)
        return element("line", x1=self.left, x2=self.right + beyond, y1=y, y2=y, class_=kind)

    def whisker(self, at: float, low: float, high: float, kind: str) -> Svg:
        """An upright line between two values of the left axis."""
        x = self.x(at)
        return element("line", x1=x, x2=x, y1=self.y(high), y2=self.y(low), class_=kind)

    def points(self, pairs: Iterable[tuple[float, float | None]]) -> list[list[Point]]:
        """Places of the values, parted where a value is missing or no number."""
        runs: list[list[Point]] = [[]]
        for at, value in pairs:
            if value is None or not math.isfinite(value):
                runs.append([])
            else:
                runs[-1].append((self.x(at), self.y(value)))
        return [run for run in runs if run]

    def bars(self, counts: Sequence[int]) -> list[Svg]:
        """A bar for each count above 0, all equally wide, over the whole lower axis."""
        step = (self.width - 2 * self.inset) / len(counts)
        parts = []
        for index, count in enumerate(counts):
            if count:
                top = min(self.y(count), self.bottom - 1.5)
                parts.append(element(
                    "rect", x=self.left + self.inset + index * step + 0.75, y=top,
                    width=step - 1.5, height=self.bottom - top, rx=1.5, class_="count",
                ))  # fmt: skip
        return parts

    def mark(self, at: float, name: str, kind: str, taken: list[Box] | None = None) -> list[Svg]:
        """A line from top to bottom at a value of the lower axis, its name above the ground.

        Args:
            at: Where.
            name: What is written.
            kind: CSS class of the line.
            taken: What is written already; the name's box joins it.
        """
        x = self.x(at)
        half = LETTER * len(name) / 2
        middle = min(max(x, half), self.right + 8 - half)
        boxes = [] if taken is None else taken
        y = self.top - 20.0
        if any(left < middle + half and middle - half < right and low <= y
               for left, _, right, low in boxes):  # fmt: skip
            y += 14
        boxes.append((middle - half, y - 11, middle + half, y - 1))
        return [
            element("line", x1=x, x2=x, y1=y + 6, y2=self.bottom, class_=kind),
            words(name, middle, y, kind="tick strong"),
        ]

    def tooltips(self, said: Sequence[tuple[float, str]]) -> list[Svg]:
        """Invisible strips that say, under a pointer, what the numbers at a value are."""
        shown = [said[index] for index in evenly(len(said), TOOLTIPS)]
        middles = [self.x(at) for at, _ in shown]
        between = [(one + two) / 2 for one, two in pairwise(middles)]
        edges = pairwise([float(self.left), *between, float(self.right)])
        return [
            element("rect", element("title", tip), x=start, y=self.top,
                    width=max(end - start, 0.1), height=self.height, class_="hover")
            for (_, tip), (start, end) in zip(shown, edges, strict=False)
        ]  # fmt: skip

    def chart(self, label: str, parts: Sequence[Svg], *, right: int = 12) -> Svg:
        """The whole chart: the axes, and the parts on them.

        Args:
            label: What it shows, in words.
            parts: What is drawn on the plot, or beside it.
            right: Pixels right of the ground.
        """
        below = self.gap + (44 if self.across.name else 24)
        return chart(self.right + right, self.bottom + below, label, *self.axes(), *parts)


def evenly(count: int, limit: int) -> list[int]:
    """At most ``limit`` indices below ``count``, evenly, the first and the last among them.

    Example:
        >>> evenly(10, 4)
        [0, 3, 6, 9]
    """
    if count <= limit:
        return list(range(count))
    return sorted({round(step * (count - 1) / (limit - 1)) for step in range(limit)})


def whole_ticks(first: float, last: float) -> list[int]:
    """Whole numbers for an axis: its ends, and round ones between.

    Example:
        >>> whole_ticks(1, 15), whole_ticks(1, 300), whole_ticks(1, 1)
        ([1, 5, 10, 15], [1, 100, 200, 300], [1])
    """
    marks = [int(mark) for mark in ticks(first, last, 4) if mark == int(mark)]
    space = (last - first) / 8
    inner = [mark for mark in marks if first + space < mark < last - space]
    return list(dict.fromkeys([int(first), *inner, int(last)]))


def power_of_ten(exponent: int) -> str:
    """A power of ten as it is read on an axis: ``0.01``, ``100``, ``10⁻⁵``."""
    if -3 <= exponent <= 3:
        return f"{10.0**exponent:g}"
    return "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def line(runs: Sequence[Sequence[Point]], kind: str = "", *, dots: bool | None = None) -> list[Svg]:
    """A line through places, with its holes.

    Args:
        runs: Places between two holes each.
        kind: CSS class of the line.
        dots: Whether each place gets a dot; by default where places are few, or single.
    """
    dotted = sum(map(len, runs)) <= DOTTED if dots is None else dots
    parts: list[Svg] = []
    for run in runs:
        if len(run) > 1:
            path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in run)
            parts.append(element("path", d=path, class_=f"line {kind}".rstrip()))
        if dotted or len(run) == 1:
            parts += [
                element("circle", cx=x, cy=y, r=3.5, class_=f"dot {kind}".rstrip()) for x, y in run
            ]
    return parts
