"""From a folder, archive or manifest to a catalog: one row per picture, in a fixed order.

Every command begins with a catalog. :func:`open_catalog` reads labeled data,
:func:`open_pictures` reads pictures to predict. Neither decodes a picture or changes a file. A
file that cannot be read, or is not a picture, still gets a row, so that later stages can report
it. Everything else is counted in ``passed_over``.

``sources.path_kinds`` finds out what a path is, the store lists its members, ``sources.layout``
(or ``sources.manifest``) gives them labels and parts, ``sources.groups`` gives groups, and
``corrections`` changes labels. This module sorts the rows and makes the frame.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from tellapart.core.errors import CorrectionsError, SettingsError, SourceError
from tellapart.core.natural_order import natural
from tellapart.data.corrections import read_corrections
from tellapart.data.sources.arrays import ArrayStore, arrays_in
from tellapart.data.sources.base import LabeledMember, Listing, Member, Source, Store
from tellapart.data.sources.doubts import Doubt
from tellapart.data.sources.folder import FolderStore, member_at
from tellapart.data.sources.groups import groups_of
from tellapart.data.sources.layout import Chosen, arrange
from tellapart.data.sources.manifest import read_manifest, read_tables_in_parts
from tellapart.data.sources.names import (
    Part,
    absolute,
    is_archive_name,
    part_of,
    printable,
    quote,
)
from tellapart.data.sources.path_kinds import StoreKind, kind_of, open_store

if TYPE_CHECKING:
    import polars as pl

Layout = Literal["folders", "parts", "manifest", "names", "arrays", "flat"]

READING = ("label_from", "group_from", "corrections", "classes_in", "parts", "exclude",
           "pictures", "path_column", "label_column")  # fmt: skip
"""The settings that :func:`open_catalog` takes."""

SCHEMA: Mapping[str, str] = {
    "path": "String",
    "path_bytes": "Binary",
    "label": "String",
    "part": "String",
    "group": "String",
    "bytes": "Int64",
}
"""Columns of a catalog's frame and their Polars types, by name: Polars is imported when a frame
is needed, which ``predict`` never does."""


@dataclass(frozen=True)
class Catalog:
    """The pictures of a data set, one row each, sorted by path.

    Attributes:
        columns: The columns of :attr:`frame`, as lists.
        frame: ``path`` (printable, unique), ``path_bytes`` (null unless it differs), ``label``
            (null only for layout ``flat``), ``part`` (``train``, ``validation``, ``test`` or null),
            ``group`` (or null), ``bytes`` (0 if the file cannot be read).
        source: Gives the bytes of a row.
        layout: How the labels were found.
        passed_over: Count of files, folders and rows that are not in the frame, by reason.
        classes: The labels in natural order (``2`` before ``10``).
        noted: Count of rows that are worth mentioning, by kind.
        doubts: What may be wrong with the way the folders were understood.

    Example:
        >>> catalog = open_catalog("pets/")  # doctest: +SKIP
        >>> catalog.classes, len(catalog)  # doctest: +SKIP
        (('cats', 'dogs'), 3000)
    """

    columns: Mapping[str, list[Any]]
    source: Source
    layout: Layout
    passed_over: Mapping[str, int]
    classes: tuple[str, ...]
    noted: Mapping[str, int] = field(default_factory=dict)
    doubts: tuple[Doubt, ...] = ()

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def paths(self) -> list[str]:
        """The column ``path``."""
        return self.columns["path"]

    @cached_property
    def frame(self) -> pl.DataFrame:
        """One row per picture, with the columns of :data:`SCHEMA`."""
        import polars as pl

        schema = {name: getattr(pl, kind) for name, kind in SCHEMA.items()}
        return pl.DataFrame(dict(self.columns), schema=schema)


class _Row(NamedTuple):
    """One picture on its way into the frame."""

    path: str  # printable, unique
    store: Store
    member: Member
    prefix: str = ""  # the text before the member's name in `path`, not escaped
    label: str | None = None
    part: Part | None = None
    group: str | None = None


def open_catalog(
    data: str | Path,
    *,
    label_from: Literal["name"] | None = None,
    group_from: str | None = None,
    corrections: str | Path | None = None,
    classes_in: str | None = None,
    parts: str | None = None,
    exclude: Sequence[str] = (),
    pictures: str | Path | None = None,
    path_column: str | None = None,
    label_column: str | None = None,
) -> Catalog:
    """Open labeled pictures.

    Args:
        data: A folder, a ``.zip``, ``.tar`` or ``.tar.gz``, an ``.npz``, or a manifest (``.csv``,
            ``.jsonl``, ``.parquet``).
        label_from: ``name`` to take labels from file names (``cat.0.jpg``).
        group_from: ``parent``, or a regular expression searched in the paths.
        corrections: A CSV of pictures to leave out or relabel.
        classes_in: The folder whose folders are the classes, such as ``.``, ``color`` or ``*``.
        parts: Folders that are parts, such as ``fold1=train,fold2=test``.
        exclude: Files and folders to leave out, such as ``masks`` or ``train/old*``.
        pictures: The folder that a manifest's paths are relative to; its own unless given.
        path_column: A manifest's column of files, where it is not clear.
        label_column: A manifest's column of labels, where it is not clear.

    Returns:
        The catalog; ``docs/data.md`` says what counts as data.

    Raises:
        SourceError: The data cannot be read or understood.
        LabelError: There are no labels.
        SettingsError: One of the options has no meaning here.
        CorrectionsError: The corrections do not fit the data.
    """
    if label_from not in (None, "name"):
        raise SettingsError(
            f"--label-from {quote(str(label_from))} has no meaning.",
            remedy="The only value is 'name'.",
            code="label_from",
        )
    path = os.fspath(data)
    kind = kind_of(path)
    chosen = Chosen(label_from, classes_in, _parts_in(parts), tuple(exclude))
    table = {
        "pictures": None if pictures is None else os.fspath(pictures),
        "path_column": path_column,
        "label_column": label_column,
    }
    if kind == "manifest":
        _check_meaning(chosen, f"the manifest {quote(path)} gives the labels")
        opened = _open_manifest(path, table)
    else:
        for name, value in table.items():
            if value is not None:
                raise _no_meaning(name, f"{quote(path)} is not a table of labels")
        opened = _open_tree(path, kind, chosen)
    rows, listing = opened.rows, opened.listing
    if group_from is not None and opened.layout == "arrays":
        raise SettingsError(
            f"--group-from has no meaning here: the rows of {quote(path)} have no names.",
            remedy="Leave it out.",
            code="group_from",
        )
    if group_from is not None:
        names = [row.member.name for row in rows]
        groups = groups_of(names, group_from, depth=opened.depth)
        rows = [row._replace(group=group) for row, group in zip(rows, groups, strict=True)]
        if without := groups.count(None):
            listing.noted["pictures that --group-from gives no group"] = without
    if corrections is not None:
        rows = _correct(rows, corrections, listing)
    rows = _without_lone_part(rows)
    layout: Layout = opened.layout
    if layout == "parts" and rows[0].part is None:
        layout = "folders"
    return _finish(rows, path, layout, listing, opened.doubts)


def open_again(place: str | Path, settings: Mapping[str, Any]) -> Catalog:
    """Open the data of a run again, with the settings that it was read by but corrections.

    Args:
        place: Where it is now.
        settings: ``settings`` of ``run.json``; older runs have fewer.

    Raises:
        TellapartError: As :func:`open_catalog`.
    """
    chosen = {name: settings.get(name) for name in READING if name != "corrections"}
    return open_catalog(place, **{**chosen, "exclude": chosen["exclude"] or ()})  # type: ignore[arg-type]


def open_pictures(paths: Sequence[str | Path]) -> Catalog:
    """Open pictures without labels: files, and all files in folders and archives.

    A path that cannot be read becomes a row whose ``read`` raises, so that it gets an answer
    like every other.

    Args:
        paths: Files, folders and archives; the same one twice is taken once.

    Returns:
        A catalog of layout ``flat``, its labels null.

    Raises:
        SourceError: There are no paths, or no files in them.
    """
    listing = Listing()
    rows: dict[str, _Row] = {}
    for path in paths:
        for row in _rows_at(os.fspath(path), listing):
            if row.path in rows:
                listing.passed_over["files named twice"] += 1
            rows[row.path] = row
    if not rows:
        named = ", ".join(quote(os.fspath(path)) for path in paths[:3])
        raise SourceError(
            f"No pictures in {named}." if named else "No pictures were named.",
            remedy="Name picture files, folders or archives that hold some.",
            code="no_pictures",
        )
    return _finish(list(rows.values()), os.fspath(paths[0]), "flat", listing)


class _Opened(NamedTuple):
    """Rows with labels, what was passed over, the depth of the class folders, and doubts."""

    rows: list[_Row]
    listing: Listing
    layout: Layout
    depth: int
    doubts: tuple[Doubt, ...] = ()


def _check_meaning(chosen: Chosen, why: str) -> None:
    """Refuse options about folders where folders mean nothing."""
    for name, value in vars(chosen).items():
        if value:
            raise _no_meaning(name, why)


def _no_meaning(name: str, why: str) -> SettingsError:
    return SettingsError(
        f"--{name.replace('_', '-')} has no meaning here: {why}.", remedy="Leave it out.", code=name
    )


def _parts_in(text: str | None) -> Mapping[str, Part] | None:
    """``fold1=train,fold2=test`` as a mapping."""
    if text is None:
        return None
    parts: dict[str, Part] = {}
    for one in text.split(","):
        name, _, value = one.rpartition("=")
        part = part_of(value.strip())
        if not name.strip() or part is None:
            raise SettingsError(
                f"--parts {quote(text)} cannot be understood.",
                remedy="Give folders and what they are: train, validation or test. For example: "
                "--parts fold1=train,fold2=test",
                code="parts",
            )
        parts[name.strip().strip("/")] = part
    return parts


def _open_manifest(path: str, table: Mapping[str, str | None]) -> _Opened:
    manifest = read_manifest(path, **table)
    doubts: tuple[Doubt, ...] = ()
    if manifest.read_as:
        remedy = "If that is wrong, name the columns with --path-column and --label-column."
        doubts = (Doubt("read_as_table", "note", 1, manifest.read_as, remedy),)
    rows = _rows(manifest.store, manifest.rows)
    return _Opened(rows, manifest.listing, "manifest", 0, doubts)


def _rows(store: Store, labeled: Iterable[LabeledMember], prefix: str = "") -> list[_Row]:
    return [
        _Row(printable(prefix + one.member.name), store, one.member, prefix, *one[1:])
        for one in labeled
    ]


def _open_tree(path: str, kind: StoreKind, chosen: Chosen) -> _Opened:
    store, listing = _store_at(path, kind)
    prefix = "" if kind == "folder" else os.path.basename(store.location) + store.joint  # noqa: PTH119
    if isinstance(store, ArrayStore):
        _check_meaning(chosen, f"the arrays in {quote(path)} give the labels")
        return _Opened(_rows(store, store.placed(), prefix), listing, "arrays", 0)
    found = arrange(listing, path, chosen, store.read)
    flat = kind == "folder" and any(one.code == "parts_without_labels" for one in found.doubts)
    if flat and (tables := read_tables_in_parts(store.location, listing)):
        said = Doubt(
            "read_as_table", "note", 1, tables.read_as, "If that is wrong, give one table."
        )
        return _Opened(_rows(store, tables.rows), tables.listing, "parts", 0, (said,))
    listing.passed_over.update(found.passed_over)
    rows = _rows(store, found.rows, prefix)
    return _Opened(rows, listing, found.kind, found.depth, found.doubts)


def _store_at(path: str, kind: StoreKind) -> tuple[Store, Listing]:
    """The store behind a path and its members; for files of arrays, the rows of the arrays."""
    store = open_store(path, kind)
    listing = store.listing()
    if arrays := arrays_in(store, listing, path):
        store.close()
        return arrays, arrays.listing()
    return store, listing


def _rows_at(path: str, listing: Listing) -> list[_Row]:
    """The rows of one path that the user gave."""
    try:
        kind = kind_of(path)
        if kind == "manifest":
            return [_single(path)]
        store, found = _store_at(path, kind)
    except SourceError as error:
        if error.code == "unknown_data":  # one file: decoding will show whether it is a picture
            return [_single(path)]
        return [_single(path, fault=str(error))]
    listing.passed_over.update(found.passed_over)
    listing.noted.update(found.noted)
    prefix = path.rstrip("/") + store.joint
    while prefix.startswith("./") and prefix != "./":
        prefix = prefix[2:]
    rows = []
    for member in found.members:
        if is_archive_name(member.name):
            listing.passed_over["archives inside the data"] += 1
        else:
            rows.append(_Row(printable(prefix + member.name), store, member, prefix))
    return rows


def _single(path: str, fault: str = "") -> _Row:
    folder, _, name = absolute(path).rpartition("/")
    store = FolderStore(folder or "/")
    member = member_at(folder, name)
    if fault:
        member = Member(name, 0, fault=fault)
    prefix = path[: -len(name)] if name and path.endswith(name) else ""
    return _Row(printable(path), store, member, prefix)


def _correct(rows: list[_Row], corrections: str | Path, listing: Listing) -> list[_Row]:
    """The rows without those to leave out, and with the corrected labels."""
    decided = read_corrections(corrections, labels={row.path: row.label or "" for row in rows})
    kept = [
        row._replace(label=decided.relabel.get(row.path, row.label))
        for row in rows
        if row.path not in decided.exclude
    ]
    if not kept:
        raise CorrectionsError(
            f"{quote(str(corrections))} leaves out every picture.",
            remedy="Remove some of its lines.",
            code="corrections",
        )
    if decided.exclude:
        listing.passed_over["excluded by corrections"] += len(decided.exclude)
    if decided.relabel:
        listing.noted["relabeled by corrections"] += len(decided.relabel)
    return kept


def _without_lone_part(rows: list[_Row]) -> list[_Row]:
    """The rows without their part if all have the same: one part alone is not a division."""
    parts = {row.part for row in rows}
    return [row._replace(part=None) for row in rows] if len(parts) == 1 else rows


def _finish(
    rows: list[_Row], path: str, layout: Layout, listing: Listing, doubts: tuple[Doubt, ...] = ()
) -> Catalog:
    rows = sorted(rows, key=lambda row: row.path)
    columns: dict[str, list[Any]] = {
        "path": [row.path for row in rows],
        "path_bytes": [_bytes_of(row) for row in rows],
        "label": [row.label for row in rows],
        "part": [row.part for row in rows],
        "group": [row.group for row in rows],
        "bytes": [row.member.size for row in rows],
    }
    location = absolute(path)
    name = os.path.basename(location) or "/"  # noqa: PTH119
    return Catalog(
        columns=columns,
        source=Source(name, location, [(row.store, row.member) for row in rows]),
        layout=layout,
        passed_over=dict(sorted(listing.passed_over.items())),
        classes=tuple(sorted({row.label for row in rows if row.label is not None}, key=natural)),
        noted=dict(sorted(listing.noted.items())),
        doubts=doubts,
    )


def _bytes_of(row: _Row) -> bytes | None:
    raw = row.prefix + row.member.name
    return os.fsencode(raw) if raw != row.path else None
