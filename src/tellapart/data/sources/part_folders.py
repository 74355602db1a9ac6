"""Parts of a data set by its folders: training, validation and test, and the classes in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from tellapart.core.errors import LabelError, SettingsError
from tellapart.core.natural_order import natural
from tellapart.core.text import counted, listed
from tellapart.data.sources.base import LabeledMember
from tellapart.data.sources.doubts import Doubt
from tellapart.data.sources.name_labels import labels_in_names, no_class_folders
from tellapart.data.sources.names import PARTS, Part, label_of, quote
from tellapart.data.sources.parts import is_generic, part_name, parts_among
from tellapart.data.sources.tree import Tree, pass_over


def given_parts(
    top: Tree, parts: Mapping[str, Part], shown: str, passed_over: Counter[str]
) -> dict[Tree, Part | None]:
    """The parts that the user names.

    Args:
        top: The folder that holds them.
        parts: The part of each folder.
        shown: How a message names the data.
        passed_over: Count of what is not among the rows, by reason; added to.

    Raises:
        SettingsError: A folder is not there.
        LabelError: A part has no class folders.
    """
    missing = [name for name in parts if name not in top.inner]
    if missing:
        raise SettingsError(
            f"--parts names {listed(missing)}, but {quote(shown)} has no such folder.",
            remedy=f"It has {listed(sorted(top.inner, key=natural))}.",
            code="parts",
        )
    for name in top.inner.keys() - parts.keys():
        pass_over(top.inner[name], "files outside the given parts", passed_over)
    trees = _unwrapped([top.enter(name) for name in parts], passed_over)
    folders: dict[Tree, Part | None] = dict(zip(trees, parts.values(), strict=True))
    flat = [folder for folder in folders if not folder.inner]
    if flat:
        raise LabelError(
            f"{quote(flat[0].path)} in {quote(shown)} has no class folders.",
            remedy="Name only parts that have some in --parts.",
            code="unlabelled_part",
        )
    return folders


def find_parts(
    top: Tree, shown: str, passed_over: Counter[str], doubts: list[Doubt]
) -> dict[Tree, Part | None]:
    """The parts in a folder by the names of its folders; empty if these are classes.

    Args:
        top: The folder.
        shown: How a message names the data.
        passed_over: Count of what is not among the rows, by reason; added to.
        doubts: What may be wrong with this; added to.

    Raises:
        SourceError: No part has class folders, but names of files seem to contain labels.
        LabelError: The training part has no class folders, while another one has.
    """
    named = parts_among(top.inner)
    if named is None:
        return {}
    trees = _unwrapped([top.enter(name) for name in named], passed_over)
    parts = dict(zip(trees, named.values(), strict=True))
    labeled: dict[Tree, Part | None] = {
        folder: part for folder, part in parts.items() if folder.inner and part
    }
    for folder in _without_known_class(labeled):
        del labeled[folder]
    flat = [folder for folder in parts if folder not in labeled]
    if not labeled:
        training = [folder for folder in flat if parts[folder] == "train"]
        pictures = [member for folder in training or flat for member in folder.pictures]
        if labels_in_names(pictures):
            raise no_class_folders(pictures, shown, top.others)
        return {}
    if any(parts[folder] == "train" for folder in flat):
        without = next(folder for folder in flat if parts[folder] == "train")
        raise LabelError(
            f"In {quote(shown)}, {quote(next(iter(labeled)).path)} holds class folders, but "
            f"{quote(without.path)} holds pictures without a class.",
            remedy=f"Use the labeled folder alone: {_join(shown, next(iter(labeled)).path)}",
            code="unlabelled_part",
        )
    doubts += _how_read(top, named, labeled, flat, shown)
    for folder in flat:
        pass_over(folder.all_pictures, f"pictures without a class in {folder.path}", passed_over)
    return labeled


def _without_known_class(parts: Mapping[Tree, Part | None]) -> list[Tree]:
    """Parts whose only folder says nothing, and is no class to learn (``val/images``)."""
    known = {name for folder, part in parts.items() if part == "train" for name in folder.inner}
    return [
        folder
        for folder, part in parts.items()
        if known
        and part != "train"
        and (name := folder.only_folder)
        and name not in known
        and is_generic(name)
    ]


def _unwrapped(parts: Sequence[Tree], passed_over: Counter[str]) -> list[Tree]:
    """The folders that hold the classes of each part: below ``test/test``, ``test/images``."""
    inner = [_below_part_names(part) for part in parts]
    names = {tree.only_folder for tree in inner}
    if len(names) == 1 and (name := names.pop()) is not None:
        below = [tree.enter(name) for tree in inner]
        if all(len(tree.inner) > 1 and not tree.pictures for tree in below):
            for tree in inner:
                pass_over(tree.others, "files outside the class folders", passed_over)
            return below
    return inner


def _below_part_names(tree: Tree) -> Tree:
    while (name := tree.only_folder) is not None and part_name(name):
        tree = tree.enter(name)
    return tree


def _how_read(
    top: Tree,
    named: Mapping[str, Part | None],
    labeled: Mapping[Tree, Part | None],
    flat: Sequence[Tree],
    shown: str,
) -> Iterator[Doubt]:
    """How parts were read, unless they are called as usual and all have labels."""
    if not flat and all(name.lower() in PARTS for name in named):
        return
    has_test = "test" in labeled.values()
    roles = {"train": "train", "test": "held out", "validation": "validation"}
    if not has_test:
        roles["validation"] = "held out"
    step = top.path.count("/")
    meanings = ", ".join(
        f"{folder.path.split('/')[step]} → {roles[part]}"
        for part in ("train", "validation", "test")
        for folder in labeled
        if labeled[folder] == part
    )
    without = "".join(
        f" {folder.path} has {counted(len(folder.all_pictures), 'picture')} without a class, "
        "left out."
        for folder in flat
    )
    remedy = "If that is wrong, say what they are with --parts, --classes-in or --exclude."
    if flat:
        remedy = f"Predict them: tellapart predict RUN {_join(shown, flat[0].path)}"
    yield Doubt("read_as_parts", "note", len(named), f"Read as parts: {meanings}.{without}", remedy)


def parts_inside(top: Tree, doubts: list[Doubt]) -> list[LabeledMember]:
    """The rows of classes that hold nothing but folders named like parts; else none."""
    rows: list[LabeledMember] = []
    seen: dict[str, Part | None] = {}
    for name in top.inner:
        tree = top.enter(name)
        parts = parts_among(tree.inner) if not tree.pictures else None
        if parts is None or len(parts) < 2:
            return []
        seen |= parts
        rows += [
            LabeledMember(member, label_of(name), part)
            for inner, part in parts.items()
            for member in tree.inner[inner]
        ]
    if len(top.inner) < 2 or not rows:
        return []
    meanings = ", ".join(f"{name} → {part or 'no part'}" for name, part in seen.items())
    doubts.append(
        Doubt(
            "read_as_parts",
            "note",
            len(seen),
            f"Read as parts inside the classes: {meanings}.",
            "If that is wrong, say so: --classes-in .",
        )
    )
    return rows


def _join(shown: str, path: str) -> str:
    return quote(f"{shown.rstrip('/')}/{path.rstrip('/')}")
