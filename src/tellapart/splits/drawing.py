"""Stratified, grouped folds and held-out draws that never split a group.

Both work on a table of groups: how many pictures of each class each group has. Large groups
are placed first, one by one, where they change the shares of the classes least. Then single
pictures fill the gaps, class by class.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tellapart.core.errors import LabelError
from tellapart.core.typing import Ints

Folds = list[tuple[Ints, Ints]]


def folds(labels: Ints, groups: Ints, *, k: int = 5, seed: int) -> Folds:
    """Divide pictures into folds: stratified, grouped, the same for the same seed.

    Invariant: no group is split, each picture is tested at most once, and every training part
    has every class. There are fewer than ``k`` folds if a class has fewer groups. A class
    with only one group is in every training part and in no fold.

    Args:
        labels: int ``[n]``.
        groups: int ``[n]``; pictures with equal numbers stay together.
        k: Number of folds.
        seed: Random seed.

    Returns:
        For each fold the indices to train on and those to test on, sorted; empty if
        two folds are not possible.
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
    """:func:`folds` repeatedly, each time drawn anew.

    Returns:
        ``repeats`` lists of folds.
    """
    drawn = np.random.SeedSequence(seed).generate_state(repeats)
    return [folds(labels, groups, k=k, seed=int(each)) for each in drawn]


def draw(labels: Ints, groups: Ints, share: float, *, seed: int) -> NDArray[np.bool_]:
    """Choose what to hold out.

    Invariant: no group is split, and each class has pictures on both sides. Within that, the
    held-out share of each class is as close to ``share`` as the groups allow; single pictures
    meet it exactly.

    Args:
        labels: int ``[n]``; each class must have at least two groups.
        groups: int ``[n]``; pictures with equal numbers stay together.
        share: Above 0 and below 1.
        seed: Random seed.

    Returns:
        bool ``[n]``: whether each picture is held out.

    Raises:
        LabelError: If the groups leave no way to keep the invariant.
    """
    rng = _generator(seed, "split")
    table = Groups.of(labels, groups)
    drawn = _Draw(table, share)
    large = table.large(rng)
    # In random order, so that not only small groups fit; large ones first, so that they have
    # room at all.
    for group in rng.permutation(large):
        if drawn.may_take(group) and drawn.has_room(group):
            drawn.take(group)
    for label in range(len(drawn.target)):
        singles = rng.permutation(table.singles(label))
        for group in singles[: drawn.room(label)]:
            drawn.take(group)
    while (group := drawn.best_fit(large)) is not None:
        drawn.take(group)
    if (drawn.held == 0).any():
        raise LabelError(
            "Large groups must stay together, so not every class can have held-out pictures.",
            remedy="Use smaller groups, or give data with parts (train, test).",
            code="groups_too_large",
        )
    chosen: NDArray[np.bool_] = drawn.taken[table.inverse]
    return chosen


class _Draw:
    """The groups held out so far. Of each class at least one group stays in training.

    Attributes:
        target: Pictures of each class to hold out, int64 ``[K]``.
        taken: Whether each group is held out, bool ``[G]``.
        held: Pictures of each class held out so far, int64 ``[K]``.
        free: Groups of each class still in training, int64 ``[K]``.
    """

    def __init__(self, table: Groups, share: float) -> None:
        self.counts = table.counts
        totals = self.counts.sum(0)
        wanted = np.floor(totals * share + 0.5).astype(np.int64)
        self.target = np.clip(wanted, 1, totals - 1)
        self.taken = np.zeros(len(self.counts), np.bool_)
        self.held = np.zeros_like(totals)
        self.free = table.of_class

    def take(self, group: int) -> None:
        self.taken[group] = True
        self.held += self.counts[group]
        self.free -= self.counts[group] > 0

    def may_take(self, group: int) -> bool:
        classes = self.counts[group] > 0
        return not self.taken[group] and bool((self.free[classes] > 1).all())

    def has_room(self, group: int) -> bool:
        return bool((self.held + self.counts[group] <= self.target).all())

    def room(self, label: int) -> int:
        """How many single pictures of a class there is room for."""
        missing = int(self.target[label] - self.held[label])
        return max(0, min(missing, int(self.free[label]) - 1))

    def best_fit(self, large: Ints) -> int | None:
        """The large group that brings ``held`` nearest to ``target``, if one is needed or helps."""
        if not (self.held < self.target).any():
            return None
        distance = np.abs(self.held - self.target).sum()
        change = np.abs(self.held + self.counts[large] - self.target).sum(1) - distance
        needed = np.any(self.counts[large][:, self.held == 0] > 0, axis=1)
        for index in np.lexsort((change, ~needed)):
            if (change[index] < 0 or needed[index]) and self.may_take(large[index]):
                return int(large[index])
        return None


@dataclass(frozen=True, slots=True)
class Groups:
    """A table of groups.

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
        """Number of groups with pictures of each class, int64 ``[K]``."""
        return np.asarray(np.count_nonzero(self.counts, axis=0), np.int64)

    def singles(self, label: int) -> Ints:
        """Groups of one picture, of one class."""
        alone = (self.counts.sum(1) == 1) & (self.counts[:, label] == 1)
        return np.flatnonzero(alone)

    def large(self, rng: np.random.Generator) -> Ints:
        """Groups of several pictures, largest first, in random order among equals."""
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
    order = np.lexsort((rng.random(len(have)), load))  # if equal, the emptiest fold first
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
    """A separate generator for each purpose, from the seed."""
    return np.random.default_rng([abs(seed), *what.encode()])
