"""The meaning of a data set's folders: which are classes, which are parts, which only wrap.

The rules, in this order, for folders and archives alike:

1. A folder in which nothing may be a picture is ignored by the rules below.
2. A single folder at the top that contains only folders is skipped, repeatedly
   (``PetImages/Cat``, ``cats_and_dogs_filtered/train/cats``).
3. If every folder at the top has the name of a part (``Train``, ``test_set``, ``pets-val``; see
   :mod:`.parts`) and contains class folders, these are parts. A part of the same data without
   class folders holds pictures to predict: they are passed over and counted. One part alone is
   not a division: rule 2 has skipped it.
4. Every folder at the top (or in a part) is a class; everything deeper belongs to it. If every
   class holds nothing but folders named like parts, these are the parts.
5. Files next to class folders are passed over and counted, and so are tables, and texts that
   have the name of a picture, inside them.

What is read may still mean something else; :mod:`.doubts` says so. The user settles it by
:class:`Chosen`.

So ``cats/siamese`` and ``cats/tabby`` with nothing next to ``cats`` are read as two classes,
``siamese`` and ``tabby``: no rule could tell them from ``PetImages/Cat`` and ``PetImages/Dog``.
"""

from __future__ import annotations

import fnmatch
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tellapart.core.errors import SettingsError, SourceError
from tellapart.core.natural_order import natural
from tellapart.core.text import listed
from tellapart.data.sources.base import LabeledMember, Listing, Member
from tellapart.data.sources.doubts import Doubt, doubts_of
from tellapart.data.sources.name_labels import no_class_folders, rows_by_name
from tellapart.data.sources.names import (
    Part,
    ending,
    few,
    is_archive_name,
    label_of,
    may_be_picture,
    quote,
)
from tellapart.data.sources.part_folders import find_parts, given_parts, parts_inside
from tellapart.data.sources.tables import looks_like_table
from tellapart.data.sources.tree import Tree, pass_over

Kind = Literal["folders", "parts", "names"]
HERE = "."
"""``--classes-in`` this: the folders at the top are the classes."""
_TEXTS = frozenset(["txt", "xml", "json", "yaml", "yml"])


@dataclass(frozen=True)
class Chosen:
    """How the user says that folders are to be read.

    Attributes:
        label_from: ``name`` to take labels from file names, in whatever folder.
        classes_in: The folder whose folders are the classes, ``.`` for the top; ``*`` stands for
            any folder.
        parts: Folder at the top, and its part.
        exclude: Patterns of files and folders to leave out: with a slash of a path from the top,
            else of a name anywhere.
    """

    label_from: Literal["name"] | None = None
    classes_in: str | None = None
    parts: Mapping[str, Part] | None = None
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True)
class Arrangement:
    """How a listing was understood.

    Attributes:
        kind: ``folders``, ``parts`` or ``names``.
        rows: The pictures.
        depth: Number of folders down to the class folder, including it; 0 for ``names``.
        passed_over: Count of what is not among the rows, by reason.
        doubts: What may be wrong with it; and, as a note, how unusual folders were read.
    """

    kind: Kind
    rows: tuple[LabeledMember, ...]
    depth: int
    passed_over: Counter[str]
    doubts: tuple[Doubt, ...] = ()


def arrange(
    listing: Listing, shown: str, chosen: Chosen, read: Callable[[Member], bytes]
) -> Arrangement:
    """Understand a listing of a folder or an archive.

    Args:
        listing: Its files and folders.
        shown: How a message names it.
        chosen: What the user says of it.
        read: Gives the bytes of a file.

    Raises:
        SourceError: Nothing may be a picture, or no folder is a class.
        LabelError: The training part has no class folders while another one does, or no name
            contains a label.
        SettingsError: A folder or pattern that the user chose is not there.
    """
    passed_over: Counter[str] = Counter()
    members = [member for member in listing.members if not is_archive_name(member.name)]
    archives = [member.name for member in listing.members if is_archive_name(member.name)]
    if archives:
        passed_over["archives inside the data"] += len(archives)
    members = _not_excluded(members, chosen.exclude, shown, passed_over)
    top = Tree("", members)
    if not top.pictures and not top.inner:
        raise _empty(shown, listing, archives, len(members))
    if chosen.classes_in is None:
        top = _look_through(top, passed_over)
    if chosen.label_from == "name":
        rows = rows_by_name(top, shown, passed_over)
        return Arrangement("names", tuple(rows), 0, passed_over)
    if not top.inner:
        raise no_class_folders(top.pictures, shown, top.others)
    doubts: list[Doubt] = []
    if chosen.classes_in is not None:
        folders = _classes_in(top, chosen.classes_in, shown)
    elif chosen.parts is not None:
        folders = given_parts(top, chosen.parts, shown, passed_over)
    else:
        folders = find_parts(top, shown, passed_over, doubts)
        if not folders and (rows := parts_inside(top, doubts)):
            return _finished("parts", rows, top.depth + 1, passed_over, doubts)
        if not folders:
            doubts += doubts_of(top, shown, read)
    above = {top.path: top} if folders else {}
    folders = folders or {top: None}
    for folder in (*above.values(), *folders):
        pass_over(folder.others, "files outside the class folders", passed_over)
        pass_over(folder.pictures, "pictures outside the class folders", passed_over)
    empty = _empty_folders(listing, (top, *folders), chosen.exclude)
    if empty:
        passed_over[f"folders without pictures ({few(empty)})"] += len(empty)
    rows = [
        LabeledMember(member, label, part)
        for folder, part in folders.items()
        for label, files in ((label_of(name), files) for name, files in folder.inner.items())
        for member in files
    ]
    kind: Kind = "parts" if any(folders.values()) else "folders"
    depth = max(folder.depth for folder in folders) + 1
    return _finished(kind, rows, depth, passed_over, doubts)


def _finished(
    kind: Kind,
    rows: Sequence[LabeledMember],
    depth: int,
    passed_over: Counter[str],
    doubts: Sequence[Doubt],
) -> Arrangement:
    """The arrangement, without the annotations among its files."""
    stems = {row.member.name.rpartition(".")[0] for row in rows if may_be_picture(row.member.name)}
    kept = [row for row in rows if not _is_annotation(row.member.name, stems)]
    if len(kept) < len(rows):
        passed_over["annotations beside the pictures"] += len(rows) - len(kept)
    return Arrangement(kind, tuple(kept), depth, passed_over, tuple(doubts))


def _is_annotation(name: str, stems: set[str]) -> bool:
    """Whether a file is a table, or a text with the name of a picture."""
    return looks_like_table(name) or (ending(name) in _TEXTS and name.rpartition(".")[0] in stems)


def _not_excluded(
    members: list[Member], patterns: Sequence[str], shown: str, passed_over: Counter[str]
) -> list[Member]:
    for pattern in patterns:
        wanted = pattern.strip("/")
        kept = [member for member in members if not is_excluded(member.name, wanted)]
        if len(kept) == len(members):
            raise SettingsError(
                f"--exclude {quote(pattern)} matches no file or folder of {quote(shown)}.",
                remedy="Give a name such as 'masks', or a path from the top such as 'train/old'.",
                code="exclude",
            )
        passed_over[f"excluded by --exclude {pattern}"] += len(members) - len(kept)
        members = kept
    return members


def is_excluded(name: str, pattern: str) -> bool:
    """Whether a pattern matches a file, or one of the folders that it lies in.

    Example:
        >>> is_excluded("a/masks/1.png", "masks"), is_excluded("a/masks/1.png", "a/m*")
        (True, True)
        >>> is_excluded("a/masks/1.png", "m*/1.png"), is_excluded("masks.png", "masks")
        (False, False)
    """
    steps = name.split("/")
    if "/" not in pattern:
        return any(fnmatch.fnmatchcase(step, pattern) for step in steps)
    depth = pattern.count("/") + 1
    return len(steps) >= depth and all(
        fnmatch.fnmatchcase(step, part)
        for step, part in zip(steps, pattern.split("/"), strict=False)
    )


def _classes_in(top: Tree, place: str, shown: str) -> dict[Tree, Part | None]:
    """The folders whose folders are the classes."""
    found = [top]
    for step in () if place.strip("/") in ("", HERE) else place.strip("/").split("/"):
        found = [
            tree.enter(name)
            for tree in found
            for name in tree.inner
            if fnmatch.fnmatchcase(name, step)
        ]
    found = [tree for tree in found if tree.inner]
    if not found:
        raise SettingsError(
            f"--classes-in {quote(place)} leads to no folder with folders of pictures in "
            f"{quote(shown)}.",
            remedy=f"It has {listed(sorted(top.inner, key=natural))}; '.' is the top.",
            code="classes_in",
        )
    return dict.fromkeys(found)


def _look_through(top: Tree, passed_over: Counter[str]) -> Tree:
    """The folder below those that hold nothing but one folder of folders."""
    while (name := top.only_folder) is not None:
        below = top.enter(name)
        if below.pictures or not below.inner:
            break
        pass_over(top.others, "files outside the class folders", passed_over)
        top = below
    return top


def _empty_folders(listing: Listing, folders: Iterable[Tree], exclude: Sequence[str]) -> list[str]:
    """Folders in the place of a class or part, but with nothing that may be a picture."""
    inner = {folder.path: folder.inner for folder in folders}
    empty = []
    for path in listing.folders:
        above, _, name = path.rpartition("/")
        above = f"{above}/" if above else ""
        if above in inner and name not in inner[above]:
            empty.append(path)
    empty = [path for path in empty if not any(is_excluded(path, one) for one in exclude)]
    return sorted(empty, key=natural)


def _empty(shown: str, listing: Listing, archives: Sequence[str], files: int) -> SourceError:
    holds = "nothing" if not listing.folders and not files else "no pictures"
    if archives:
        holds = f"no pictures, but archives ({few(archives)})"
    elif files:
        holds = f"no pictures, only {files:,} other file" + ("s" if files > 1 else "")
    elif listing.folders:
        holds = f"no pictures, only empty folders ({few(sorted(listing.folders, key=natural))})"
    passed = sum(listing.passed_over.values())
    more = f" ({passed:,} hidden or unreadable entries were passed over)" if passed else ""
    return SourceError(
        f"{quote(shown)} holds {holds}{more}.",
        remedy="Give one of the archives by itself."
        if archives
        else "Give a folder with one folder of pictures for each class.",
        code="empty_folder",
    )
