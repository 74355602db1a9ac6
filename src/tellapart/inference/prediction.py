"""Pictures to predictions, with neither scikit-learn nor Keras.

Decoding runs in threads a few pictures ahead of the model; a picture that cannot be decoded
becomes a prediction with its error, never a stop.

Example:
    >>> from tellapart.data.catalog import open_pictures  # doctest: +SKIP
    >>> for row in predict(run.model, open_pictures(["new.jpg"])):  # doctest: +SKIP
    ...     print(row.path, row.label)
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tellapart.core.errors import PictureError, SettingsError
from tellapart.core.progress import SILENT, Progress
from tellapart.core.resources import cores
from tellapart.data.catalog import Catalog
from tellapart.data.sources.names import raw
from tellapart.images.decoder import decode
from tellapart.images.resizing import RGB, Fit, resize

BATCH = 16
_RESERVED = {"", ".", ".."}
_NAME_BYTES = 240  # file systems take 255; a number for a second one of the name has room


class ModelLike(Protocol):
    """A model as predicting asks it, in whatever runtime."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names, in the order of the columns."""

    @property
    def size(self) -> int:
        """Side of the pictures it takes, in pixels."""

    @property
    def fit(self) -> Fit:
        """How pictures are brought to that size."""

    def run(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities float32 ``[n, K]`` of uint8 ``[n, size, size, 3]``."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the model says of one picture.

    Attributes:
        path: The picture's path as shown.
        label: The class it most likely is, or None where it could not be decoded.
        probability: What the model gives that class, 0 to 1.
        probabilities: What it gives each class; they sum to 1.
        error: Why there is no answer, or None.
        row: Its row in the catalog.
    """

    path: str
    label: str | None
    probability: float | None
    probabilities: Mapping[str, float] | None
    error: str | None
    row: int = 0

    def as_json(self) -> dict[str, Any]:
        """The row of ``predict --json``."""
        return {
            "path": self.path,
            "label": self.label,
            "probability": self.probability,
            "probabilities": None if self.probabilities is None else dict(self.probabilities),
            "error": self.error,
        }


def predict(
    model: ModelLike, catalog: Catalog, *, progress: Progress = SILENT
) -> Iterator[Prediction]:
    """Predict every picture of a catalog, in its order.

    Args:
        model: The model, as a run holds it.
        catalog: The pictures, as :func:`tellapart.data.catalog.open_pictures` gives them.
        progress: Who is told how far it is.

    Yields:
        One prediction a picture.
    """
    paths = catalog.paths

    def load(row: int) -> RGB | PictureError:
        try:
            return resize(decode(catalog.source.read(row)).pixels, model.size, model.fit)
        except PictureError as error:
            return error

    with (
        progress.stage("Predicting", total=len(catalog)) as stage,
        ThreadPoolExecutor(cores(), thread_name_prefix="decode") as pool,
    ):
        waiting: deque[Future[RGB | PictureError]] = deque()
        following = 0
        for start in range(0, len(catalog), BATCH):
            while following < len(catalog) and len(waiting) < 2 * BATCH:
                waiting.append(pool.submit(load, following))
                following += 1
            loaded = [waiting.popleft().result() for _ in range(min(BATCH, len(waiting)))]
            yield from _predicted(model, paths[start : start + len(loaded)], loaded, start)
            stage.advance(len(loaded))


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
        predictions: What was predicted of them.
        named: The files, folders and archives that the pictures were named by.

    Returns:
        The printable path of each picture and where its copy lies; a picture that went away
        since it was predicted has none.

    Raises:
        SettingsError: If the folder lies among the pictures, or cannot be written.
    """
    for place in map(Path, (raw(catalog.source.location), *named)):
        if place.is_dir() and folder.resolve().is_relative_to(place.resolve()):
            raise SettingsError(
                f"--sort-into {folder} lies inside the folder of the pictures.",
                remedy="Choose a folder outside it: nothing is written among your pictures.",
            )
    known = {name for row in predictions for name in row.probabilities or ()}
    folders = _folders(known)
    copies: list[tuple[str, Path]] = []
    try:
        for prediction in predictions:
            if prediction.label is None:
                continue
            target = folder / folders[prediction.label]
            target.mkdir(parents=True, exist_ok=True)
            name = _folder_name(prediction.path.replace("!/", "/").rsplit("/", 1)[-1])
            with contextlib.suppress(PictureError):
                data = catalog.source.read(prediction.row)
                copies.append((prediction.path, _write_new(target, name, data)))
    except OSError as error:
        raise SettingsError(
            f"--sort-into {folder} cannot be written: {error.strerror}.",
            remedy="Choose a folder that you may write, on a disk with room.",
        ) from error
    return copies


def _predicted(
    model: ModelLike, paths: Sequence[str], loaded: Sequence[RGB | PictureError], start: int
) -> Iterator[Prediction]:
    pixels = [item for item in loaded if not isinstance(item, PictureError)]
    answers = iter(model.run(np.stack(pixels)) if pixels else ())
    for offset, (path, item) in enumerate(zip(paths, loaded, strict=True)):
        if isinstance(item, PictureError):
            yield Prediction(path, None, None, None, str(item), start + offset)
            continue
        yield predicted(path, next(answers), model.classes, start + offset)


def predicted(
    path: str, probabilities: NDArray[np.float32], classes: Sequence[str], row: int = 0
) -> Prediction:
    """The prediction that float32 probabilities ``[K]`` amount to."""
    best = int(np.argmax(probabilities))
    shares = [float(value) for value in probabilities]
    return Prediction(
        path=path,
        label=classes[best],
        probability=shares[best],
        probabilities=dict(zip(classes, shares, strict=True)),
        error=None,
        row=row,
    )


def _folders(classes: Iterable[str]) -> dict[str, str]:
    """A folder name for each class; two classes never share one, whatever they are called."""
    named: dict[str, str] = {}
    for label in sorted(classes):
        name, number = _folder_name(label), 1
        while (name if number == 1 else f"{name}-{number}") in named.values():
            number += 1
        named[label] = name if number == 1 else f"{name}-{number}"
    return named


def _folder_name(name: str) -> str:
    """A name that stays one plain component of a path, whatever a class is called."""
    safe = re.sub(r"[\x00-\x1f/\\:]", "_", name)
    if len(safe.encode("utf-8", "replace")) > _NAME_BYTES:
        stem, ending = os.path.splitext(safe)  # noqa: PTH122 - a name, not a path
        ending = _first_bytes(ending, 20)
        safe = _first_bytes(stem, _NAME_BYTES - 20) + ending
    return f"_{safe}" if safe in _RESERVED else safe


def _first_bytes(text: str, most: int) -> str:
    return text.encode("utf-8", "replace")[:most].decode("utf-8", "ignore")


def _write_new(folder: Path, name: str, data: bytes) -> Path:
    """Write under the first name that is free: ``a.jpg``, ``a-2.jpg`` and so on."""
    stem, ending = os.path.splitext(name)  # noqa: PTH122 - a name, not a path
    for number in itertools.count(1):
        path = folder / (name if number == 1 else f"{stem}-{number}{ending}")
        try:
            file = path.open("xb")
        except FileExistsError:
            continue
        try:
            with file:
                file.write(data)
        except BaseException:  # a full disk, an interrupt: no half copy stays
            path.unlink(missing_ok=True)
            raise
        return path
    raise AssertionError("there is always a next number")
