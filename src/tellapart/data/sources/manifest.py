"""A manifest: a table with one picture per row, its label, and perhaps its part and group.

Paths are relative to the manifest's folder and stay inside it. A manifest often comes from
somewhere else, and must not make the software read ``/etc`` or a neighbor's files. Links inside
the folder are followed.
"""

from __future__ import annotations

import contextlib
import json
import posixpath
import re
from collections import Counter
from dataclasses import dataclass

from tellapart.core.errors import SourceError
from tellapart.data.sources.base import LabeledMember, Listing, Member
from tellapart.data.sources.columns import Columns, columns_of
from tellapart.data.sources.folder import FolderStore, member_at
from tellapart.data.sources.lookup import Lookup, is_elsewhere
from tellapart.data.sources.names import absolute, few, label_of, part_of, quote, raw
from tellapart.data.sources.parts import parts_among
from tellapart.data.sources.tables import Table, looks_like_table, read_table, report_faults

_ADDRESS = re.compile(r"^[a-z][a-z0-9+.\-]*://", re.IGNORECASE)


@dataclass(frozen=True)
class Manifest:
    """The pictures of a manifest, what was passed over or noted, and how it was read."""

    store: FolderStore
    rows: tuple[LabeledMember, ...]
    listing: Listing
    read_as: str


def read_manifest(
    path: str,
    *,
    pictures: str | None = None,
    path_column: str | None = None,
    label_column: str | None = None,
) -> Manifest:
    """Read a CSV, JSON Lines or Parquet manifest.

    A file that does not exist becomes a row that cannot be read, so that it is
    listed; the same row twice is kept once and counted.

    Args:
        path: The table.
        pictures: The folder that its paths are relative to; the table's own unless given.
        path_column: The column of files; found by name and content unless given.
        label_column: The column of labels; found by name and content unless given.

    Raises:
        SourceError: The table is broken, a column is missing, a path leads out of
            the folder, a label is empty, a split is not known, rows contradict
            each other, or not one of the files exists.
    """
    table = read_table(path)
    root = absolute(path).rpartition("/")[0] if pictures is None else absolute(pictures)
    files = _Files(root)
    columns = columns_of(
        table, path, path_column=path_column, label_column=label_column, is_there=files.has
    )
    if not table.rows:
        raise SourceError(f"The manifest {quote(path)} has no rows.", code="empty_manifest")
    listing = Listing()
    files.lookup.how.clear()
    rows, faults = _understand(table, columns, files, listing.passed_over)
    report_faults(
        faults,
        path,
        error=SourceError,
        remedy="Correct these rows; paths are relative to the manifest's folder.",
        code="manifest_rows",
    )
    if all(row.member.fault for row in rows):
        raise SourceError(
            f"None of the {len(rows):,} files of {quote(path)} can be found; the first is "
            f"{quote(rows[0].member.name)} in {quote(root)}.",
            remedy="Name the folder that has them: --pictures FOLDER.",
            code="missing_files",
        )
    if strange := columns.unused:
        listing.noted[f"columns of the manifest that are not used ({few(strange)})"] = len(strange)
    for how, count in files.lookup.how.items():
        listing.noted[f"pictures {how}"] += count
    return Manifest(FolderStore(root), tuple(rows), listing, _read_as(columns))


def read_tables_in_parts(root: str, listing: Listing) -> Manifest | None:
    """Read the table in each part's folder (``train/_classes.csv``, ``train/metadata.jsonl``).

    Args:
        root: The folder of the data.
        listing: Its files.

    Returns:
        The pictures with the parts of their folders; None unless every part has one table that
        can be read.
    """
    tables: dict[str, list[str]] = {}
    for member in listing.members:
        folder, _, name = member.name.rpartition("/")
        if folder and looks_like_table(name):
            tables.setdefault(folder, []).append(name)
    parts = parts_among(folder.rpartition("/")[2] for folder in tables)
    if parts is None or len(parts) < len(tables):
        return None
    rows: list[LabeledMember] = []
    together = Listing()
    said: set[str] = set()
    for folder, names in sorted(tables.items()):
        read = []
        for name in names:
            with contextlib.suppress(SourceError):
                read.append(read_manifest(f"{root}/{folder}/{name}"))
        if len(read) != 1:
            return None
        part = parts[folder.rpartition("/")[2]]
        rows += [
            LabeledMember(
                row.member._replace(name=f"{folder}/{row.member.name}"), row.label, part, row.group
            )
            for row in read[0].rows
        ]
        together.passed_over.update(read[0].listing.passed_over)
        together.noted.update(read[0].listing.noted)
        said.add(f"{folder}/{names[0]}")
    told = f"Read as parts with a table of labels each: {few(sorted(said))}."
    return Manifest(FolderStore(root), tuple(rows), together, told)


def _read_as(columns: Columns) -> str:
    """Which columns were taken, unless they have the usual names."""
    if columns.usual:
        return ""
    label = f"'{columns.label}'" if columns.label else f"{len(columns.one_hot)} columns of 0 and 1"
    told = f"Read as a table of labels: files from '{columns.path}', labels from {label}"
    return told + (f", parts from '{columns.split}'." if columns.split else ".")


class _Files:
    """The files of a manifest: those its cells name, else those that they seem to mean."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.lookup = Lookup(root)

    def has(self, cell: str) -> bool:
        """Whether a cell names a file."""
        return bool(cell) and not self.member(cell)[1] and not self.member(cell)[0].fault

    def member(self, cell: str) -> tuple[Member, str]:
        """The file that a cell means, and why it is refused (else empty)."""
        name, problem = _name(cell, self.root)
        member = Member(name, 0) if problem else _member(self.root, name)
        if (problem and not is_elsewhere(cell)) or not (problem or member.fault):
            return member, problem
        if _ADDRESS.match(cell) or "\0" in cell:
            return member, problem
        found = self.lookup.find(cell)
        return (member, problem) if found is None else (found, "")


def _understand(
    table: Table, columns: Columns, files: _Files, passed_over: Counter[str]
) -> tuple[list[LabeledMember], list[str]]:
    """The rows that make sense, and a sentence for each one that does not."""
    kept: dict[str, tuple[LabeledMember, int]] = {}
    faults: list[str] = []
    for cells, line in zip(table.rows, table.lines, strict=True):
        here = f"{table.unit} {line:,}"
        split = cells.get(columns.split, "")
        part = part_of(split)
        member, problem = files.member(cells[columns.path])
        label, none = columns.label_of(cells)
        problem = problem or none or _several(label)
        if split and part is None:
            problem = problem or f"the split {quote(split)} is none of train, validation, test"
        if problem:
            faults.append(f"{here}: {problem}")
            continue
        group = label_of(cells.get(columns.group, "")) or None
        row = LabeledMember(member, label_of(label), part, group)
        before = kept.setdefault(member.name, (row, line))
        if before[1] == line:
            continue
        if (before[0].label, before[0].part, before[0].group) == (row.label, row.part, row.group):
            passed_over["repeated rows of the manifest"] += 1
        else:
            faults.append(f"{here}: {quote(member.name)} differs from {table.unit} {before[1]:,}")
    rows = [row for row, _ in kept.values()]
    faults.extend(_half_split(rows))
    return rows, faults


def _several(label: str) -> str:
    """Why a label of a list or an object is none."""
    if label[:1] not in "[{":
        return ""
    try:
        value = json.loads(label)
    except ValueError:
        return ""
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        return f"it has {len(value)} labels, and a picture has one"
    return "the label is a list or an object, and not a name" if value != label else ""


def _half_split(rows: list[LabeledMember]) -> list[str]:
    without = sum(row.part is None for row in rows)
    if 0 < without < len(rows):
        return [f"the split is empty in {without:,} of {len(rows):,} rows; fill all or none"]
    return []


def _name(cell: str, root: str) -> tuple[str, str]:
    """The path relative to the root, and why it is refused (else empty)."""
    if not cell:
        return "", "the path is empty"
    if _ADDRESS.match(cell):
        return "", f"{quote(cell)} is an address; only files are read"
    if "\0" in cell:
        return "", f"{quote(cell)} is not a path"
    name = posixpath.normpath(cell)
    if name.startswith("/"):
        if not name.startswith(f"{root}/"):
            return "", f"{quote(cell)} is outside the manifest's folder"
        name = name[len(root) + 1 :]
    if name in ("..", ".") or name.startswith("../"):
        return "", f"{quote(cell)} is outside the manifest's folder"
    return name, ""


def _member(root: str, name: str) -> Member:
    """The file of that name; else as Windows, or as this software, would write its name."""
    found = member_at(root, name)
    if found.fault and "\\" in name:
        for other in (raw(name), name.replace("\\", "/")):
            inside, problem = _name(other, root)
            candidate = Member(name, 0, fault="-") if problem else member_at(root, inside)
            if not candidate.fault:
                return candidate
    return found
