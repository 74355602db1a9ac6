"""What may be wrong with the way a folder was understood, before any picture is read.

A *doubt* of level ``error`` stops a training: the folders may mean something else than classes, and
a classifier of the wrong thing would look healthy. It ends with the options that settle it. The
rules look at names alone, so they cost nothing.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tellapart.core.text import agree, listed
from tellapart.data.sources.base import Member
from tellapart.data.sources.names import may_be_picture
from tellapart.data.sources.parts import part_name, parts_among
from tellapart.data.sources.tables import looks_like_table
from tellapart.data.sources.tree import Tree

# fmt: off
_MASKS = frozenset({
    "mask", "masks", "segmentation", "segmentations", "segmented", "annotation", "annotations",
    "groundtruth", "gt", "trimap", "trimaps",
})
# fmt: on
_NAMED = 3  # folders named in a sentence
_MOST_TABLE, _HEAD, _LINES = 64 << 20, 1 << 16, 200  # of a table that is looked at
_SHARED = 0.5  # of a folder's files that must have a namesake to be masks


@dataclass(frozen=True, slots=True)
class Doubt:
    """One doubt about the layout.

    Attributes:
        code: A stable name; docs/audit.md lists all.
        level: ``error`` stops a training, ``warning`` and ``note`` do not.
        count: How many folders it is about.
        sentence: What was seen and why it matters.
        remedy: What settles it.
    """

    code: str
    level: Literal["error", "warning", "note"]
    count: int
    sentence: str
    remedy: str


def doubts_of(top: Tree, shown: str, read: Callable[[Member], bytes]) -> Iterator[Doubt]:
    """Doubts about taking the folders inside ``top`` for classes.

    Args:
        top: The folder whose folders were taken for classes.
        shown: The data as the user named it, for commands.
        read: Gives the bytes of a file, for tables beside the folders.
    """
    trees = {name: top.enter(name) for name in top.inner}
    rules = (_masks_as_class, _copies_inside, _parts_as_classes, _parts_in_folders,
             _same_folders_inside)  # fmt: skip
    for rule in rules:
        if doubt := rule(trees, top, shown):
            yield doubt
            break
    else:
        yield from _table_beside(trees, top, shown, read)
    yield from _masks(trees, shown)


def _named_like_parts(trees: Mapping[str, Tree]) -> list[str]:
    """Classes whose name is that of a part, alone or with the name of another class."""
    words = {name.lower() for name in trees}
    found = []
    for name in trees:
        part = part_name(name)
        if part is not None and (not part.rest or " ".join(part.rest) in words):
            found.append(name)
    return found


def _parts_as_classes(trees: Mapping[str, Tree], top: Tree, shown: str) -> Doubt | None:
    """Folders named like parts that would be classes."""
    parts = _named_like_parts(trees)
    if not parts:
        return None
    n = len(parts)
    are = f"{listed(parts, _NAMED)} {agree(n, 'is', 'are')}"
    if n == len(trees) and not any(tree.inner for tree in trees.values()):
        tables = [*top.others, *(file for tree in trees.values() for file in tree.others)]
        names = [file.name for file in tables if looks_like_table(file.name)]
        may = agree(len(names), "It may", "They may")
        table = f" Beside them: {listed(names, _NAMED)}. {may} have the labels." if names else ""
        return Doubt(
            "parts_without_labels", "error", n,
            f"{are} named like parts of a data set, and the pictures in them have no class.{table}",
            (f"Give the table instead of the folder: {train_command(shown, names[0])}. "
             if names else "Sort them into one folder per class, or give a table of labels. ")
            + "If these are the classes, say so: --classes-in .",
        )  # fmt: skip
    others = [name for name in trees if name not in parts]
    beside = f" beside {listed(others, _NAMED)}" if others else ""
    # Parts that hold class folders are meant; then what stands beside them is the stranger.
    strange = others if others and all(trees[name].inner for name in parts) else parts
    return Doubt(
        "class_named_like_part", "error", n,
        f"{are} named like {agree(n, 'a part', 'parts')} of a data set, but would be "
        f"{agree(n, 'a class', 'classes')}{beside}.",
        f"Leave {listed(strange, _NAMED)} out: {train_command(shown)} {_excluding(strange, top)}. "
        f"If {agree(n, 'it is a class', 'they are classes')}, say so: --classes-in .",
    )  # fmt: skip


def train_command(shown: str, inside: str = "") -> str:
    """The command that trains on the data, or on something inside it."""
    return "tellapart train " + shlex.quote(f"{shown.rstrip('/')}/{inside}" if inside else shown)


def _table_beside(
    trees: Mapping[str, Tree], top: Tree, shown: str, read: Callable[[Member], bytes]
) -> Iterator[Doubt]:
    """A table beside the folders that names their files, and says other things of them."""
    folders = {_stem(file.name): name for name, tree in trees.items() for file in tree.all_pictures}
    same = len({tuple(re.findall(r"[^\W\d_]+", name.lower())) for name in trees}) == 1
    for table in top.others:
        if not looks_like_table(table.name) or not 0 < table.size <= _MOST_TABLE:
            continue
        named = repeated = 0
        for line in read(table)[:_HEAD].decode("utf-8", "replace").splitlines()[:_LINES]:
            cells = [cell.strip().strip('"') for cell in re.split(r"[,;\t]", line)]
            found = next((folders[one] for cell in cells if (one := _stem(cell)) in folders), None)
            named += found is not None
            repeated += found is not None and found.casefold() in map(str.casefold, cells)
        if named < 2 or repeated > named / 2:
            continue
        alone = len(trees) == 1 or same
        meant = "so the folders are no classes" if alone else "which are not used"
        yield Doubt(
            "table_beside", "error" if alone else "warning", 1,
            f"'{table.name}' names the pictures in the folders, and may have labels, {meant}.",
            f"To use it, give it instead of the folder: {train_command(shown, table.name)}."
            + (" If the folders are the classes, say so: --classes-in ." if alone else ""),
        )  # fmt: skip


def _stem(name: str) -> str:
    base = name.replace("\\", "/").rpartition("/")[2]
    return (base.rpartition(".")[0] if "." in base[1:] else base).casefold()


def _excluding(names: Sequence[str], top: Tree) -> str:
    return " ".join(f"--exclude {shlex.quote(top.path + name)}" for name in names)


def _parts_in_folders(trees: Mapping[str, Tree], top: Tree, shown: str) -> Doubt | None:
    """Folders that hold whole data sets with parts of their own."""
    found = []
    for name, tree in trees.items():
        while (inner := tree.only_folder) is not None:
            tree = tree.enter(inner)
        if len(parts_among(tree.inner) or {}) > 1:
            found.append((name, tree))
    if not found:
        return None
    names = [name for name, _ in found]
    n = len(names)
    first = found[0][1].path.rstrip("/")
    return Doubt(
        "parts_inside", "error", n,
        f"{listed(names, _NAMED)} {agree(n, 'holds', 'hold')} parts of a data set "
        f"({listed(list(found[0][1].inner), _NAMED)}), so {agree(n, 'it seems', 'they seem')} to "
        f"be {agree(n, 'a data set', 'data sets')} instead of {agree(n, 'a class', 'classes')}.",
        f"Give one of them: {train_command(shown, first)}. "
        f"If {listed(list(trees), _NAMED)} are the classes, say so: --classes-in .",
    )  # fmt: skip


def _masks_as_class(trees: Mapping[str, Tree], top: Tree, shown: str) -> Doubt | None:
    """A folder of masks at the top would be a class beside the pictures."""
    for name, tree in trees.items():
        if not _is_mask(name):
            continue
        stems = _stems(tree.all_pictures)
        for other, pictures in trees.items():
            if other == name or len(trees[name].inner.keys() & pictures.inner.keys()) > 1:
                continue  # a variant with the same classes
            if _are_namesakes(stems, pictures.all_pictures):
                return Doubt(
                    "masks_as_class", "error", 1,
                    f"'{name}' has files with the same names as '{other}'. It seems to hold masks, "
                    "and is no class.",
                    f"Leave it out: {train_command(shown)} {_excluding([name], top)}. "
                    f"If it is a class, say so: --classes-in .",
                )  # fmt: skip
    return None


def _are_namesakes(stems: set[str], files: Sequence[Member]) -> bool:
    return bool(stems) and len(stems & _stems(files)) >= _SHARED * len(stems)


def _copies_inside(trees: Mapping[str, Tree], top: Tree, shown: str) -> Doubt | None:
    """A class that holds folders named like the other classes is a second copy of them."""
    names = {name.lower() for name in trees}
    copies = []
    for name, tree in trees.items():
        siblings = names - {name.lower()}
        inside = siblings & {inner.lower() for inner in tree.inner}
        if inside and len(inside) >= min(2, len(siblings)):
            copies.append(name)
    if not copies or len(copies) == len(trees):
        return None
    n = len(copies)
    return Doubt(
        "copy_inside", "error", n,
        f"{listed(copies, _NAMED)} {agree(n, 'holds', 'hold')} folders with the names of the "
        f"folders beside {agree(n, 'it', 'them')}, so {agree(n, 'it seems', 'they seem')} to be "
        f"another copy of the data instead of {agree(n, 'a class', 'classes')}.",
        f"Leave {agree(n, 'it', 'them')} out: {train_command(shown)} {_excluding(copies, top)}. "
        f"Or take the classes in it: --classes-in {shlex.quote(top.path + copies[0])}. "
        f"If {agree(n, 'it is a class', 'they are classes')}, say so: --classes-in .",
    )  # fmt: skip


def _same_folders_inside(trees: Mapping[str, Tree], top: Tree, shown: str) -> Doubt | None:
    """Folders that hold folders of the same names are variants, folds or sites, not classes."""
    if len(trees) < 2 or any(len(tree.inner) < 2 for tree in trees.values()):
        return None
    shared = set.intersection(*({name.lower() for name in tree.inner} for tree in trees.values()))
    if len(shared) < 2 or shared & _MASKS:
        return None
    names = list(trees)
    inside = [name for name in next(iter(trees.values())).inner if name.lower() in shared]
    return Doubt(
        "same_folders_inside", "error", len(trees),
        f"{listed(names, _NAMED)} {'both' if len(names) == 2 else 'all'} hold folders called "
        f"{listed(inside, _NAMED)}. So the classes may be the folders inside, and "
        f"{listed(names, _NAMED)} variants, folds or places.",
        f"Take the folders inside as the classes: {train_command(shown)} --classes-in '*'. Only "
        f"those of one folder: --classes-in {shlex.quote(names[0])}. As parts: --parts "
        f"{names[0]}=train,{names[-1]}=test. If {listed(names, _NAMED)} are the classes, say so: "
        "--classes-in .",
    )  # fmt: skip


def _masks(trees: Mapping[str, Tree], shown: str) -> Iterator[Doubt]:
    """A folder of masks beside the pictures, with the same file names, counts as pictures."""
    found: dict[str, tuple[str, str]] = {}
    for name, tree in trees.items():
        masks = [inner for inner in tree.inner if _is_mask(inner)]
        for inner in masks:
            stems = _stems(tree.inner[inner])
            for other in [""] + [one for one in tree.inner if one != inner]:
                files = tree.inner[other] if other else tree.pictures
                if _are_namesakes(stems, files):
                    found[inner] = (f"{name}/{other}".rstrip("/"), f"{name}/{inner}")
    for inner, (pictures, masks_at) in found.items():
        yield Doubt(
            "masks_beside_pictures", "warning", len(trees),
            f"'{masks_at}' has files with the same names as '{pictures}'. They seem to be masks, "
            "and would be learned from as pictures of the class.",
            f"Leave them out: {train_command(shown)} --exclude {shlex.quote(inner)}",
        )  # fmt: skip


def _is_mask(folder: str) -> bool:
    words = folder.lower().replace("-", " ").replace("_", " ").split()
    return bool(_MASKS.intersection(words)) or folder.lower().replace(" ", "") in _MASKS


def _stems(files: Sequence[Member]) -> set[str]:
    """Names without folders, endings, and the ending ``_mask``."""
    stems = set()
    for file in files:
        if may_be_picture(file.name):
            stem = file.name.rpartition("/")[2].rpartition(".")[0].lower()
            for end in ("_mask", "-mask", "_segmentation"):
                stem = stem.removesuffix(end)
            stems.add(stem)
    return stems
