"""The linear head: a regularized logistic regression on the features of a frozen backbone.

How strongly it is regularized is chosen by grouped, stratified cross-validation inside the
training part: along a fixed path from strong to weak, the strength with the least log loss
on the pictures that each fold's model has not seen. The held-out part is never asked.

Where there are too few pictures to hold some out, :func:`repeated` measures: every picture is
predicted several times, each time by a model that saw neither it nor its group, and whose
strength was chosen without it too (nested folds).

The solver is :mod:`tellapart.transfer.logistic`; what it finds is scikit-learn's
``LogisticRegression(C)`` on standardized features, which a test holds it to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart import splits
from tellapart.core.errors import DataError
from tellapart.core.progress import SILENT, Progress
from tellapart.core.typing import Ints
from tellapart.transfer.logistic import (
    GRID,
    Candidate,
    Folds,
    Path,
    Table,
    design,
    probabilities,
    solve,
    standardize,
)
from tellapart.transfer.logistic.designs import Float, threads
from tellapart.transfer.logistic.path import mask, prior
from tellapart.transfer.logistic.solver import softmax

_TOLERANCE = 1e-7  # of the gradient, for a model that predicts
_WITHOUT_FOLDS = 1e-2  # the C where a class is too small for any fold


@dataclass(frozen=True)
class Probe:
    """A linear head, for features as they come from the backbone.

    Attributes:
        weights: float32 ``[D, K]``; with ``bias``, ``softmax(features @ weights + bias)``
            are the probabilities. The standardization is folded in.
        bias: float32 ``[K]``.
        C: The strength chosen, in scikit-learn's sense: larger is freer.
        table: Every strength tried, strong to weak.
        out_of_fold: float32 ``[n, K]``, each picture's probabilities by the fold's model
            that had not seen it, at the strength chosen.
    """

    weights: Float
    bias: Float
    C: float
    table: tuple[Candidate, ...]
    out_of_fold: Float

    def predict(self, features: NDArray[np.floating]) -> Float:
        """Probabilities, float32 ``[n, K]``, of features ``[n, D]``."""
        return softmax(features.astype(np.float32) @ self.weights + self.bias)

    def as_json(self) -> dict[str, Any]:
        """The ``probe`` member of ``run.json``."""
        return {
            "C": float(f"{self.C:.6g}"),
            "table": [
                {
                    "C": float(f"{row.C:.6g}"),
                    "log_loss": round(row.log_loss, 5),
                    "accuracy": round(row.accuracy, 5),
                }
                for row in self.table
            ],
        }


@dataclass(frozen=True)
class Repeated:
    """Predictions of every picture by models that never saw it or its group.

    Attributes:
        probabilities: float32 ``[R, n, K]``, one set of predictions a repeat.
        strengths: The ``C`` chosen inside each fold's training part, ``R`` tuples.
    """

    probabilities: Float
    strengths: tuple[tuple[float, ...], ...]


def fit(
    features: NDArray[np.floating],
    labels: Ints,
    groups: Ints,
    *,
    classes: int,
    seed: int,
    folds: Folds | None = None,
    progress: Progress = SILENT,
) -> Probe:
    """Learn a head from training pictures.

    Args:
        features: float16 or float32 ``[n, D]``.
        labels: int ``[n]``, each in ``0 .. classes - 1``.
        groups: int ``[n]``; pictures with one number never stand on both sides of a fold.
        classes: How many classes there are, at least 2.
        seed: What the folds are drawn from.
        folds: Rows to learn from and rows to ask about, instead of folds drawn here.
        progress: Who listens; the stage counts strengths tried.

    Raises:
        DataError: Fewer than two classes have pictures.
    """
    labels = _checked(labels, classes)
    if folds is None:
        folds = splits.folds(labels, groups, seed=seed)
    table = standardize(features)
    strength, out_of_fold = _WITHOUT_FOLDS, prior(labels, classes)
    candidates: tuple[Candidate, ...] = ()
    stages = progress.stage("Learning", total=len(GRID) + 1, unit="strengths")
    with threads(table), stages as stage:
        said = "too few pictures for folds"
        if folds:
            path = Path(table, labels, folds, np.zeros(len(folds), np.int64), classes=classes)
            stage.advance()
            while path.step():
                stage.advance()
            strength, candidates = float(path.best[0]), tuple(path.tables[0])
            out_of_fold = path.out_of_fold(0)
            said = f"{len(folds)} folds"
        weights, bias = _final(table, labels, strength, classes)
        stage.advance(len(GRID) + 1 - len(candidates))
        stage.summarize(f"{said}, C = {strength:.2g}")
    return Probe(weights, bias, strength, candidates, out_of_fold)


def repeated(
    features: NDArray[np.floating],
    labels: Ints,
    groups: Ints,
    *,
    classes: int,
    seed: int,
    repeats: int = 5,
    k: int = 5,
    progress: Progress = SILENT,
) -> Repeated:
    """Predict every picture ``repeats`` times by models that never saw it or its group.

    Meant for small data: all folds of a repeat are solved at once. A picture whose class
    has no second group cannot be foretold; it gets the frequencies of the classes.

    Args:
        features: float16 or float32 ``[n, D]``.
        labels: int ``[n]``, each in ``0 .. classes - 1``.
        groups: int ``[n]``.
        classes: How many classes there are, at least 2.
        seed: What all folds are drawn from.
        repeats: How often the pictures are parted anew.
        k: Folds a repeat, and folds inside each for the strength.
        progress: Who listens; the stage counts repeats.

    Raises:
        DataError: Fewer than two classes have pictures.
    """
    labels = _checked(labels, classes)
    table = standardize(features)
    out = np.empty((repeats, len(labels), classes), np.float32)
    strengths = []
    dealt = splits.repeated_folds(labels, groups, k=k, repeats=repeats, seed=seed)
    stages = progress.stage("Measuring", total=repeats, unit="repeats")
    with threads(table), stages as stage:
        for repeat, outer in enumerate(dealt):
            out[repeat], chosen = _nested(table, labels, groups, outer, classes, k, seed)
            strengths.append(chosen)
            stage.advance()
        stage.summarize(f"{repeats} times {len(strengths[0])} folds, each picture unseen")
    return Repeated(out, tuple(strengths))


def _nested(
    table: Table, labels: Ints, groups: Ints, outer: Folds, classes: int, k: int, seed: int
) -> tuple[Float, tuple[float, ...]]:
    """One repeat: probabilities of every picture, and the strength of each outer fold."""
    out = prior(labels, classes)
    if not outer:
        return out, ()
    inner: list[tuple[Ints, Ints]] = []
    owner: list[int] = []
    for number, (learn, _) in enumerate(outer):
        for a, b in splits.folds(labels[learn], groups[learn], k=k, seed=seed):
            inner.append((learn[a], learn[b]))
            owner.append(number)
    strengths = np.full(len(outer), _WITHOUT_FOLDS)
    if inner:
        path = Path(table, labels, inner, np.array(owner), classes=classes, choices=len(outer))
        while path.step():
            pass
        strengths = np.where(np.isnan(path.best), _WITHOUT_FOLDS, path.best)
    seen = mask(outer, len(labels))
    fits = solve(
        design(table, seen), labels, seen, strengths, classes=classes, tolerance=_TOLERANCE
    )
    for number, (_, ask) in enumerate(outer):
        out[ask] = probabilities(fits.logits[ask, number])
    return out, tuple(float(c) for c in strengths)


def _final(table: Table, labels: Ints, strength: float, classes: int) -> tuple[Float, Float]:
    """Weights ``[D, K]`` and bias ``[K]`` from all rows, for features in their own units."""
    seen = np.ones((1, len(labels)), bool)
    used = design(table, seen)
    fits = solve(used, labels, seen, strength, classes=classes, tolerance=_TOLERANCE)
    scaled, offset = used.for_table(fits.parameters[:, :-1])
    weights = scaled[0].astype(np.float64) / table.scale[:, None]
    bias = fits.parameters[0, -1] + offset[0] - table.mean @ weights
    if classes == 2:  # one column of logits, shared out evenly between the two classes
        weights, bias = np.hstack([-weights, weights]) / 2, np.hstack([-bias, bias]) / 2
    weights -= weights.mean(axis=1, keepdims=True)
    return weights.astype(np.float32), (bias - bias.mean()).astype(np.float32)


def _checked(labels: NDArray[np.integer], classes: int) -> Ints:
    present = len(np.unique(labels))
    if present < 2:
        raise DataError(
            f"A classifier needs pictures of at least two classes; there are {present}.",
            remedy="Add a folder of pictures for each further class.",
            code="too_few_classes",
        )
    if classes < 2 or labels.min() < 0 or labels.max() >= classes:
        raise ValueError(f"labels must lie in 0 .. {classes - 1}")
    return labels.astype(np.int64)
