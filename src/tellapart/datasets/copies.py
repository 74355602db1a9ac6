"""Whether what lies at a path is a copy of a data set: by SHA-256, size, or count.

A copy as its provider packs it is compared by SHA-256 where one is known, else by size; a copy
that somebody unpacked can only be counted. What could not be compared is told.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tellapart.core.errors import SourceError
from tellapart.data.sources.names import passing_reason, quote
from tellapart.datasets.dataset import DataFile, DataSet


@dataclass(frozen=True, slots=True)
class Found:
    """A copy that was found and checked.

    Attributes:
        path: What to hand to ``tellapart.train``.
        dataset: Whose copy it is.
        told: What is worth telling about it, as sentences.
        sha256s: The SHA-256 of each of its files, by name; empty for an unpacked copy.
    """

    path: Path
    dataset: DataSet
    told: tuple[str, ...]
    sha256s: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):
    """Something lies there, but it is not what it should be."""


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def fault(file: DataFile, path: Path, sha256: str) -> str | None:
    """Why a file is not the one of the record, as a sentence, or None where it is.

    Args:
        file: The record.
        path: The file on disk.
        sha256: What it hashes to.
    """
    if file.sha256s and sha256 not in file.sha256s:
        known = " or ".join(f"{known[:12]}…" for known in file.sha256s)
        return f"{quote(str(path))} is not the known file: its SHA-256 is {sha256}, not {known}."
    size = path.stat().st_size
    if not file.sha256s and file.size is not None and size != file.size:
        return f"{quote(str(path))} has {size:,} bytes, and not {file.size:,}."
    return None


def packed_copy(dataset: DataSet, path: Path) -> Found | None:
    """A copy as its provider packs it: a folder of arrays, or one archive."""
    folder = path.is_dir()
    paths = [path / file.name if folder else path for file in dataset.files]
    there = [one.is_file() for one in paths]
    if not any(there) or (len(dataset.files) > 1 and not folder):
        return None
    if not all(there):
        lacking = ", ".join(
            one.name for one, is_there in zip(paths, there, strict=True) if not is_there
        )
        raise Refused(f"{quote(str(path))} lacks {lacking}.")
    sums = {}
    told = list(dataset.notes)
    for file, one in zip(dataset.files, paths, strict=True):
        sums[file.name] = sha256_of(one)
        if why := fault(file, one, sums[file.name]):
            raise Refused(why)
        if not file.sha256s:
            told.append(_nothing_to_compare(file, sums[file.name]))
    if dataset.form == "folders":
        told += _differences(dataset, path, _in_archive(dataset, path))
    return Found(path, dataset, tuple(told), sums)


def _nothing_to_compare(file: DataFile, sha256: str) -> str:
    size = f"its size, {file.size:,} bytes, is right; " if file.size is not None else ""
    return (
        f"Nobody publishes a SHA-256 of {file.name}, so there was nothing to compare it with: "
        f"{size}its SHA-256 is {sha256}."
    )


def unpacked_copy(dataset: DataSet, folder: Path) -> Found | None:
    """A copy as folders of pictures: every class folder there, and as full as it should be."""
    counts = {name: _count(folder / name) for name in dataset.tree}
    if not any(counts.values()):
        return None
    told = _differences(dataset, folder, counts)
    if dataset.form != "embedded":
        told.append(
            "It is a folder of pictures: they were counted, and there was nothing to compare "
            "them with."
        )
    return Found(folder, dataset, (*dataset.notes, *told))


def _differences(dataset: DataSet, path: Path, counts: Mapping[str, int]) -> list[str]:
    """What to tell of counts that differ from the record's.

    Raises:
        Refused: They differ more than broken pictures explain.
    """
    wrong = {name: n for name, n in counts.items() if n != dataset.tree[name]}
    if not wrong:
        return []
    listed = ", ".join(f"{n:,} of {dataset.tree[name]:,} in {name}" for name, n in wrong.items())
    if not dataset.damaged or not all(0 < n <= dataset.tree[name] for name, n in wrong.items()):
        raise Refused(f"{quote(str(path))} is not whole: it has {listed} pictures.")
    return [f"It has {listed} pictures."]


def _count(folder: Path) -> int:
    try:
        with os.scandir(folder) as entries:
            return sum(entry.is_file() and not passing_reason(entry.name) for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return 0


def _in_archive(dataset: DataSet, path: Path) -> dict[str, int]:
    """Pictures in each class folder of an archive, whether or not a folder wraps them."""
    from tellapart.data.sources.places import open_store, place_of

    try:
        place = place_of(str(path))
        if place == "manifest":
            raise Refused(f"{quote(str(path))} is no archive.")
        store = open_store(str(path), place)
        try:
            names = [member.name for member in store.listing().members]
        finally:
            store.close()
    except SourceError as error:
        raise Refused(error.message) from error
    folders = ["/" + name.rpartition("/")[0] for name in names]
    return {name: sum(one.endswith("/" + name) for one in folders) for name in dataset.tree}
