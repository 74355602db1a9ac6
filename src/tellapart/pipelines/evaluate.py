"""A finished run's model on other labelled pictures, from their bytes on.

:mod:`tellapart.metrics` is the arithmetic; this module brings model and pictures together.

Example:
    >>> evaluate(open_run("runs/pets-1"), "newer-pets/", DataSettings())  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tellapart import runs
from tellapart.audit.groups import connected
from tellapart.core.cache import Cache
from tellapart.core.config import DataSettings
from tellapart.core.errors import LabelError
from tellapart.core.progress import SILENT, Progress
from tellapart.images.decoder import DECODER
from tellapart.images.resizing import RGB, Fit
from tellapart.metrics import evaluation
from tellapart.model import Model
from tellapart.pipelines.check import open_data
from tellapart.scanning.scanner import scan


@dataclass(frozen=True)
class ModelConsumer:
    """The consumer that runs a whole ``model.onnx`` on every picture: float32 ``[K]``."""

    model: Model
    keep: bool = True
    dtype: np.dtype[Any] = field(default=np.dtype(np.float32))

    @property
    def key(self) -> str:
        """Names this very file and the decoder."""
        return f"model/{self.model.fingerprint[:16]}/{DECODER}"

    @property
    def size(self) -> int:
        """The model's own size."""
        return self.model.size

    @property
    def fit(self) -> Fit:
        """The model's own fit."""
        return self.model.fit

    @property
    def shape(self) -> tuple[int, ...]:
        """One probability a class."""
        return (len(self.model.classes),)

    def apply(self, pixels: RGB) -> NDArray[Any]:
        """Probabilities float32 ``[n, K]``."""
        return self.model.run(pixels)


def evaluate(
    run: runs.Run,
    data: str | Path,
    settings: DataSettings,
    *,
    cache: Cache | None = None,
    progress: Progress = SILENT,
) -> dict[str, Any]:
    """Measure a run's model on other labelled pictures, from their bytes on.

    Args:
        run: The run whose ``model.onnx`` is measured.
        data: A folder, archive or manifest of labelled pictures.
        settings: How the data is read.
        cache: Where known answers of this very model come from.
        progress: Who is told how far it is.

    Raises:
        LabelError: If the data has a class that the model does not know.
    """
    catalog = open_data(data, settings)
    strangers = [name for name in catalog.classes if name not in run.classes]
    if strangers:
        raise LabelError(
            f"The model does not know {'the class' if len(strangers) == 1 else 'the classes'} "
            f"{', '.join(repr(name) for name in strangers[:5])}. It knows: "
            f"{', '.join(repr(name) for name in run.classes[:20])}.",
            remedy="Rename the folders, or relabel the pictures with a corrections file.",
            code="unknown_class",
        )
    # The scan's threads call it side by side, so each call keeps to its own.
    consumer = ModelConsumer(run.load_model(threads=1))
    scanned = scan(
        catalog, consumers=[consumer], cache=cache, progress=progress, title="Evaluating"
    )
    seen = set(run.split.filter(pl.col("side").is_in(["train", "validation"]))["content"])
    frame = scanned.frame.with_columns(
        bad=pl.col("error").is_not_null(),
        trained=pl.col("content").is_in(list(seen)) & pl.col("error").is_null(),
    )
    counted = np.flatnonzero(~(frame["bad"] | frame["trained"]).to_numpy())
    if len(counted) == 0:
        raise LabelError(
            f"None of the {len(scanned):,} pictures of {catalog.source.name} can be counted.",
            remedy="They cannot be decoded, or the model was trained on them.",
        )
    truth = class_indices(frame["label"].to_list(), run.classes)
    groups = _group_numbers(frame)
    result = evaluation.evaluate(
        scanned.answers[consumer.key][counted],
        truth[counted],
        classes=run.classes,
        groups=groups[counted],
        method="given",
        train_counts=_train_counts(run),
    )
    reasons = {
        "cannot be decoded": int(frame["bad"].sum()),
        "the model was trained on them": int(frame["trained"].sum()),
    }
    return {
        "schema": runs.SCHEMA,
        "run": str(run.path),
        "data": catalog.source.name,
        "evaluation": result.as_json(),
        "not_counted": {reason: count for reason, count in reasons.items() if count},
        "missing_classes": [name for name in run.classes if name not in catalog.classes],
    }


def class_indices(labels: Sequence[str | None], classes: Sequence[str]) -> NDArray[np.int64]:
    """Labels as their places in ``classes``, int64 ``[N]``; -1 where there is no such class."""
    places = {name: place for place, name in enumerate(classes)}
    return np.array([places.get(label or "", -1) for label in labels], np.int64)


def _group_numbers(frame: pl.DataFrame) -> NDArray[np.int64]:
    """Groups as numbers: pictures of one ``group`` share one, and so do copies of one picture."""
    links: list[tuple[int, int]] = []
    for column in ("group", "content"):
        first: dict[str, int] = {}
        for row, value in enumerate(frame[column]):
            if value is not None:
                links.append((first.setdefault(value, row), row))
    return connected(frame.height, links)


def _train_counts(run: runs.Run) -> list[int]:
    training = run.split.filter(pl.col("side").is_in(["train", "validation"]))
    counts = dict(training["label"].value_counts().iter_rows())
    return [counts.get(name, 0) for name in run.classes]
