"""Nested subsets of the training pictures."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from tellapart.projects.growth import first_of


def test_smaller_sets_lie_in_larger_ones_and_keep_the_proportions() -> None:
    labels = {f"{i:04d}": "rare" if i % 10 == 0 else "common" for i in range(1_000)}
    sets = [first_of(labels, count, seed=3) for count in (50, 100, 400, 1_000, 2_000)]
    assert [len(one) for one in sets] == [50, 100, 400, 1_000, 1_000]
    assert all(small <= large for small, large in pairwise(sets))
    for one in sets:
        share = Counter(labels[path] for path in one)["rare"] / len(one)
        assert abs(share - 0.1) <= 0.02


def test_another_seed_gives_other_pictures() -> None:
    labels = {f"{i:04d}": "ab"[i % 2] for i in range(200)}
    assert first_of(labels, 50, seed=0) == first_of(dict(reversed(labels.items())), 50, seed=0)
    assert first_of(labels, 50, seed=0) != first_of(labels, 50, seed=1)
