"""Evaluate a finished run's model on other labeled pictures.

Example:
    >>> evaluate(open_run("runs/pets-1"), "newer-pets/", DataSettings())  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Sequence
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
from tellapart.metrics import evaluation
from tellapart.model import Model
from tellapart.pipelines.check import open_data
from tellapart.scanning.scanner import scan


class ModelConsumer:
    """A consumer of the scan that runs a whole ``model.onnx`` on every picture: float32 ``[K]``."""

    keep = True
    dtype = np.dtype(np.float32)

    def __init__(self, model: Model) -> None:
        self.key = f"model/{model.fingerprint[:16]}/{DECODER}"
        self.size, self.fit = model.size, model.fit
        self.shape = (len(model.classes),)
        self.apply = model.run


def evaluate(
    run: runs.Run,
    data: str | Path,
    settings: DataSettings,
    *,
    cache: Cache | None = None,
    progress: Progress = SILENT,
) -> dict[str, Any]:
    """Measure a run's model on other labeled pictures, starting from their bytes.

    Args:
        run: The run whose ``model.onnx`` is measured.
        data: A folder, archive or manifest of labeled pictures.
        settings: How the data is read.
        cache: Supplies known probabilities of this very model, and keeps new ones.
        progress: Gets the progress of each stage.

    Raises:
        LabelError: If the data has a class that the model does not know.
    """
    catalog = open_data(data, settings)
    unknown = [name for name in catalog.classes if name not in run.classes]
    if unknown:
        raise LabelError(
            f"The model does not know {'the class' if len(unknown) == 1 else 'the classes'} "
            f"{', '.join(repr(name) for name in unknown[:5])}. It knows: "
            f"{', '.join(repr(name) for name in run.classes[:20])}.",
            remedy="Rename the folders, or relabel the pictures with a corrections file.",
            code="unknown_class",
        )
    # The scan calls the model from several threads, so each call uses one.
    consumer = ModelConsumer(run.load_model(threads=1))
    scanned = scan(
        catalog, consumers=[consumer], cache=cache, progress=progress, title="Evaluating"
    )
    training = run.split.filter(pl.col("side").is_in(["train", "validation"]))
    train_counts = dict(training["label"].value_counts().iter_rows())
    frame = scanned.frame.with_columns(
        bad=pl.col("error").is_not_null(),
        trained=pl.col("content").is_in(training["content"].unique().to_list())
        & pl.col("error").is_null(),
    )
    counted = np.flatnonzero(~(frame["bad"] | frame["trained"]).to_numpy())
    if len(counted) == 0:
        raise LabelError(
            f"None of the {len(scanned):,} pictures of {catalog.source.name} can be counted.",
            remedy="They cannot be decoded, or the model was trained on them.",
        )
    truth = class_indices(frame["label"].to_list(), run.classes)
    groups = _group_ids(frame)
    result = evaluation.evaluate(
        scanned.answers[consumer.key][counted],
        truth[counted],
        classes=run.classes,
        groups=groups[counted],
        method="given",
        train_counts=[train_counts.get(name, 0) for name in run.classes],
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
    """Labels as indices into ``classes``, int64 ``[N]``; -1 if there is no such class."""
    index = {name: number for number, name in enumerate(classes)}
    return np.array([index.get(label or "", -1) for label in labels], np.int64)


def _group_ids(frame: pl.DataFrame) -> NDArray[np.int64]:
    """A number per picture: the same for pictures of one ``group`` and for equal files."""
    links: list[tuple[int, int]] = []
    for column in ("group", "content"):
        first: dict[str, int] = {}
        for row, value in enumerate(frame[column]):
            if value is not None:
                links.append((first.setdefault(value, row), row))
    return connected(frame.height, links)
