"""Labels in the names of files, such as ``cat.0.jpg``, and pictures without class folders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from tellapart.core.errors import LabelError, SourceError
from tellapart.core.natural_order import natural
from tellapart.core.text import counted
from tellapart.data.sources.base import LabeledMember, Member
from tellapart.data.sources.doubts import train_command
from tellapart.data.sources.names import (
    PICTURE_ENDINGS,
    ending,
    few,
    label_in_name,
    may_be_picture,
    quote,
)
from tellapart.data.sources.parts import parts_among
from tellapart.data.sources.tables import looks_like_table
from tellapart.data.sources.tree import Tree


def rows_by_name(top: Tree, shown: str, passed_over: Counter[str]) -> list[LabeledMember]:
    """The pictures whose names contain a label.

    Args:
        top: The folder to look in.
        shown: How a message names the data.
        passed_over: Count of what is not among the rows, by reason; added to.

    Raises:
        LabelError: No name contains a label.
    """
    named = parts_among(top.inner) or {}
    as_parts = len(named) > 1 and not top.pictures
    files = [(member, None) for member in (*top.pictures, *top.others)]
    inside = [
        (member, named[name] if as_parts else None)
        for name, members in top.inner.items()
        for member in members
    ]
    rows: list[LabeledMember] = []
    without: list[str] = []
    for member, part in (*files, *inside):
        if not may_be_picture(member.name):
            passed_over["files that are no pictures by their ending"] += 1
        elif (label := label_in_name(member.name)) is None:
            without.append(member.name)
        else:
            rows.append(LabeledMember(member, label, part))
    if not rows:
        raise LabelError(
            f"No file name in {quote(shown)} carries a label; the first is {quote(min(without))}.",
            remedy="The label is the text before the first number, as in 'cat.0.jpg'.",
            code="no_labels_in_names",
        )
    if without:
        reason = f"names that carry no label ({few(sorted(without, key=natural))})"
        passed_over[reason] += len(without)
    return rows


def labels_in_names(pictures: Iterable[Member]) -> Counter[str]:
    """The labels that names seem to contain, with counts; empty if that is not likely."""
    names = [member.name for member in pictures if ending(member.name) in PICTURE_ENDINGS]
    labels = Counter(label for name in names if (label := label_in_name(name)))
    likely = 2 <= len(labels) <= len(names) / 2 and labels.total() == len(names)
    return labels if likely else Counter()


def no_class_folders(
    pictures: Sequence[Member], shown: str, others: Iterable[Member]
) -> SourceError:
    """The error about pictures without class folders, with the labels that names may contain.

    Args:
        pictures: The pictures.
        shown: How a message names the data.
        others: The other files, among them perhaps a table of labels.
    """
    tables = [member.name for member in others if looks_like_table(member.name)]
    manifest = f", or give the table of labels: {train_command(shown, tables[0])}" if tables else ""
    count = counted(len(pictures), "picture")
    labels = labels_in_names(pictures)
    if not labels:
        return SourceError(
            f"{quote(shown)} has {count} but no class folders, so there are no labels.",
            remedy=f"Sort them into one folder per class{manifest}.",
            code="no_class_folders",
        )
    common = sorted(labels.items(), key=lambda item: (-item[1], item[0]))
    listed = ", ".join(f"{quote(label)} {n:,}" for label, n in common[:10])
    more = f" and {len(common) - 10:,} more" if len(common) > 10 else ""
    return SourceError(
        f"{quote(shown)} has {count} but no class folders. Their names seem to carry "
        f"{len(labels):,} labels: {listed}{more}.",
        remedy=f"If these are right, add --label-from name{manifest}.",
        code="labels_in_names",
    )
