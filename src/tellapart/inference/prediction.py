"""Predictions for the pictures of a catalog.

Threads decode a few pictures ahead of the model. A picture that cannot be decoded becomes a
prediction with an error; it stops nothing.

Example:
    >>> from tellapart.data.catalog import open_pictures  # doctest: +SKIP
    >>> for row in predict(run.model, open_pictures(["new.jpg"])):  # doctest: +SKIP
    ...     print(row.path, row.label)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tellapart.core.errors import PictureError
from tellapart.core.progress import SILENT, Progress
from tellapart.core.resources import cores
from tellapart.data.catalog import Catalog
from tellapart.images.decoder import decode
from tellapart.images.resizing import RGB, Fit, resize

BATCH = 16


class ModelLike(Protocol):
    """The parts of a model that predicting needs, in any runtime."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names, in the order of the columns."""

    @property
    def size(self) -> int:
        """Side of the pictures it takes, in pixels."""

    @property
    def fit(self) -> Fit:
        """How pictures are fitted to that size."""

    def run(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities float32 ``[n, K]`` of uint8 ``[n, size, size, 3]``."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """The prediction for one picture.

    Attributes:
        path: The picture's printable path.
        label: The most probable class; None if the picture could not be decoded.
        probability: Of that class, 0 to 1.
        probabilities: Of each class; their sum is 1.
        error: Why there is no prediction, or None.
        row: The picture's row in the catalog.
    """

    path: str
    label: str | None
    probability: float | None
    probabilities: Mapping[str, float] | None
    error: str | None
    row: int = 0

    def as_json(self) -> dict[str, Any]:
        """One row of ``predict --json``."""
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
        model: The model.
        catalog: The pictures, from :func:`tellapart.data.catalog.open_pictures`.
        progress: Its stage counts pictures.
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
        pending: deque[Future[RGB | PictureError]] = deque()
        submitted = 0
        for start in range(0, len(catalog), BATCH):
            while submitted < len(catalog) and len(pending) < 2 * BATCH:
                pending.append(pool.submit(load, submitted))
                submitted += 1
            loaded = [pending.popleft().result() for _ in range(min(BATCH, len(pending)))]
            yield from _predicted(model, paths[start : start + len(loaded)], loaded, start)
            stage.advance(len(loaded))


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
    """The prediction from float32 probabilities ``[K]``."""
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
