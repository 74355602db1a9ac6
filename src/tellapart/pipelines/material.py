"""What is handed from stage to stage of a training: pictures, a learned model, its measure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tellapart import audit, splits
from tellapart.metrics import evaluation
from tellapart.model import Model
from tellapart.scanning.scanner import Scan
from tellapart.transfer.features import FeatureConsumer

Answer = Callable[[Model, NDArray[np.int64], Callable[[int], None]], NDArray[np.float32]]


@dataclass(frozen=True)
class Pixels:
    """The resized pixels of all pictures, in a file that many processes can map.

    Attributes:
        file: What networks train from, a ``.npy`` of uint8 ``[N, size, size, C]``: one channel
            for gray data.
        rgb: uint8 ``[N, size, size, 3]``, what ``model.onnx`` is run on.
        size: Side in pixels.
        gray: Whether ``file`` has one channel.
    """

    file: Path
    rgb: NDArray[np.uint8]
    size: int
    gray: bool


@dataclass(frozen=True)
class Material:
    """What the stages before learning have found out."""

    scan: Scan
    audit: audit.Audit
    split: splits.Split
    labels: NDArray[np.int64]  # [N], index into classes, of pictures left out too
    classes: tuple[str, ...]
    features: NDArray[np.float32] | None = None  # [N, D], where they were wanted
    feature_consumer: FeatureConsumer | None = None
    pixels: Pixels | None = None

    def rows(self, *sides: int) -> NDArray[np.int64]:
        """Row numbers on the given sides, in order."""
        return np.flatnonzero(np.isin(self.split.side, sides))

    @property
    def training(self) -> NDArray[np.int64]:
        """Rows that are not held out: to learn from and, where there is a slice, to choose by."""
        return self.rows(splits.TRAIN, splits.VALIDATION)

    @property
    def validation(self) -> NDArray[np.int64]:
        """Rows of the validation slice."""
        return self.rows(splits.VALIDATION)

    @property
    def held_out(self) -> NDArray[np.int64]:
        """Rows held out, those with a copy in training too."""
        return self.rows(splits.HELD_OUT)


@dataclass(frozen=True)
class Learned:
    """A model that was written, and how to ask it.

    Attributes:
        kind: ``probe`` or the network.
        size: Side in pixels of the pictures that the file takes.
        rows: The rows that it learnt from.
        answer: Probabilities float32 ``[n, K]`` that the open file gives some rows; its last
            argument hears how many more are done.
        unseen: Probabilities ``[R, n, K]`` of the training rows, each by models that have not
            seen it, from ``R`` rounds of folds; asked only where too few pictures are held out.
        engine: What trained it.
        backbone: The pretrained network below, or None.
        about: More members for ``run.json``.
        history: One row an epoch, for networks.
        files: More files for the run folder, by name.
    """

    kind: str
    size: int
    rows: NDArray[np.int64]
    answer: Answer
    unseen: Callable[[], NDArray[np.float32]]
    engine: str
    backbone: str | None
    about: Mapping[str, Any]
    history: pl.DataFrame | None = None
    files: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """How the model file did, on pictures that chose nothing.

    Attributes:
        held_out: The headline.
        as_given: The same with the held-out pictures that have a copy in training, where
            there are any.
        train_accuracy: Of the model file over the pictures that it learnt from.
        validation_accuracy: Of the model file over the validation slice; None without one, or
            where the model learnt from it too.
        predictions: One row a held-out picture.
        proof: How far the measured probabilities are from a run of the whole file.
    """

    held_out: evaluation.Evaluation
    as_given: evaluation.Evaluation | None
    train_accuracy: float
    validation_accuracy: float | None
    predictions: pl.DataFrame
    proof: dict[str, Any]
