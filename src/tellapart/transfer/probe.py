"""The linear head: a regularized logistic regression on the features of a frozen backbone.

The regularization strength is chosen by grouped, stratified cross-validation inside the training
part: the strength with the least log loss on the test rows of the folds. Held-out pictures play
no part in it.

If there are too few pictures to hold some out, :func:`repeated` measures by nested
cross-validation: every picture is predicted several times, each time by a model that was trained,
and its strength chosen, without it and its group.

The solver is :mod:`tellapart.transfer.logistic`. A test compares it with scikit-learn's
``LogisticRegression(C)`` on standardized features.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart import splits
from tellapart.core.errors import DataError
from tellapart.core.progress import SILENT, Progress
from tellapart.core.typing import Floats, Ints
from tellapart.transfer.logistic import (
    GRID,
    Candidate,
    Folds,
    Table,
    choose_strengths,
    design,
    probabilities,
    solve,
    standardize,
)
from tellapart.transfer.logistic.designs import threads
from tellapart.transfer.logistic.solver import softmax
from tellapart.transfer.logistic.strengths import mask, prior, test_rows

_TOLERANCE = 1e-7  # of the gradient, for a model that predicts
_WITHOUT_FOLDS = 1e-2  # the C where a class is too small for any fold


@dataclass(frozen=True)
class Probe:
    """A linear head, for features as they come from the backbone.

    Attributes:
        weights: float32 ``[D, K]``; with ``bias``, ``softmax(features @ weights + bias)``
            are the probabilities. The standardization is folded in.
        bias: float32 ``[K]``.
        C: The strength chosen, in scikit-learn's sense: larger regularizes less.
        table: Every strength tried, strong to weak.
        out_of_fold: float32 ``[n, K]``, each picture's probabilities by the fold's model that
            was trained without it, at the strength chosen. A picture in no fold has the
            frequencies of the classes.
    """

    weights: Floats
    bias: Floats
    C: float
    table: tuple[Candidate, ...]
    out_of_fold: Floats

    def predict(self, features: NDArray[np.floating]) -> Floats:
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
    """Predictions of every picture by models trained without it and its group.

    Attributes:
        probabilities: float32 ``[R, n, K]``, one set of predictions per repeat.
        strengths: The ``C`` chosen inside each fold's training part, ``R`` tuples.
    """

    probabilities: Floats
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
    """Fit a head to training pictures.

    Args:
        features: float16 or float32 ``[n, D]``.
        labels: int ``[n]``, each in ``0 .. classes - 1``.
        groups: int ``[n]``; pictures with the same number are on the same side of each fold.
        classes: How many classes there are, at least 2.
        seed: Of the random folds.
        folds: Training and test rows, instead of folds drawn here.
        progress: Its stage counts strengths tried.

    Raises:
        DataError: Fewer than two classes have pictures.
    """
    labels = _checked(labels, classes)
    if folds is None:
        folds = splits.folds(labels, groups, seed=seed)
    table = standardize(features)
    out_of_fold = prior(labels, classes)
    stages = progress.stage("Learning", total=len(GRID) + 1, unit="strengths")
    with threads(table), stages as stage:
        (choice,) = choose_strengths(table, labels, [folds], classes=classes, advance=stage.advance)
        if folds:
            out_of_fold[test_rows(folds)] = probabilities(choice.logits)
        strength = choice.C or _WITHOUT_FOLDS
        weights, bias = _final(table, labels, strength, classes)
        stage.advance(len(GRID) + 1 - len(choice.table))
        how = f"{len(folds)} folds" if folds else "too few pictures for folds"
        stage.summarize(f"{how}, C = {strength:.2g}")
    return Probe(weights, bias, strength, tuple(choice.table), out_of_fold)


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
    """Predict every picture ``repeats`` times by models trained without it and its group.

    Meant for small data: all folds of a repeat are solved at once. A picture whose class has no
    second group is in no fold; it gets the frequencies of the classes.

    Args:
        features: float16 or float32 ``[n, D]``.
        labels: int ``[n]``, each in ``0 .. classes - 1``.
        groups: int ``[n]``.
        classes: How many classes there are, at least 2.
        seed: Of the random folds.
        repeats: How often folds are drawn.
        k: Folds per repeat, and folds inside each for choosing the strength.
        progress: Its stage counts repeats.

    Raises:
        DataError: Fewer than two classes have pictures.
    """
    labels = _checked(labels, classes)
    table = standardize(features)
    out = np.empty((repeats, len(labels), classes), np.float32)
    strengths = []
    all_folds = splits.repeated_folds(labels, groups, k=k, repeats=repeats, seed=seed)
    stages = progress.stage("Measuring", total=repeats, unit="repeats")
    with threads(table), stages as stage:
        for repeat, outer in enumerate(all_folds):
            out[repeat], chosen = _nested(table, labels, groups, outer, classes, k, seed)
            strengths.append(chosen)
            stage.advance()
        stage.summarize(f"{repeats} times {len(strengths[0])} folds, each picture unseen")
    return Repeated(out, tuple(strengths))


def _nested(
    table: Table, labels: Ints, groups: Ints, outer: Folds, classes: int, k: int, seed: int
) -> tuple[Floats, tuple[float, ...]]:
    """One repeat: probabilities of every picture, and the strength of each outer fold."""
    out = prior(labels, classes)
    if not outer:
        return out, ()
    inner = [
        [
            (train[a], train[b])
            for a, b in splits.folds(labels[train], groups[train], k=k, seed=seed)
        ]
        for train, _ in outer
    ]
    choices = choose_strengths(table, labels, inner, classes=classes)
    strengths = tuple(choice.C or _WITHOUT_FOLDS for choice in choices)
    seen = mask(outer, len(labels))
    fits = solve(
        design(table, seen),
        labels,
        seen,
        np.array(strengths),
        classes=classes,
        tolerance=_TOLERANCE,
    )
    for number, (_, test) in enumerate(outer):
        out[test] = probabilities(fits.logits[test, number])
    return out, strengths


def _final(table: Table, labels: Ints, strength: float, classes: int) -> tuple[Floats, Floats]:
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
