"""Copy predicted pictures into one folder per class."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tellapart.core.errors import PictureError, SettingsError
from tellapart.data.catalog import Catalog
from tellapart.data.sources.names import raw
from tellapart.inference.prediction import Prediction

_RESERVED = {"", ".", ".."}
_NAME_BYTES = 240  # file systems allow 255; the rest is for the number of a second file


def sort_into(
    folder: Path,
    catalog: Catalog,
    predictions: Sequence[Prediction],
    *,
    named: Sequence[str | Path] = (),
) -> list[tuple[str, Path]]:
    """Copy each predicted picture into a folder of its class; nothing is moved or overwritten.

    Args:
        folder: Where the class folders are made.
        catalog: The pictures that were predicted.
        predictions: Their predictions.
        named: The files, folders and archives that the user named.

    Returns:
        The printable path of each picture and the path of its copy. A picture that was removed
        after its prediction is left out.

    Raises:
        SettingsError: If the folder is among the pictures, or cannot be written.
    """
    for place in map(Path, (raw(catalog.source.location), *named)):
        if place.is_dir() and folder.resolve().is_relative_to(place.resolve()):
            raise SettingsError(
                f"--sort-into {folder} lies inside the folder of the pictures.",
                remedy="Choose a folder outside it: nothing is written among your pictures.",
            )
    folders = _folders({name for row in predictions for name in row.probabilities or ()})
    copies: list[tuple[str, Path]] = []
    try:
        for prediction in predictions:
            if prediction.label is None:
                continue
            target = folder / folders[prediction.label]
            target.mkdir(parents=True, exist_ok=True)
            name = _safe_name(prediction.path.replace("!/", "/").rsplit("/", 1)[-1])
            with contextlib.suppress(PictureError):
                data = catalog.source.read(prediction.row)
                copies.append((prediction.path, _write_new(target, name, data)))
    except OSError as error:
        raise SettingsError(
            f"--sort-into {folder} cannot be written: {error.strerror}.",
            remedy="Choose a folder that you may write, on a disk with room.",
        ) from error
    return copies


def _folders(classes: Iterable[str]) -> dict[str, str]:
    """A folder name for each class, all different."""
    names: dict[str, str] = {}
    for label in sorted(classes):
        taken = set(names.values())
        names[label] = next(one for one in _numbered(_safe_name(label)) if one not in taken)
    return names


def _write_new(folder: Path, name: str, data: bytes) -> Path:
    """Write a file under the first free name: ``a.jpg``, ``a-2.jpg`` and so on."""
    for free in _numbered(*os.path.splitext(name)):  # noqa: PTH122 - a name, not a path
        path = folder / free
        try:
            file = path.open("xb")
        except FileExistsError:
            continue
        try:
            with file:
                file.write(data)
        except BaseException:  # a full disk, an interrupt: leave no partial file
            path.unlink(missing_ok=True)
            raise
        return path
    raise AssertionError("there is always a next number")


def _numbered(stem: str, ending: str = "") -> Iterator[str]:
    yield stem + ending
    for number in itertools.count(2):
        yield f"{stem}-{number}{ending}"


def _safe_name(name: str) -> str:
    """A name that is one component of a path, for any class or file name."""
    safe = re.sub(r"[\x00-\x1f/\\:]", "_", name)
    if len(safe.encode("utf-8", "replace")) > _NAME_BYTES:
        stem, ending = os.path.splitext(safe)  # noqa: PTH122 - a name, not a path
        ending = _first_bytes(ending, 20)
        safe = _first_bytes(stem, _NAME_BYTES - 20) + ending
    return f"_{safe}" if safe in _RESERVED else safe


def _first_bytes(text: str, most: int) -> str:
    return text.encode("utf-8", "replace")[:most].decode("utf-8", "ignore")
