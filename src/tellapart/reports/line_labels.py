"""Names beside the lines of a plot, where they cover nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tellapart.reports.plot import LETTER, Box, Plot, Point
from tellapart.reports.svg import Svg, words

Line = tuple[str, str, Sequence[Sequence[Point]]]
"""Name, CSS class, and places between two holes each."""

SPOTS = 28  # places tried along a line
COVERED = 100.0  # pixels of distance that covering something is worth


def around(content: str, x: float, y: float) -> Box:
    """The box of letters that begin at ``x`` and stand on ``y``."""
    return x - 2, y - 11, x + LETTER * len(content) + 2, y + 4


def named(
    plot: Plot,
    lines: Sequence[Line],
    taken: Sequence[Box] = (),
) -> list[Svg]:
    """A name above or below each line, clear of every line, of the edges and of each other.

    Args:
        plot: The plot.
        lines: Lines without places are passed over; those without a name are only kept clear.
        taken: What is written in the plot already.
    """
    grid = np.arange(plot.left, plot.right + 1, 3.0)
    paths = []
    for name, kind, runs in lines:
        points = sorted(point for run in runs for point in run)
        if points:
            xs, ys = zip(*points, strict=True)
            # A name keeps to the part of the plot where its line is.
            beyond = np.maximum(np.maximum(xs[0] - grid, grid - xs[-1]), 0.0)
            paths.append((name, kind, np.interp(grid, xs, ys), beyond))
    boxes, parts = list(taken), []
    for index, (name, kind, path, beyond) in enumerate(paths):
        if not name:
            continue
        others = [other for k, (_, _, other, _) in enumerate(paths) if k != index]
        x, y = _best(plot, grid, path, beyond, others, boxes, LETTER * len(name) / 2)
        boxes.append(around(name, x - LETTER * len(name) / 2, y))
        parts.append(words(name, x, y, kind=f"name {kind}"))
    return parts


def _best(
    plot: Plot,
    grid: NDArray[np.float64],
    path: NDArray[np.float64],
    beyond: NDArray[np.float64],
    others: Sequence[NDArray[np.float64]],
    taken: Sequence[Box],
    half: float,
) -> Point:
    """Where a name that is ``2 * half`` wide costs least."""
    found: list[tuple[float, float, float]] = []
    for x in np.linspace(plot.left + half + 6, plot.right - half - 6, SPOTS).tolist():
        near = np.abs(grid - x) <= half + 4
        high, low = float(path[near].min()), float(path[near].max())
        outside = float(np.interp(x, grid, beyond))
        for y in (high - 8, low + 17):
            box = x - half - 2, y - 11, x + half + 2, y + 4
            cost = 0.4 * (low - high) + 0.02 * (plot.right - x) + outside
            cost += 30 * (y < plot.top + 8) + COVERED * (y > plot.bottom - 4)
            cost += 4 * COVERED * (y < plot.top - 9 or y > plot.bottom)
            for other in others:
                away = np.maximum(box[1] - other[near], other[near] - box[3]).min()
                cost += COVERED * (away < 2) + 3 * max(12 - float(away), 0.0)
            cost += COVERED * sum(_touch(box, one) for one in taken)
            found.append((cost, x, y))
    _, x, y = min(found)
    return x, y


def _touch(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
