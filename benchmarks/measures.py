"""Arithmetic on repeats."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def median(values: Sequence[float]) -> float:
    """The middle value, or the mean of the two in the middle.

    Raises:
        ValueError: If there is none.
    """
    if not values:
        raise ValueError("no repeats, no median")
    return float(statistics.median(values))


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean.

    Raises:
        ValueError: If there is none.
    """
    if not values:
        raise ValueError("no repeats, no mean")
    return float(statistics.fmean(values))


def paired_ratio(ours: Sequence[float], peers: Sequence[float]) -> float:
    """Median of the ratios of neighbors.

    Repeats run in turn (A B A B), so a machine whose speed drifts drifts under both halves of a
    pair; the ratio of the two medians could take them from different pairs.

    Args:
        ours: One value a repeat.
        peers: As many, each measured directly after ours.

    Raises:
        ValueError: If the numbers of repeats differ, or there is none.
    """
    return median([mine / other for mine, other in zip(ours, peers, strict=True)])


def growth(few: Sequence[float], few_n: int, many: Sequence[float], many_n: int) -> float:
    """How many times as long one of many takes as one of few, median of the pairs.

    Args:
        few: Seconds for ``few_n`` pictures, one value a repeat.
        few_n: How many pictures that were.
        many: Seconds for ``many_n`` pictures, as many values.
        many_n: How many pictures that were.
    """
    return paired_ratio(
        [seconds / many_n for seconds in many], [seconds / few_n for seconds in few]
    )
