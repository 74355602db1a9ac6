"""The meaning of a data set's folders: which are classes, which are parts, which only wrap.

The rules, in this order, for folders and archives alike:

1. A folder in which nothing may be a picture is ignored by the rules below.
2. A single folder at the top that contains only folders is skipped, repeatedly
   (``PetImages/Cat``, ``cats_and_dogs_filtered/train/cats``).
3. If every folder at the top has the name of a part and contains class folders, these are
   parts. One part alone is not a division: rule 2 has skipped it.
4. Every folder at the top (or in a part) is a class; everything deeper belongs to it.
5. Files next to class folders are passed over and counted.

So ``cats/siamese`` and ``cats/tabby`` with nothing next to ``cats`` are read as two classes,
``siamese`` and ``tabby``: no rule could tell them from ``PetImages/Cat`` and ``PetImages/Dog``.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tellapart.core.errors import LabelError, SourceError
from tellapart.core.order import natural
from tellapart.core.text import counted
from tellapart.data.sources.archives import some
from tellapart.data.sources.base import LabeledMember, Listing, Member
from tellapart.data.sources.names import (
    PICTURE_ENDINGS,
    Part,
    ending,
    is_archive_name,
    label_in_name,
    label_of,
    may_be_picture,
    part_of,
    quote,
)
from tellapart.data.sources.tables import looks_like_table

Kind = Literal["folders", "parts", "names"]


@dataclass(frozen=True)
class Arrangement:
    """How a listing was understood.

    Attributes:
        kind: ``folders``, ``parts`` or ``names``.
        rows: The pictures.
        depth: Number of folders down to the class folder, including it; 0 for ``names``.
        passed_over: Count of what is not among the rows, by reason.
    """

    kind: Kind
    rows: tuple[LabeledMember, ...]
    depth: int
    passed_over: Counter[str]


class _Folder:
    """The content of one folder.

    Attributes:
        path: The folder's path with a slash at its end; empty for the top.
        pictures: Files directly inside that may be pictures.
        others: All other files directly inside, and those of folders without pictures.
        inner: The files of each folder inside, if any of them may be a picture.
    """

    def __init__(self, path: str, members: Sequence[Member]) -> None:
        self.path = path
        self.pictures: list[Member] = []
        self.others: list[Member] = []
        inner: dict[str, list[Member]] = defaultdict(list)
        for member in members:
            step, slash, _ = member.name[len(path) :].partition("/")
            if slash:
                inner[step].append(member)
            elif may_be_picture(member.name):
                self.pictures.append(member)
            else:
                self.others.append(member)
        self.inner: dict[str, list[Member]] = {}
        for name, files in inner.items():
            if any(may_be_picture(member.name) for member in files):
                self.inner[name] = files
            else:
                self.others.extend(files)

    def enter(self, name: str) -> _Folder:
        return _Folder(f"{self.path}{name}/", self.inner[name])

    @property
    def depth(self) -> int:
        return self.path.count("/")


def arrange(listing: Listing, shown: str, *, label_from: Literal["name"] | None) -> Arrangement:
    """Understand a listing of a folder or an archive.

    Args:
        listing: Its files and folders.
        shown: How a message names it.
        label_from: ``name`` to take labels from file names, in whatever folder.

    Raises:
        SourceError: Nothing may be a picture, or no folder is a class.
        LabelError: A part has no class folders while another one does, or no name
            contains a label.
    """
    passed_over: Counter[str] = Counter()
    members = [member for member in listing.members if not is_archive_name(member.name)]
    archives = [member.name for member in listing.members if is_archive_name(member.name)]
    if archives:
        passed_over["archives inside the data"] += len(archives)
    top = _Folder("", members)
    if not top.pictures and not top.inner:
        raise _empty(shown, listing, archives, len(members))
    top = _look_through(top, passed_over)
    if label_from == "name":
        return _by_name(top, shown, passed_over)
    if not top.inner:
        raise _flat(top.pictures, shown, top.others)
    parts = _parts(top, shown)
    folders: Mapping[_Folder, Part | None] = parts or {top: None}
    for folder in (top, *parts):
        _pass_over(folder.others, "files outside the class folders", passed_over)
        _pass_over(folder.pictures, "pictures outside the class folders", passed_over)
    empty = _empty_folders(listing, (top, *parts))
    if empty:
        passed_over[f"folders without pictures ({some(empty)})"] += len(empty)
    rows = [
        LabeledMember(member, label, part)
        for folder, part in folders.items()
        for label, files in ((label_of(name), files) for name, files in folder.inner.items())
        for member in files
    ]
    depth = top.depth + (2 if parts else 1)
    return Arrangement("parts" if parts else "folders", tuple(rows), depth, passed_over)


def _pass_over(members: Sequence[Member], reason: str, passed_over: Counter[str]) -> None:
    if members:
        passed_over[reason] += len(members)


def _look_through(top: _Folder, passed_over: Counter[str]) -> _Folder:
    while len(top.inner) == 1 and not top.pictures:
        below = top.enter(next(iter(top.inner)))
        if below.pictures or not below.inner:
            break
        _pass_over(top.others, "files outside the class folders", passed_over)
        top = below
    return top


def _parts(top: _Folder, shown: str) -> dict[_Folder, Part]:
    """The parts in the top folder; empty if its folders are classes."""
    named = {name: part for name in top.inner if (part := part_of(name))}
    if len(named) < len(top.inner):
        return {}
    parts = {top.enter(name): part for name, part in named.items()}
    with_classes = [folder for folder in parts if folder.inner]
    if len(with_classes) == len(parts):
        return parts
    flat = [folder for folder in parts if not folder.inner]
    if with_classes:
        raise LabelError(
            f"In {quote(shown)}, {quote(with_classes[0].path)} holds class folders, but "
            f"{quote(flat[0].path)} holds pictures without a class.",
            remedy=f"Use the labelled folder alone: {_join(shown, with_classes[0].path)}",
            code="unlabelled_part",
        )
    pictures = [member for folder in flat for member in folder.pictures]
    if _labels_in_names(pictures):
        raise _flat(pictures, shown, top.others)
    return {}


def _join(shown: str, path: str) -> str:
    return quote(f"{shown.rstrip('/')}/{path.rstrip('/')}")


def _empty_folders(listing: Listing, folders: Iterable[_Folder]) -> list[str]:
    """Folders in the place of a class or part, but with nothing that may be a picture."""
    inner = {folder.path: folder.inner for folder in folders}
    empty = []
    for path in listing.folders:
        above, _, name = path.rpartition("/")
        above = f"{above}/" if above else ""
        if above in inner and name not in inner[above]:
            empty.append(path)
    return sorted(empty, key=natural)


def _by_name(top: _Folder, shown: str, passed_over: Counter[str]) -> Arrangement:
    named = {name: part for name in top.inner if (part := part_of(name))}
    as_parts = len(named) == len(top.inner) > 1 and not top.pictures
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
        passed_over[f"names that carry no label ({some(sorted(without, key=natural))})"] += len(
            without
        )
    return Arrangement("names", tuple(rows), 0, passed_over)


def _labels_in_names(pictures: Iterable[Member]) -> Counter[str]:
    """The labels that names seem to contain, with counts; empty if that is not likely."""
    names = [member.name for member in pictures if ending(member.name) in PICTURE_ENDINGS]
    labels = Counter(label for name in names if (label := label_in_name(name)))
    likely = 2 <= len(labels) <= len(names) / 2 and labels.total() == len(names)
    return labels if likely else Counter()


def _flat(pictures: Sequence[Member], shown: str, others: Iterable[Member]) -> SourceError:
    tables = [member.name for member in others if looks_like_table(member.name)]
    manifest = f", or give a manifest if {some(tables)} is one" if tables else ""
    count = counted(len(pictures), "picture")
    labels = _labels_in_names(pictures)
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


def _empty(shown: str, listing: Listing, archives: Sequence[str], files: int) -> SourceError:
    holds = "nothing" if not listing.folders and not files else "no pictures"
    if archives:
        holds = f"no pictures, but archives ({some(archives)})"
    elif files:
        holds = f"no pictures, only {files:,} other file" + ("s" if files > 1 else "")
    elif listing.folders:
        holds = f"no pictures, only empty folders ({some(sorted(listing.folders, key=natural))})"
    passed = sum(listing.passed_over.values())
    more = f" ({passed:,} hidden or unreadable entries were passed over)" if passed else ""
    return SourceError(
        f"{quote(shown)} holds {holds}{more}.",
        remedy="Give one of the archives by itself."
        if archives
        else "Give a folder with one folder of pictures for each class.",
        code="empty_folder",
    )
