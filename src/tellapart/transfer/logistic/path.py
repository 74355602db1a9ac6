"""Strengths of regularization tried from strong to weak, judged on rows not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tellapart.core.typing import Ints
from tellapart.transfer.logistic.designs import Bools, Float, Table, design
from tellapart.transfer.logistic.solver import Fits, sigmoid, softmax, solve

Folds = Sequence[tuple[Ints, Ints]]
"""Rows to learn from and rows to ask about, one pair a fold."""

GRID: tuple[float, ...] = tuple(float(10 ** (e / 2)) for e in range(-10, 3))
"""The strengths tried, as scikit-learn's ``C``: 0.00001 (strong) to 10 (weak)."""

_PATIENCE = 2  # strengths without a better log loss before the path ends
_TOLERANCE = 1e-4  # of the gradient, while strengths are compared


@dataclass(frozen=True)
class Candidate:
    """How one strength did on the pictures that the folds' models had not seen."""

    C: float
    log_loss: float
    accuracy: float


class Path:
    """The walk along :data:`GRID`, for one choice of a strength or several at once.

    Each strength starts from what the one before it found. A choice ends after two
    strengths without a better log loss.

    Args:
        table: Features of all rows.
        labels: int ``[n]``, each in ``0 .. classes - 1``.
        folds: The folds of all choices.
        owner: Which choice each fold belongs to, ``[len(folds)]``.
        classes: How many classes.
        choices: How many choices there are.

    Attributes:
        tables: What was tried, a list for each choice.
        best: The best ``C`` of each choice, ``[choices]``; NaN for one without folds.
    """

    def __init__(
        self,
        table: Table,
        labels: Ints,
        folds: Folds,
        owner: Ints,
        *,
        classes: int,
        choices: int = 1,
    ) -> None:
        self._labels, self._folds, self._classes = labels, folds, classes
        self._members: list[list[int]] = [
            np.flatnonzero(owner == choice).tolist() for choice in range(choices)
        ]
        self._seen = mask(folds, len(labels))
        self._design = design(table, self._seen)
        self._kept: list[Float] = [np.empty(0, np.float32)] * choices
        self._start: Float | None = None
        self.tables: list[list[Candidate]] = [[] for _ in range(choices)]
        self.best = np.full(choices, np.nan)

    def step(self) -> bool:
        """Try the next strength; false where nothing is left to try after it."""
        strength = GRID[max(len(rows) for rows in self.tables)]
        fits = solve(
            self._design,
            self._labels,
            self._seen,
            strength,
            classes=self._classes,
            start=self._start,
            tolerance=_TOLERANCE,
        )
        self._start = fits.parameters
        open_still = False
        for choice, members in enumerate(self._members):
            if members and not self._ended(choice):
                self._record(choice, members, fits, strength)
                open_still = open_still or not self._ended(choice)
        return open_still

    def out_of_fold(self, choice: int) -> Float:
        """Probabilities of all rows at the best strength, float32 ``[n, K]``.

        A row that no fold asks about has the frequencies of the classes.
        """
        out = prior(self._labels, self._classes)
        members = self._members[choice]
        asked = np.concatenate([self._folds[fold][1] for fold in members])
        out[asked] = probabilities(self._kept[choice])
        return out

    def _record(self, choice: int, members: list[int], fits: Fits, strength: float) -> None:
        logits = np.concatenate([fits.logits[self._folds[m][1], m] for m in members])
        truth = np.concatenate([self._labels[self._folds[m][1]] for m in members])
        right = probabilities(logits).argmax(axis=1) == truth
        row = Candidate(strength, log_loss(logits, truth), float(right.mean()))
        if all(row.log_loss < other.log_loss for other in self.tables[choice]):
            self.best[choice] = strength
            self._kept[choice] = logits
        self.tables[choice].append(row)

    def _ended(self, choice: int) -> bool:
        losses = [row.log_loss for row in self.tables[choice]]
        if len(losses) == len(GRID):
            return True
        return len(losses) > _PATIENCE and min(losses[-_PATIENCE:]) > min(losses)


def probabilities(logits: Float) -> Float:
    """Probabilities ``[n, K]`` of the solver's logits ``[n, L]``."""
    if logits.shape[1] == 1:
        one = sigmoid(logits)
        return np.hstack([1 - one, one])
    return softmax(logits)


def log_loss(logits: Float, truth: Ints) -> float:
    """Mean of minus the logarithm of the true class's probability, from logits ``[n, L]``."""
    z = logits.astype(np.float64)
    if z.shape[1] == 1:
        z = np.hstack([np.zeros_like(z), z])
    z -= z.max(axis=1, keepdims=True)
    picked = z[np.arange(len(z)), truth]
    return float((np.log(np.exp(z).sum(axis=1)) - picked).mean())


def mask(folds: Folds, n: int) -> Bools:
    """The rows each fold learns from, bool ``[len(folds), n]``."""
    seen = np.zeros((len(folds), n), bool)
    for number, (learn, _) in enumerate(folds):
        seen[number, learn] = True
    return seen


def prior(labels: Ints, classes: int) -> Float:
    """The frequencies of the classes, for every row: float32 ``[n, K]``."""
    share = np.bincount(labels, minlength=classes) / len(labels)
    return np.tile(share.astype(np.float32), (len(labels), 1))
