"""Choice of the regularization strength by cross-validation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from tellapart.core.typing import Floats, Ints
from tellapart.transfer.logistic.designs import Bools, Table, design
from tellapart.transfer.logistic.solver import sigmoid, softmax, solve

Folds = Sequence[tuple[Ints, Ints]]
"""Training rows and test rows of each fold."""

GRID: tuple[float, ...] = tuple(float(10 ** (e / 2)) for e in range(-10, 3))
"""The strengths tried, as scikit-learn's ``C``: 0.00001 (strong) to 10 (weak)."""

_PATIENCE = 2  # strengths without a better log loss before the search ends
_TOLERANCE = 1e-4  # of the gradient, while strengths are compared


@dataclass(frozen=True)
class Candidate:
    """How good one strength was on the test rows of the folds."""

    C: float
    log_loss: float
    accuracy: float


@dataclass
class Choice:
    """The strength that a cross-validation chose.

    Attributes:
        table: Every strength tried, strong to weak.
        C: The best of them; None without folds.
        logits: float32 ``[n, L]`` of the test rows, fold after fold, at that strength.
    """

    table: list[Candidate] = field(default_factory=list)
    C: float | None = None
    logits: Floats = field(default_factory=lambda: np.empty((0, 1), np.float32))

    @property
    def ended(self) -> bool:
        """Whether weaker strengths need not be tried."""
        losses = [row.log_loss for row in self.table]
        return len(losses) > _PATIENCE and min(losses[-_PATIENCE:]) > min(losses)

    def record(self, strength: float, logits: Floats, labels: Ints) -> None:
        """Compare another strength, by its logits of the test rows."""
        right = probabilities(logits).argmax(axis=1) == labels
        row = Candidate(strength, log_loss(logits, labels), float(right.mean()))
        if all(row.log_loss < other.log_loss for other in self.table):
            self.C, self.logits = strength, logits
        self.table.append(row)


def choose_strengths(
    table: Table,
    labels: Ints,
    validations: Sequence[Folds],
    *,
    classes: int,
    advance: Callable[[], object] = lambda: None,
) -> list[Choice]:
    """Choose a strength for each of several cross-validations, all solved side by side.

    Strengths are tried from strong to weak; each fit starts at the solution of the strength
    before. A choice ends after two strengths without a better log loss.

    Args:
        table: Features of all rows.
        labels: int ``[n]``, each in ``0 .. classes - 1``.
        validations: The folds of each cross-validation; one may have none.
        classes: How many classes.
        advance: Called after each strength.
    """
    choices = [Choice() for _ in validations]
    folds = [fold for one in validations for fold in one]
    if not folds:
        return choices
    firsts = np.cumsum([0, *map(len, validations)]).tolist()
    seen = mask(folds, len(labels))
    features = design(table, seen)
    start: Floats | None = None
    for strength in GRID:
        fits = solve(
            features, labels, seen, strength, classes=classes, start=start, tolerance=_TOLERANCE
        )
        start = fits.parameters
        for choice, own, first in zip(choices, validations, firsts, strict=False):
            if own and not choice.ended:
                tests = [(first + number, test) for number, (_, test) in enumerate(own)]
                logits = np.concatenate([fits.logits[test, fit] for fit, test in tests])
                choice.record(strength, logits, labels[test_rows(own)])
        advance()
        if all(choice.ended for choice, own in zip(choices, validations, strict=True) if own):
            break
    return choices


def test_rows(folds: Folds) -> Ints:
    """The test rows of all folds, fold after fold."""
    return np.concatenate([test for _, test in folds])


def probabilities(logits: Floats) -> Floats:
    """Probabilities ``[n, K]`` of the solver's logits ``[n, L]``."""
    if logits.shape[1] == 1:
        one = sigmoid(logits)
        return np.hstack([1 - one, one])
    return softmax(logits)


def log_loss(logits: Floats, labels: Ints) -> float:
    """Mean of minus the logarithm of the true class's probability, from logits ``[n, L]``."""
    z = logits.astype(np.float64)
    if z.shape[1] == 1:
        z = np.hstack([np.zeros_like(z), z])
    z -= z.max(axis=1, keepdims=True)
    picked = z[np.arange(len(z)), labels]
    return float((np.log(np.exp(z).sum(axis=1)) - picked).mean())


def mask(folds: Folds, n: int) -> Bools:
    """The training rows of each fold, bool ``[len(folds), n]``."""
    seen = np.zeros((len(folds), n), bool)
    for number, (train, _) in enumerate(folds):
        seen[number, train] = True
    return seen


def prior(labels: Ints, classes: int) -> Floats:
    """The frequencies of the classes, for every row: float32 ``[n, K]``."""
    share = np.bincount(labels, minlength=classes) / len(labels)
    return np.tile(share.astype(np.float32), (len(labels), 1))
