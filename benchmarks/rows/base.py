"""What a row is, and the shapes that several rows share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.bench import Bench, Said
from benchmarks.measures import median, paired_ratio
from benchmarks.results import Line, Target


@dataclass(frozen=True)
class Row:
    """One thing that is measured.

    Attributes:
        name: What selects it on the command line.
        title: What it is, for the list.
        how: How it is measured, in words, for the page.
        minutes: About how long it takes on two cores.
        measure: Measures it and answers with lines.
        long: Whether it is left out unless it is asked for.
    """

    name: str
    title: str
    how: str
    minutes: float
    measure: Callable[[Bench], Sequence[Line]]
    long: bool = False


def speed(said: Said) -> float:
    """Pictures a second of a repeat that gave ``pictures`` and ``seconds``."""
    return float(said["pictures"] / said["seconds"])


def speed_line(
    what: str, ours: Sequence[Said], peer_name: str, peers: Sequence[Said], target: Target | None
) -> Line:
    """A line that compares speeds."""
    mine, others = [speed(said) for said in ours], [speed(said) for said in peers]
    return Line(
        what,
        "pictures/s",
        median(mine),
        target,
        tuple(mine),
        peer_name,
        median(others),
        tuple(others),
        paired_ratio(mine, others),
        "times as fast",
    )


def plain_line(what: str, unit: str, values: Sequence[float], target: Target) -> Line:
    """A line without a peer."""
    return Line(what, unit, median(values), target, tuple(values))
