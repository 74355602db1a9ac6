"""What the report shows of a network that was trained from pixels: frozen values.

Beside :mod:`tellapart.reports.views`, and under the same rule: whoever fills these has read
everything; rendering reads nothing. The accuracies on the training and the held-out part are
not here: they stand in ``metrics.json`` once, and the page takes them from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tellapart.reports.views import Picture


@dataclass(frozen=True, slots=True)
class EpochRow:
    """One epoch, as the history keeps it.

    Args:
        epoch: From 1 on.
        loss: Mean loss while training; NaN where it was no number any more.
        accuracy: Share of 1, a running mean while training.
        validation_loss: On the validation slice, or None where there is none.
        validation_accuracy: On the validation slice, share of 1, or None.
        learning_rate: At the end of the epoch, or None.
    """

    epoch: int
    loss: float
    accuracy: float
    validation_loss: float | None = None
    validation_accuracy: float | None = None
    learning_rate: float | None = None


class Layer(NamedTuple):
    """One row of the table of layers; a plain tuple does as well.

    ``shape`` is that of the output, as text, such as ``"74 × 74 × 16"``.
    """

    name: str
    kind: str
    shape: str
    parameters: int


class Stage(NamedTuple):
    """From ``first_epoch`` on it trained so; drawn as a line across the curves."""

    first_epoch: int
    name: str


class FeatureMap(NamedTuple):
    """What one layer makes of the picture: float ``[h, w, c]``; a plain tuple does as well."""

    layer: str
    values: NDArray[np.floating[Any]]


class AugmentedRow(NamedTuple):
    """One picture as it is, and as the network was shown it; a plain tuple does as well."""

    original: Picture
    shown: Sequence[Picture]


@dataclass(frozen=True, slots=True)
class LearningView:
    """How a network learned and what it sees.

    Everything but ``network`` may be missing; what is missing is not shown.

    Args:
        network: Kind of the network, such as ``"cnn"``.
        history: One row an epoch, in order.
        sentences: How it stopped, and what else to know, as plain sentences.
        recipe: ``(term, value)`` of everything that was set, in the order to show.
        best_epoch: Epoch of the lowest validation loss, or None.
        best_kept: Whether the saved model is that of ``best_epoch`` (otherwise of the last).
        target: The accuracy at which it was to stop, share of 1, or None.
        target_on: ``"training"`` or ``"validation"``: which accuracy ``target`` is about.
        stages: Of a training in stages, where each begins.
        validation_n: How many pictures the validation slice has; 0 where there is none.
        finder: ``(learning rate, loss)`` of the learning-rate finder, in the order tried.
        chosen_rate: The learning rate that was chosen from it, or None.
        layers: The table of layers, from the picture to the answer.
        parameters: Numbers the network learned or took over, in all; 0 if not known.
        augment_sentence: How pictures were varied while training, in one sentence.
        augment_rows: Pictures of the training part, each with some of its variations.
        filters: uint8 ``[F, k, k, 3]``, the filters of the first convolution as pictures.
        feature_picture: The picture of ``feature_maps``, as the network saw it.
        feature_path: Path of that picture in the data.
        feature_maps: What the convolution and pooling layers make of it, in order.
    """

    network: str
    history: Sequence[EpochRow] = ()
    sentences: Sequence[str] = ()
    recipe: Sequence[tuple[str, str]] = ()
    best_epoch: int | None = None
    best_kept: bool = False
    target: float | None = None
    target_on: str = "training"
    stages: Sequence[Stage | tuple[int, str]] = ()
    validation_n: int = 0
    finder: Sequence[tuple[float, float]] = ()
    chosen_rate: float | None = None
    layers: Sequence[Layer | tuple[str, str, str, int]] = ()
    parameters: int = 0
    augment_sentence: str = ""
    augment_rows: Sequence[AugmentedRow | tuple[Picture, Sequence[Picture]]] = ()
    filters: NDArray[np.uint8] | None = None
    feature_picture: Picture | None = None
    feature_path: str = ""
    feature_maps: Sequence[FeatureMap | tuple[str, NDArray[np.floating[Any]]]] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of the models among which ``--model auto`` chose, inside the training part.

    Args:
        name: Such as ``"probe"`` or ``"resnet"``.
        accuracy: In folds or on the validation slice, share of 1; None if it was not tried.
        ci95: Its 95 % interval, or None.
        n: Pictures it was judged on.
        seconds: How long it took, or None.
        chosen: Whether it is the one that was kept.
        note: Why it was not tried, or what else to know; may be empty.
    """

    name: str
    accuracy: float | None = None
    ci95: tuple[float, float] | None = None
    n: int = 0
    seconds: float | None = None
    chosen: bool = False
    note: str = ""
