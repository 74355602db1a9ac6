"""The side of every picture: to learn from, held out, or in the validation slice."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tellapart.core.errors import LabelError, SettingsError
from tellapart.core.text import agree, counted, listed, percent
from tellapart.core.typing import Ints
from tellapart.splits.drawing import Groups, draw

LEFT_OUT, TRAIN, HELD_OUT, VALIDATION = -1, 0, 1, 2
SLICE_LIMIT = 2_000
"""Enough pictures in a validation slice to tell accuracies a point apart (95 % interval of 90 %:
1.3 points); more would only take pictures from training."""
_SLICE = 1  # added to the seed, so that the slice's draw differs from the held-out part's
FEW = 200
"""Under this many usable pictures, and without parts, the headline comes from folds."""


@dataclass(frozen=True, slots=True)
class Split:
    """The side of every picture.

    Attributes:
        side: int8 ``[N]``: ``TRAIN``, ``HELD_OUT``, ``VALIDATION`` or ``LEFT_OUT``.
        groups: int64 ``[N]``: pictures that must stay together share a number.
        method: ``given`` (the data has parts), ``split`` (drawn here), ``folds`` (too few
            pictures: all are in ``TRAIN``, and folds measure).
        held_out: The requested share; None if it was not used.
        seed: Random seed of the draw.
        leaked: bool ``[N]``: held-out pictures that the training part or the validation
            slice has a copy or near-copy of, or a picture of the same group. They do not
            count in the headline. Only if parts were given; drawn splits leak nothing.
        notes: Sentences for the user, such as about a share that large groups made uneven.
    """

    side: NDArray[np.int8]
    groups: Ints
    method: Literal["split", "folds", "given"]
    held_out: float | None
    seed: int
    leaked: NDArray[np.bool_]
    notes: tuple[str, ...] = ()


def split(
    labels: Ints,
    groups: Ints,
    classes: Sequence[str],
    *,
    left_out: Sequence[int] = (),
    parts: Sequence[str | None] | None = None,
    shared: Sequence[Sequence[str | None]] = (),
    pairs: Sequence[tuple[int, int]] = (),
    held_out: float = 0.2,
    seed: int = 0,
) -> Split:
    """Give every picture its side.

    Args:
        labels: int ``[N]``, index into ``classes``.
        groups: int ``[N]``; pictures with equal numbers must stay together.
        classes: Names of the classes.
        left_out: Rows to ignore.
        parts: ``train``, ``validation``, ``test`` or None for each picture, if the data
            comes in parts.
        shared: Columns ``[N]``, such as content and group: a held-out picture with the same value
            as one to learn from leaks. Used with ``parts`` alone, as ``pairs`` is.
        pairs: Rows of near-copies, which leak likewise.
        held_out: Share of each class to hold out if there are no parts, above 0 and below 1.
        seed: Random seed.

    Raises:
        SettingsError: If ``held_out`` is not a share.
        LabelError: If there are not two classes, or a class cannot be on both sides.
    """
    share = _checked_share(held_out)
    labels = labels.copy()
    labels[list(left_out)] = -1
    usable = np.flatnonzero(labels >= 0)
    _check_classes(labels[usable], classes)
    side = np.full(len(labels), LEFT_OUT, np.int8)
    leaked = np.zeros(len(labels), np.bool_)
    if parts is not None and any(parts[row] is not None for row in usable.tolist()):
        side[usable] = _given_sides(parts)[usable]
        leaked = _leaked(side, shared, pairs)
        _check_given(side, labels, leaked, classes)
        return Split(side, groups, "given", None, seed, leaked)
    _check_groups(labels[usable], groups[usable], classes)
    side[usable] = TRAIN
    if len(usable) < FEW:
        return Split(side, groups, "folds", None, seed, leaked)
    chosen = draw(labels[usable], groups[usable], share, seed=seed)
    side[usable[chosen]] = HELD_OUT
    notes = _uneven(labels[usable], chosen, share, classes)
    return Split(side, groups, "split", share, seed, leaked, notes)


def set_aside(
    parted: Split, labels: Ints, share: float, *, limit: int = SLICE_LIMIT, seed: int = 0
) -> Split:
    """Make a validation slice of the training part, if the data has none of its own.

    Copies and groups stay together here as well; the held-out pictures are not touched.

    Args:
        parted: The split.
        labels: int ``[N]``, the class of each row.
        share: Share of the training part, from 0 (none) to 0.5.
        limit: Pictures that are enough to choose by; the slice is not made much larger.
        seed: Random seed.

    Returns:
        The split with the slice on the side ``VALIDATION``; the same split if the share is 0,
        the data has a slice, or a class has too few groups to be on both sides.
    """
    rows = np.flatnonzero(parted.side == TRAIN)
    share = min(share, limit / max(len(rows), 1))
    if share <= 0 or (parted.side == VALIDATION).any():
        return parted
    try:
        chosen = draw(_dense(labels[rows]), parted.groups[rows], share, seed=seed + _SLICE)
    except LabelError:
        return parted
    side = parted.side.copy()
    side[rows[chosen]] = VALIDATION
    if len(np.unique(labels[side == TRAIN])) < len(np.unique(labels[rows])):
        return parted
    return dataclasses.replace(parted, side=side)


def _dense(labels: Ints) -> Ints:
    """Labels as 0 .. the number of those that occur."""
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def _uneven(
    labels: Ints, chosen: NDArray[np.bool_], share: float, classes: Sequence[str]
) -> tuple[str, ...]:
    """A sentence for each class whose held-out share is far from the requested one."""
    notes = []
    for label, name in enumerate(classes):
        mine = labels == label
        got = float(chosen[mine].mean())
        if abs(got - share) > max(0.1 * share, 1.5 / mine.sum()) + 0.02:
            notes.append(
                f"{percent(got, 0)} of '{name}' is held out instead of {percent(share, 0)}, "
                "because large groups must stay together."
            )
    return tuple(notes)


def _given_sides(parts: Sequence[str | None]) -> NDArray[np.int8]:
    """Sides of all rows, from the parts that the data came with.

    A ``test`` part without a usable picture still counts: the validation slice, which may guide
    choices, never takes its place.
    """
    sides = {"validation": VALIDATION if "test" in parts else HELD_OUT, "test": HELD_OUT}
    return np.array([sides.get(part or "", TRAIN) for part in parts], np.int8)


def _leaked(
    side: NDArray[np.int8],
    shared: Sequence[Sequence[str | None]],
    pairs: Sequence[tuple[int, int]],
) -> NDArray[np.bool_]:
    """Held-out rows that share a value, or form a pair, with a row on a learning side."""
    learning = (side == TRAIN) | (side == VALIDATION)
    leaked = np.zeros(len(side), np.bool_)
    for column in shared:
        known = {column[row] for row in np.flatnonzero(learning).tolist()} - {None}
        leaked |= np.fromiter((value in known for value in column), np.bool_, len(column))
    for a, b in pairs:
        leaked[a] |= learning[b]
        leaked[b] |= learning[a]
    leaked &= side == HELD_OUT
    return leaked


def _checked_share(held_out: float) -> float:
    if not (math.isfinite(held_out) and 0 < held_out < 1):
        raise SettingsError(
            f"--held-out {held_out:g} is not a share: it must be above 0 and below 1.",
            remedy="Give 0.2 to hold out a fifth of the pictures.",
            code="held_out",
        )
    return float(held_out)


def _check_classes(labels: Ints, classes: Sequence[str]) -> None:
    counts = np.bincount(labels, minlength=len(classes))
    if not counts.sum():
        raise LabelError(
            "No usable picture is left.",
            remedy="Run 'tellapart check' on the data to see why.",
            code="no_pictures",
        )
    if len(classes) < 2:
        raise LabelError(
            f"There is only one class, {listed(list(classes))}. A classifier needs at least two.",
            remedy="Add a folder with pictures of something else.",
            code="one_class",
        )
    _refuse(
        (name for name, n in zip(classes, counts, strict=True) if n == 0),
        "no usable picture",
        "Add pictures, or remove the class.",
        "class_too_small",
    )


def _check_groups(labels: Ints, groups: Ints, classes: Sequence[str]) -> None:
    """Without parts, each class needs one group to learn from and one to test on."""
    counts = np.bincount(labels, minlength=len(classes))
    _refuse(
        (name for name, n in zip(classes, counts, strict=True) if n == 1),
        "only one usable picture, but needs one to learn from and one to test on",
        "Add pictures, or exclude or relabel it in a corrections file.",
        "class_too_small",
    )
    of_class = Groups.of(labels, groups).of_class
    _refuse(
        (name for name, n in zip(classes, of_class, strict=True) if n == 1),
        "all its pictures in one group that must stay together (copies of one picture, or one "
        "value of 'group')",
        "Add pictures from other sources, or choose smaller groups.",
        "class_in_one_group",
    )


def _check_given(
    side: NDArray[np.int8], labels: Ints, leaked: NDArray[np.bool_], classes: Sequence[str]
) -> None:
    trained = np.bincount(labels[side == TRAIN], minlength=len(classes))
    _refuse(
        (name for name, n in zip(classes, trained, strict=True) if n == 0),
        "no usable picture in the training part",
        "Add training pictures, or check the folder names: classes are matched by name.",
        "class_without_training",
    )
    if not (side == HELD_OUT).any():
        raise LabelError(
            "The data comes in parts, but no test or validation part has usable pictures.",
            remedy="Add pictures to the test or validation part, or give the data without parts.",
            code="nothing_held_out",
        )
    if not ((side == HELD_OUT) & ~leaked).any():
        n = int(leaked.sum())
        raise LabelError(
            f"{agree(n, 'The', 'All')} {counted(n, 'held-out picture')} {agree(n, 'is', 'are')} "
            "also in the training part (as a copy, a near-copy or a picture of the same group), so "
            "the result would mean nothing.",
            remedy="Hold out pictures that are not in the training part.",
            code="all_leaked",
        )


def _refuse(names: Iterable[str], what: str, remedy: str, code: str) -> None:
    found = list(names)
    if found:
        subject = agree(len(found), "The class", "The classes")
        has = agree(len(found), "has", "have")
        if len(found) > 1:
            what = what.replace("but needs", "but each needs").replace(
                "its pictures", "their pictures"
            )
        raise LabelError(f"{subject} {listed(found)} {has} {what}.", remedy=remedy, code=code)
