"""Check whether a path is a copy of a data set: by SHA-256, size, or count.

A copy as its provider packs it is compared by SHA-256 if one is known, else by size. Of an
unpacked copy, only the pictures can be counted. The result says what could not be compared.
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
        path: The path for ``tellapart.train``.
        dataset: The record of its data set.
        notes: What users should know about this copy, as sentences.
        sha256s: The SHA-256 of each of its files, by name; empty for an unpacked copy.
    """

    path: Path
    dataset: DataSet
    notes: tuple[str, ...]
    sha256s: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):
    """What is at the path is not a copy of the data set; the message says why."""


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def mismatch(file: DataFile, path: Path, sha256: str) -> str | None:
    """Why a file is not the one of the record, as a sentence; None if it is.

    Args:
        file: The record.
        path: The file on disk.
        sha256: Its SHA-256.
    """
    if file.sha256s:
        if sha256 in file.sha256s:
            return None
        known = " or ".join(f"{known[:12]}…" for known in file.sha256s)
        return f"{quote(str(path))} is not the known file: its SHA-256 is {sha256}, not {known}."
    size = path.stat().st_size
    if size == (file.size or size):
        return None
    return f"{quote(str(path))} has {size:,} bytes, and not {file.size:,}."


def matches(file: DataFile, path: Path) -> bool:
    """Whether a path is the file of the record."""
    return path.is_file() and mismatch(file, path, sha256_of(path)) is None


def packed_copy(dataset: DataSet, path: Path) -> Found | None:
    """A copy as its provider packs it, a folder of arrays or one archive; None if none is there.

    Raises:
        Refused: It is incomplete, or another file.
    """
    folder = path.is_dir()
    paths = {file: path / file.name if folder else path for file in dataset.files}
    lacking = [file.name for file, one in paths.items() if not one.is_file()]
    if len(lacking) == len(paths) or (len(paths) > 1 and not folder):
        return None
    if lacking:
        raise Refused(f"{quote(str(path))} lacks {', '.join(lacking)}.")
    sums = {}
    notes = list(dataset.notes)
    for file, one in paths.items():
        sums[file.name] = sha256_of(one)
        if why := mismatch(file, one, sums[file.name]):
            raise Refused(why)
        if not file.sha256s:
            size = "" if file.size is None else f"its size, {file.size:,} bytes, is right; "
            notes.append(
                f"Nobody publishes a SHA-256 of {file.name}, so there was nothing to compare it "
                f"with: {size}its SHA-256 is {sums[file.name]}."
            )
    if dataset.form == "folders":
        notes += _differences(dataset, path, _count_in_archive(dataset, path))
    return Found(path, dataset, tuple(notes), sums)


def unpacked_copy(dataset: DataSet, folder: Path) -> Found | None:
    """A copy as folders of pictures; None if none of its class folders is there.

    Raises:
        Refused: Pictures are missing, or there are too many.
    """
    counts = {name: _count(folder / name) for name in dataset.tree}
    if not any(counts.values()):
        return None
    notes = [*dataset.notes, *_differences(dataset, folder, counts)]
    if dataset.form != "embedded":
        notes.append(
            "It is a folder of pictures: they were counted, and there was nothing to compare "
            "them with."
        )
    return Found(folder, dataset, tuple(notes))


def _differences(dataset: DataSet, path: Path, counts: Mapping[str, int]) -> list[str]:
    """Sentences about counts that differ from the record's.

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


def _count_in_archive(dataset: DataSet, path: Path) -> dict[str, int]:
    """Pictures in each class folder of an archive, with or without a folder around them."""
    from tellapart.data.sources.path_kinds import kind_of, open_store

    try:
        kind = kind_of(str(path))
        if kind == "manifest":
            raise Refused(f"{quote(str(path))} is not an archive.")
        store = open_store(str(path), kind)
        try:
            names = [member.name for member in store.listing().members]
        finally:
            store.close()
    except SourceError as error:
        raise Refused(error.message) from error
    folders = ["/" + name.rpartition("/")[0] for name in names]
    return {name: sum(one.endswith("/" + name) for one in folders) for name in dataset.tree}
