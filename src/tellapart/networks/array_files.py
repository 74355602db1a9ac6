"""Arrays and bytes on disk: written whole or not at all, read without running any code."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

_MOST_BYTES = 8 * 2**30
_MOST_ARRAYS = 100_000


def write_atomically(path: Path, data: bytes) -> None:
    """Replace a file; a reader finds either the old one or the new one, whole.

    It is on the disk when this returns: a power cut afterwards loses nothing.
    """
    _replace(path, lambda file: file.write(data))


def save_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays by name as ``.npz``, atomically; the same arrays give the same bytes."""

    def write(file: IO[bytes]) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for name, array in arrays.items():
                # A ZipInfo without a time: the same arrays give the same file.
                with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)

    _replace(path, write)


def load_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read arrays by name.

    Raises:
        ValueError: If the file is damaged, too large, or contains anything but arrays.
        OSError: If it cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > _MOST_ARRAYS or sum(m.file_size for m in members) > _MOST_BYTES:
                raise ValueError(f"'{path.name}' is too large")
            return {
                member.filename.removesuffix(".npy"): np.lib.format.read_array(
                    io.BytesIO(archive.read(member)), allow_pickle=False
                )
                for member in members
            }
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise ValueError(f"'{path.name}' is damaged: {error}") from None


def _replace(path: Path, write: Callable[[IO[bytes]], Any]) -> None:
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
