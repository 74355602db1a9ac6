"""A manifest: a table with one picture per row, its label, and perhaps its part and group.

Paths are relative to the manifest's folder and stay inside it. A manifest often comes from
somewhere else, and must not make the software read ``/etc`` or a neighbor's files. Links inside
the folder are followed.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from dataclasses import dataclass

from tellapart.core.errors import SourceError
from tellapart.data.sources.archives import some
from tellapart.data.sources.base import LabeledMember, Listing, Member
from tellapart.data.sources.folder import FolderStore, member_at
from tellapart.data.sources.names import absolute, label_of, part_of, quote, raw
from tellapart.data.sources.tables import Table, read_table, report_faults, require_columns

NEEDED = ("path", "label")
WANTED = ("split", "group")
_ADDRESS = re.compile(r"^[a-z][a-z0-9+.\-]*://", re.IGNORECASE)


@dataclass(frozen=True)
class Manifest:
    """The pictures of a manifest, and what was passed over or noted."""

    store: FolderStore
    rows: tuple[LabeledMember, ...]
    listing: Listing


def read_manifest(path: str) -> Manifest:
    """Read a CSV, JSON Lines or Parquet manifest.

    A file that does not exist becomes a row that cannot be read, so that it is
    listed; the same row twice is kept once and counted.

    Raises:
        SourceError: The table is broken, a column is missing, a path leads out of
            the folder, a label is empty, a split is not known, rows contradict
            each other, or not one of the files exists.
    """
    table = read_table(path, only=(*NEEDED, *WANTED))
    strange = require_columns(table, path, needed=NEEDED, wanted=WANTED)
    if not table.rows:
        raise SourceError(f"The manifest {quote(path)} has no rows.", code="empty_manifest")
    root = absolute(path).rpartition("/")[0]
    listing = Listing()
    rows, faults = _understand(table, root, listing.passed_over)
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
            remedy="Put the manifest into the folder that its paths are relative to.",
            code="missing_files",
        )
    if strange:
        listing.noted[f"columns of the manifest that are not used ({some(strange)})"] = len(strange)
    return Manifest(FolderStore(root), tuple(rows), listing)


def _understand(
    table: Table, root: str, passed_over: Counter[str]
) -> tuple[list[LabeledMember], list[str]]:
    """The rows that make sense, and a sentence for each one that does not."""
    kept: dict[str, tuple[LabeledMember, int]] = {}
    faults: list[str] = []
    for cells, line in zip(table.rows, table.lines, strict=True):
        here = f"{table.unit} {line:,}"
        split = cells.get("split", "")
        part = part_of(split)
        name, problem = _name(cells["path"], root)
        if not cells["label"]:
            problem = problem or "the label is empty"
        elif split and part is None:
            problem = problem or f"the split {quote(split)} is none of train, validation, test"
        if problem:
            faults.append(f"{here}: {problem}")
            continue
        member = _member(root, name)
        group = label_of(cells.get("group", "")) or None
        row = LabeledMember(member, label_of(cells["label"]), part, group)
        before = kept.setdefault(member.name, (row, line))
        if before[1] == line:
            continue
        if (before[0].label, before[0].part, before[0].group) == (row.label, row.part, row.group):
            passed_over["repeated rows of the manifest"] += 1
        else:
            faults.append(f"{here}: {quote(name)} differs from {table.unit} {before[1]:,}")
    rows = [row for row, _ in kept.values()]
    faults.extend(_half_split(rows))
    return rows, faults


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
