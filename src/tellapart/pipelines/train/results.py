"""Values passed between the stages of training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tellapart import audit, splits
from tellapart.core.cache import Cache
from tellapart.core.progress import Progress
from tellapart.core.resources import Stopwatch
from tellapart.core.typing import Floats, Ints, Pixels
from tellapart.metrics.evaluation import Evaluation
from tellapart.model import Model
from tellapart.scanning.scanner import Scan
from tellapart.transfer.features import FeatureConsumer

if TYPE_CHECKING:
    from tellapart.networks.process.process import KerasProcess

Predict = Callable[[Model, Ints, Progress], Floats]
"""Computes the probabilities ``[n, K]`` of some rows with an open model file."""


@dataclass(frozen=True)
class Context:
    """Resources that all stages share.

    Attributes:
        folder: For temporary files; removed when the run is finished.
        cache: Supplies known facts and features and keeps new ones, or None.
        rescan: Whether to hash every file again.
        progress: Gets the progress of each stage.
        watch: Measures the seconds of each stage.
        keras_process: A child process in which Keras is starting, or None.
    """

    folder: Path
    cache: Cache | None
    rescan: bool
    progress: Progress
    watch: Stopwatch
    keras_process: KerasProcess | None = None


@dataclass(frozen=True)
class ResizedPixels:
    """The resized pixels of all pictures.

    Attributes:
        file: For training networks: a ``.npy`` of uint8 ``[N, size, size, C]`` that several
            processes can map, with one channel for gray data.
        rgb: uint8 ``[N, size, size, 3]``, the input of ``model.onnx``.
        size: Side in pixels.
        gray: Whether ``file`` has one channel.
    """

    file: Path
    rgb: Pixels
    size: int
    gray: bool


@dataclass(frozen=True)
class Prepared:
    """The pictures, scanned, audited and split; row ``i`` is the catalog's row ``i``.

    Attributes:
        scan: The facts of every picture.
        audit: The findings, and which pictures are left out.
        split: Which pictures are held out.
        labels: int64 ``[N]``, indices into ``classes``, also of pictures left out.
        classes: Names, in the order of the model's outputs.
        feature_consumer: Computed the features; None for models without features.
        resized: The resized pixels; None for models without pixels.
    """

    scan: Scan
    audit: audit.Audit
    split: splits.Split
    labels: Ints
    classes: tuple[str, ...]
    feature_consumer: FeatureConsumer | None = None
    resized: ResizedPixels | None = None

    def rows(self, *sides: int) -> Ints:
        """Row numbers on the given sides, in order."""
        return np.flatnonzero(np.isin(self.split.side, sides))

    @property
    def features(self) -> Floats:
        """The backbone's features, float32 ``[N, D]``, if the scan computed them."""
        assert self.feature_consumer is not None, "the scan computed no features"
        return self.scan.answers[self.feature_consumer.key]

    @property
    def pixels(self) -> ResizedPixels:
        """The resized pixels, if the scan kept them."""
        assert self.resized is not None, "the scan kept no pixels"
        return self.resized

    @property
    def not_held_out(self) -> Ints:
        """Rows of the training part, with the validation slice."""
        return self.rows(splits.TRAIN, splits.VALIDATION)

    @property
    def validation(self) -> Ints:
        """Rows of the validation slice."""
        return self.rows(splits.VALIDATION)

    @property
    def held_out(self) -> Ints:
        """Rows held out, also those with a copy in training."""
        return self.rows(splits.HELD_OUT)


@dataclass(frozen=True)
class Trained:
    """A trained model.

    Attributes:
        kind: ``probe`` or the network.
        file: The bytes of ``model.onnx``.
        size: Side of the input pictures, in pixels.
        rows: The rows that it learned from.
        predict: Runs the open file on some rows.
        out_of_fold: Computes probabilities ``[R, n, K]`` of the training rows, each by models
            trained without it, from ``R`` rounds of folds; called only if there are too few
            pictures to hold some out.
        engine: The library that trained it.
        backbone: The pretrained network in it, or None.
        details: More members for ``run.json``.
        history: One row per epoch, for networks.
        files: More files for the run folder, by name.
    """

    kind: str
    file: bytes
    size: int
    rows: Ints
    predict: Predict
    out_of_fold: Callable[[], Floats]
    engine: str
    backbone: str | None
    details: Mapping[str, Any]
    history: pl.DataFrame | None = None
    files: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """How accurate the model file is.

    Attributes:
        held_out: On the held-out pictures: the headline.
        as_given: On all held-out pictures, also those with a copy in training; None if there are
            no such copies.
        train_accuracy: On the pictures that the model learned from.
        validation_accuracy: On the validation slice; None without one, or if the model learned
            from it.
        predictions: One row per held-out picture.
        proof: Largest difference between the measured probabilities and a run of the whole file.
    """

    held_out: Evaluation
    as_given: Evaluation | None
    train_accuracy: float
    validation_accuracy: float | None
    predictions: pl.DataFrame
    proof: dict[str, Any]
