"""Dealing pictures into folds, and drawing whom to hold out, without parting a group.

Both work on a table of groups: how many pictures of each class each group holds. Large groups
are placed first, one by one, where they do least harm to the shares of the classes; pictures
that are alone then fill up what is missing, class by class.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tellapart.core.errors import LabelError

Ints = NDArray[np.int64]
Folds = list[tuple[Ints, Ints]]


def folds(labels: Ints, groups: Ints, *, k: int = 5, seed: int) -> Folds:
    """Deal pictures into folds: stratified, grouped, the same for the same seed.

    There are fewer than ``k`` folds where a class has fewer groups, so that every fold can have
    each class. A class with one group alone is in every training part and in no fold: it
    cannot be both learnt and tested.

    Args:
        labels: int ``[n]``.
        groups: int ``[n]``; equal numbers stay together.
        k: Folds wanted.
        seed: Draws who goes where.

    Returns:
        For each fold the indices to train on and those to test on, sorted; empty where
        there are not two folds to be had.
    """
    labels, groups = np.asarray(labels, np.int64), np.asarray(groups, np.int64)
    table = Groups.of(labels, groups)
    of_class = table.of_class
    several = of_class[of_class > 1]
    k = min(k, int(several.min(initial=k)) if len(several) else 0)
    if k < 2:
        return []
    fold = _deal(table, k, _generator(seed, "folds"))[table.inverse]
    places = np.arange(len(labels))
    parts = [(places[fold != number], places[fold == number]) for number in range(k)]
    return [(train, test) for train, test in parts if len(train) and len(test)]


def repeated_folds(
    labels: Ints, groups: Ints, *, k: int = 5, repeats: int = 10, seed: int
) -> list[Folds]:
    """:func:`folds` again and again, each time dealt anew.

    Returns:
        ``repeats`` lists of folds.
    """
    drawn = np.random.SeedSequence(seed).generate_state(repeats)
    return [folds(labels, groups, k=k, seed=int(each)) for each in drawn]


def draw(labels: Ints, groups: Ints, share: float, *, seed: int) -> NDArray[np.bool_]:
    """Whom to hold out: about ``share`` of each class, no group parted.

    Args:
        labels: int ``[n]``; each class must have two groups or more.
        groups: int ``[n]``; equal numbers stay together.
        share: Above 0 and below 1.
        seed: Draws who is held out.

    Returns:
        bool ``[n]``; each class has pictures on both sides.

    Raises:
        LabelError: If the groups leave no way to have each class on both sides.
    """
    rng = _generator(seed, "split")
    table = Groups.of(labels, groups)
    totals = table.counts.sum(0)
    target = np.clip(np.floor(totals * share + 0.5).astype(np.int64), 1, totals - 1)
    of_class = table.of_class
    taken = np.zeros(len(table.counts), np.bool_)
    held = np.zeros_like(totals)
    free = of_class.copy()  # groups of each class that are still in training

    def take(group: int) -> None:
        nonlocal held, free
        taken[group] = True
        held = held + table.counts[group]
        free = free - (table.counts[group] > 0)

    def allowed(group: int) -> bool:
        mine = table.counts[group] > 0
        return not taken[group] and bool((free[mine] > 1).all())

    large = table.large(rng)
    # In random order, so that small groups are not the only ones that fit; some of the
    # room is left to the large ones by chance alone.
    for group in rng.permutation(large):
        if allowed(group) and (held + table.counts[group] <= target).all():
            take(group)
    for label in range(len(totals)):
        singles = rng.permutation(table.singles(label))
        room = min(int(target[label] - held[label]), int(free[label]) - 1)
        for group in singles[: max(room, 0)]:
            take(group)
    improved = True
    while improved and (held < target).any():  # groups are all that is left: the best fit
        gaps = np.abs(held + table.counts[large] - target).sum(1) - np.abs(held - target).sum()
        needed = np.any(table.counts[large][:, held == 0] > 0, axis=1)
        order = np.lexsort((gaps, ~needed))
        fits = [i for i in order if (gaps[i] < 0 or needed[i]) and allowed(large[i])]
        improved = bool(fits)
        if fits:
            take(large[fits[0]])
    missing = [int(label) for label in np.flatnonzero(held == 0)]
    if missing:
        raise LabelError(
            "Groups that must not be parted leave no way to hold out pictures of every class.",
            remedy="Use smaller groups, or give the data parts (train, test) of its own.",
            code="groups_too_large",
        )
    chosen: NDArray[np.bool_] = taken[table.inverse]
    return chosen


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups and what they hold.

    Attributes:
        counts: int64 ``[G, K]``: pictures of each class in each group.
        inverse: int64 ``[n]``: the group of each row.
    """

    counts: Ints
    inverse: Ints

    @classmethod
    def of(cls, labels: Ints, groups: Ints) -> Groups:
        """Count them from int ``[n]`` each."""
        _, inverse = np.unique(groups, return_inverse=True)
        counts = np.zeros(
            (int(inverse.max(initial=-1)) + 1, int(labels.max(initial=-1)) + 1), np.int64
        )
        np.add.at(counts, (inverse, labels), 1)
        return cls(counts, inverse.astype(np.int64))

    @property
    def of_class(self) -> Ints:
        """How many groups hold pictures of each class, int64 ``[K]``."""
        return np.asarray(np.count_nonzero(self.counts, axis=0), np.int64)

    def singles(self, label: int) -> Ints:
        """Groups of one picture, of one class."""
        alone = (self.counts.sum(1) == 1) & (self.counts[:, label] == 1)
        return np.flatnonzero(alone)

    def large(self, rng: np.random.Generator) -> Ints:
        """Groups of several pictures, largest first, drawn among equals."""
        sizes = self.counts.sum(1)
        several = rng.permutation(np.flatnonzero(sizes > 1))
        order = np.argsort(-sizes[several], kind="stable")
        return np.asarray(several[order])


def _deal(table: Groups, k: int, rng: np.random.Generator) -> Ints:
    """The fold of each group, -1 for one that must stay in training."""
    fold = np.full(len(table.counts), -1, np.int64)
    held = np.zeros((k, table.counts.shape[1]), np.int64)
    of_class = table.of_class
    stays = np.any(table.counts[:, of_class == 1] > 0, axis=1)
    left = of_class.copy()
    for group in table.large(rng):
        if stays[group]:
            continue
        counts = table.counts[group]
        mine = counts > 0
        left[mine] -= 1
        load = ((held[:, mine] + counts[mine]) ** 2).sum(1) - (held[:, mine] ** 2).sum(1)
        # The last group of a class may not join all the others of that class in one fold.
        last = mine & (left == 0)
        others = held[:, last].sum(0)
        alone = np.any((held[:, last] == others) & (others > 0), axis=1)
        order = np.lexsort((rng.random(k), held.sum(1), load, alone))
        fold[group] = order[0]
        held[order[0]] += counts
    for label in range(table.counts.shape[1]):
        singles = table.singles(label)
        singles = rng.permutation(singles[~stays[singles]])
        fold[singles] = _filled(held[:, label], held.sum(1), len(singles), rng)
        held[:, label] += np.bincount(fold[singles], minlength=k)
    return fold


def _filled(have: Ints, load: Ints, n: int, rng: np.random.Generator) -> Ints:
    """Folds for ``n`` single pictures that even out what the folds have of their class."""
    have = have.copy()
    order = np.lexsort((rng.random(len(have)), load))  # where equal, the emptiest fold first
    given = np.zeros(len(have), np.int64)
    for _ in range(len(have)):  # raise the lowest to the next level, and again
        low = have + given
        lowest = order[low[order] == low.min()]
        above = low[low > low.min()]
        step = n if not len(above) else min(n, int(above.min() - low.min()) * len(lowest))
        share, rest = divmod(step, len(lowest))
        given[lowest] += share
        given[lowest[:rest]] += 1
        n -= step
    return np.repeat(np.arange(len(have)), given)


def _generator(seed: int, what: str) -> np.random.Generator:
    """A generator of its own for each purpose, from the seed."""
    return np.random.default_rng([abs(seed), *what.encode()])
