"""Which pictures are learnt from, and which are held out; folds inside the training part.

Whatever must not be parted (copies, near-copies, pictures of one ``group``) shares a number, and
nothing here ever parts a number. :func:`split` gives every picture its side, :func:`folds`
deals the training part into folds; both keep the shares of the classes as even as the groups
allow, and draw everything from the seed. How is in :mod:`~tellapart.splits.dealing`.

Example:
    >>> parts = split(scanned, audited, held_out=0.2, seed=0)  # doctest: +SKIP
    >>> (parts.side == HELD_OUT).sum()  # doctest: +SKIP
    600
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tellapart.audit import Audit, group_ids
from tellapart.core.errors import LabelError, SettingsError
from tellapart.core.text import agree, counted, listed
from tellapart.scanning.scanner import Scan
from tellapart.splits.dealing import Folds, Groups, Ints, draw, folds, repeated_folds

__all__ = [
    "HELD_OUT",
    "LEFT_OUT",
    "TRAIN",
    "VALIDATION",
    "Folds",
    "Split",
    "folds",
    "repeated_folds",
    "set_aside",
    "split",
]

LEFT_OUT, TRAIN, HELD_OUT, VALIDATION = -1, 0, 1, 2
SLICE_LIMIT = 2_000
"""Pictures in a validation slice that tell accuracies a point apart (95 % interval of 90 %: 1.3
points); more would only be missed in training."""
_SLICE = 1  # added to the seed, so that the slice is drawn unlike the held-out part
FEW = 200
"""Under this many usable pictures, and without parts, the headline comes from folds."""


@dataclass(frozen=True, slots=True)
class Split:
    """The side of every picture.

    Attributes:
        side: int8 ``[N]``: ``TRAIN``, ``HELD_OUT``, ``VALIDATION`` or ``LEFT_OUT``.
        groups: int64 ``[N]``: pictures that must not be parted share a number.
        method: ``given`` (the data has parts), ``split`` (drawn here), ``folds`` (too few
            pictures: all are in ``TRAIN``, and folds measure).
        held_out: The share that was asked for; None where it had no say.
        seed: What the draw came from.
        leaked: bool ``[N]``: held-out pictures that the training part or the validation
            slice has a copy or near-copy of, or a picture of the same group. They do not
            count in the headline. Only where parts were given; drawn splits leak nothing.
        notes: What deserves a word, such as a share that large groups made uneven.
    """

    side: NDArray[np.int8]
    groups: Ints
    method: Literal["split", "folds", "given"]
    held_out: float | None
    seed: int
    leaked: NDArray[np.bool_]
    notes: tuple[str, ...] = ()


def split(scan: Scan, audit: Audit, *, held_out: float = 0.2, seed: int = 0) -> Split:
    """Give every picture its side.

    Args:
        scan: The pictures.
        audit: What is left out, and which pictures are copies.
        held_out: Share to hold out of each class where the data has no parts, above 0 and
            below 1.
        seed: Draws who is held out.

    Raises:
        SettingsError: If ``held_out`` is not a share.
        LabelError: If there are not two classes, or a class cannot be on both sides.
    """
    share = _checked_share(held_out)
    labels = _label_numbers(scan, audit)
    groups = group_ids(scan, audit)
    classes = scan.catalog.classes
    usable = np.flatnonzero(labels >= 0)
    _check_classes(labels[usable], classes)
    side = np.full(len(labels), LEFT_OUT, np.int8)
    leaked = np.zeros(len(labels), np.bool_)
    if scan.frame["part"][usable].is_not_null().any():
        side[usable] = _given_sides(scan.frame["part"])[usable]
        leaked = _leaked(scan, audit, side)
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
    """Make a validation slice of the training part, where the data has none of its own.

    Copies and groups stay together here too, and the held-out pictures have no part in it.

    Args:
        parted: The split.
        labels: int ``[N]``, the class of each row.
        share: Share of the training part, from 0 (none) to 0.5.
        limit: Pictures that are enough to choose by; the slice is not made much larger.
        seed: Draws the slice.

    Returns:
        The split with the slice on the side ``VALIDATION``; the same split where the share is
        0, the data brought a slice, or a class has too few groups to be on both sides.
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
    """A sentence for each class whose held-out share the groups moved far from the one asked."""
    notes = []
    for label, name in enumerate(classes):
        mine = labels == label
        got = float(chosen[mine].mean())
        if abs(got - share) > max(0.1 * share, 1.5 / mine.sum()) + 0.02:
            notes.append(
                f"Of '{name}' {100 * got:.0f} % are held out instead of {100 * share:.0f} %: large "
                "groups that must not be parted allow no better."
            )
    return tuple(notes)


def _given_sides(parts: pl.Series) -> NDArray[np.int8]:
    """Sides of all rows, from the parts that the data came with.

    A ``test`` part without a usable picture is one all the same: the validation slice, which
    may guide choices, never takes its place.
    """
    tested = bool((parts == "test").any())
    sides = {"validation": VALIDATION if tested else HELD_OUT, "test": HELD_OUT}
    return np.array([sides.get(part, TRAIN) for part in parts], np.int8)


def _leaked(scan: Scan, audit: Audit, side: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Held-out rows with a copy, near-copy or member of their group on a learning side."""
    learning = (side == TRAIN) | (side == VALIDATION)
    leaked = np.zeros(len(side), np.bool_)
    for column in ("content", "group"):
        values = scan.frame[column]
        known = values.filter(pl.Series(learning)).drop_nulls().unique()
        leaked |= values.is_in(known.implode()).fill_null(False).to_numpy()
    for pair in audit.pairs:
        leaked[pair.a] |= learning[pair.b]
        leaked[pair.b] |= learning[pair.a]
    leaked &= side == HELD_OUT
    return leaked


def _label_numbers(scan: Scan, audit: Audit) -> Ints:
    """Index of each row's class, -1 where it is left out."""
    index = {name: number for number, name in enumerate(scan.catalog.classes)}
    labels = np.array([index.get(label, -1) for label in scan.frame["label"]], np.int64)
    labels[list(audit.left_out)] = -1
    return labels


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
            f"There is only one class, {listed(list(classes))}: nothing can be told apart.",
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
    """Without parts each class needs two groups at least, one to learn and one to test."""
    counts = np.bincount(labels, minlength=len(classes))
    _refuse(
        (name for name, n in zip(classes, counts, strict=True) if n == 1),
        "only one usable picture, which cannot be both learnt and tested",
        "Add pictures, or exclude or relabel it in a corrections file.",
        "class_too_small",
    )
    of_class = Groups.of(labels, groups).of_class
    _refuse(
        (name for name, n in zip(classes, of_class, strict=True) if n == 1),
        "all its pictures in one group that must not be parted (copies of one picture, or one "
        "value of 'group')",
        "Add pictures from elsewhere, or choose smaller groups.",
        "class_in_one_group",
    )


def _check_given(
    side: NDArray[np.int8], labels: Ints, leaked: NDArray[np.bool_], classes: Sequence[str]
) -> None:
    learnt = np.bincount(labels[side == TRAIN], minlength=len(classes))
    _refuse(
        (name for name, n in zip(classes, learnt, strict=True) if n == 0),
        "no usable picture in the training part",
        "Add training pictures, or check the folder names: classes are matched by name.",
        "class_without_training",
    )
    if not (side == HELD_OUT).any():
        raise LabelError(
            "The data has parts, but none with usable pictures to hold out.",
            remedy="Add pictures to the test or validation part, or leave the parts out.",
            code="nothing_held_out",
        )
    if not ((side == HELD_OUT) & ~leaked).any():
        n = int(leaked.sum())
        raise LabelError(
            f"{agree(n, 'The', 'All')} {counted(n, 'held-out picture')} {agree(n, 'is', 'are')} "
            "also in the training part, as a copy, a near-copy or a picture of the same group: "
            "nothing can be measured.",
            remedy="Hold out pictures that are not in the training part.",
            code="all_leaked",
        )


def _refuse(names: Iterable[str], what: str, remedy: str, code: str) -> None:
    found = list(names)
    if found:
        subject = agree(len(found), "The class", "The classes")
        has = agree(len(found), "has", "have")
        if len(found) > 1:
            what = what.replace("which", "each of which").replace(" its ", " their ")
        raise LabelError(f"{subject} {listed(found)} {has} {what}.", remedy=remedy, code=code)
