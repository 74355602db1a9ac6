"""The kind of a path that users give: a folder, an archive, a manifest, arrays, or none."""

from __future__ import annotations

import os
import stat
from typing import Literal

from tellapart.core.errors import SourceError
from tellapart.data.sources.archive_basics import ArchiveKind, archive_kind, read_head
from tellapart.data.sources.arrays import open_npz
from tellapart.data.sources.base import Store
from tellapart.data.sources.folder import FolderStore
from tellapart.data.sources.idx import idx_name
from tellapart.data.sources.names import PICTURE_ENDINGS, ending, is_archive_name, quote
from tellapart.data.sources.tables import looks_like_table
from tellapart.data.sources.tars import TarStore
from tellapart.data.sources.zips import ZipStore

StoreKind = ArchiveKind | Literal["folder", "npz"]
PathKind = StoreKind | Literal["manifest"]


def kind_of(path: str) -> PathKind:
    """The kind of the data, by looking at it.

    Raises:
        SourceError: It is missing, may not be read, or is none of these.
    """
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116
        if stat.S_ISDIR(mode):
            return "folder"
        if not stat.S_ISREG(mode):
            raise SourceError(f"{quote(path)} is neither a folder nor a file.", code="unknown_data")
        kind = None if idx_name(path) else archive_kind(read_head(path), path)
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise SourceError(
            f"There is no folder or file {quote(path)}.",
            remedy="Check the spelling.",
            code="missing",
        ) from error
    except PermissionError as error:
        raise SourceError(
            f"You may not read {quote(path)}.",
            remedy="Change its permissions, or copy it to a folder of your own.",
            code="not_readable",
        ) from error
    except OSError as error:
        raise SourceError(f"{quote(path)} cannot be read: {error.strerror}.") from error
    if kind is not None:
        return "npz" if kind == "zip" and ending(path) == "npz" else kind
    if looks_like_table(path):
        return "manifest"
    raise _unknown(path)


def _unknown(path: str) -> SourceError:
    if ending(path) in PICTURE_ENDINGS:
        what, remedy = "is one file", "Give the folder that holds one folder for each class."
    elif idx_name(path):
        what, remedy = "is one of several IDX files", "Give the folder that holds them all."
    elif ending(path) == "npz":
        what, remedy = "is called an .npz, but is not one", "Download or copy it again."
    elif is_archive_name(path):
        what, remedy = "is called an archive, but is not one", "Download or copy it again."
    else:
        what = "is not a folder, archive or manifest"
        remedy = "Give a folder, a .zip, .tar or .tar.gz, an .npz, "
        remedy += "or a .csv, .jsonl or .parquet manifest."
    return SourceError(f"{quote(path)} {what}.", remedy=remedy, code="unknown_data")


def open_store(path: str, kind: StoreKind) -> Store:
    """The store behind a path.

    Args:
        path: A folder or an archive.
        kind: The result of :func:`kind_of`.

    Raises:
        SourceError: It cannot be read.
    """
    try:
        if kind == "folder":
            return FolderStore(path)
        if kind == "npz":
            return open_npz(path)
        return ZipStore(path) if kind == "zip" else TarStore(path, compressed=kind == "tar.gz")
    except OSError as error:
        raise SourceError(f"{quote(path)} cannot be read: {error.strerror}.") from error
