"""The frame that curves over epochs share: axes, lines with holes, marks across, tooltips."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tellapart.reports.svg import Svg, element, ticks, words

LETTER = 6.4  # pixels, width of a letter of 12 px on average
HOVERS = 120  # strips with a tooltip at most
DOTTED = 10  # places of a line up to which each gets a dot

Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, top, right and bottom of what is written, in pixels."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A plot of epochs against values; places are pixels of the drawing.

    Args:
        first: First epoch.
        last: Last epoch.
        low: Value at the bottom.
        high: Value at the top.
        left: Pixels left of the plot, for the values.
        top: Pixels above it, for the marks' names.
        width: Width of the plot.
        height: Height of the plot.
    """

    first: float
    last: float
    low: float
    high: float
    left: int = 44
    top: int = 34
    width: int = 216
    height: int = 190

    @property
    def right(self) -> int:
        """Right edge of the plot."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """Lower edge of the plot."""
        return self.top + self.height

    def x(self, epoch: float) -> float:
        """Where an epoch stands; a single one stands in the middle."""
        if self.last <= self.first:
            return self.left + self.width / 2
        share = (min(max(epoch, self.first), self.last) - self.first) / (self.last - self.first)
        return self.left + 8 + (self.width - 16) * share

    def y(self, value: float) -> float:
        """Where a value stands; what lies outside is drawn on the edge."""
        value = min(max(value, self.low), self.high)
        return self.top + self.height * (self.high - value) / (self.high - self.low)

    def axes(self, written: Callable[[float], str]) -> list[Svg]:
        """The ground, the grid with its values, and the epochs."""
        ground = element(
            "rect", x=self.left, y=self.top, width=self.width, height=self.height, class_="plot"
        )
        parts = [ground]
        for value in ticks(self.low, self.high, 4):
            y = self.y(value)
            parts.append(element("line", x1=self.left, x2=self.right, y1=y, y2=y, class_="grid"))
            parts.append(words(written(value), self.left - 8, y + 4, "end"))
        for epoch in whole_ticks(self.first, self.last):
            parts.append(words(f"{epoch:,}", self.x(epoch), self.bottom + 18))
        return parts

    def points(self, pairs: Iterable[tuple[float, float | None]]) -> list[list[Point]]:
        """Places of the values, parted where a value is missing or no number."""
        runs: list[list[Point]] = [[]]
        for epoch, value in pairs:
            if value is None or not math.isfinite(value):
                runs.append([])
            else:
                runs[-1].append((self.x(epoch), self.y(value)))
        return [run for run in runs if run]

    def across(
        self, epoch: float, name: str, kind: str, taken: list[Box] | None = None
    ) -> list[Svg]:
        """A line from top to bottom at an epoch, its name above the plot.

        Args:
            epoch: Where.
            name: What is written.
            kind: CSS class of the line.
            taken: What is written already; the name's box joins it.
        """
        x = self.x(epoch)
        half = LETTER * len(name) / 2
        at = min(max(x, half), self.right + 8 - half)
        boxes = [] if taken is None else taken
        y = self.top - 20.0
        if any(left < at + half and at - half < right for left, _, right, low in boxes if low <= y):
            y += 14
        boxes.append((at - half, y - 11, at + half, y - 1))
        return [
            element("line", x1=x, x2=x, y1=y + 6, y2=self.bottom, class_=kind),
            words(name, at, y, kind="tick strong"),
        ]

    def hovers(self, said: Sequence[tuple[float, str]]) -> list[Svg]:
        """Unseen strips that say, under a pointer, what an epoch's numbers are."""
        shown = thinned(said, HOVERS)
        middles = [self.x(epoch) for epoch, _ in shown]
        edges = [
            float(self.left),
            *((one + two) / 2 for one, two in pairwise(middles)),
            float(self.right),
        ]
        return [
            element(
                "rect",
                element("title", tip),
                x=start,
                y=self.top,
                width=max(end - start, 0.1),
                height=self.height,
                class_="hover",
            )
            for (_, tip), start, end in zip(shown, edges, edges[1:], strict=False)
        ]


def thinned(rows: Sequence[tuple[float, str]], limit: int) -> list[tuple[float, str]]:
    """At most ``limit`` of the rows, evenly, the first and the last among them."""
    return [rows[index] for index in evenly(len(rows), limit)]


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
    """Whole numbers for an axis of epochs: the ends, and round ones between.

    Example:
        >>> whole_ticks(1, 15), whole_ticks(1, 300), whole_ticks(1, 1)
        ([1, 5, 10, 15], [1, 100, 200, 300], [1])
    """
    marks = [int(mark) for mark in ticks(first, last, 4) if mark == int(mark)]
    space = (last - first) / 8
    inner = [mark for mark in marks if first + space < mark < last - space]
    return list(dict.fromkeys([int(first), *inner, int(last)]))


def drawn(runs: Sequence[Sequence[Point]], kind: str) -> list[Svg]:
    """Lines through places; few places, and single ones, get a dot each."""
    parts: list[Svg] = []
    for run in runs:
        if len(run) > 1:
            path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in run)
            parts.append(element("path", d=path, class_=f"line {kind}"))
        if len(run) == 1 or sum(map(len, runs)) <= DOTTED:
            parts += [element("circle", cx=x, cy=y, r=3.5, class_=f"dot {kind}") for x, y in run]
    return parts
