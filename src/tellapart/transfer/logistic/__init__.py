"""Many L2-regularized logistic regressions on one table of features, solved side by side.

Cross-validation fits the same model on slightly different rows many times. Here these fits are
columns of one problem, so that one matrix product serves all of them.

:mod:`.designs` has the features, :mod:`.solver` the optimization, :mod:`.strengths` the choice of
the regularization strength.

Example:
    >>> import numpy as np
    >>> from tellapart.transfer.logistic.designs import Shared
    >>> table = standardize(np.array([[0.0], [1.0], [2.0], [3.0]], np.float32))
    >>> seen = np.ones((1, 4), bool)
    >>> labels = np.array([0, 0, 1, 1])
    >>> fits = solve(Shared(table, seen), labels, seen, 1.0, classes=2)
    >>> bool(fits.logits[3, 0, 0] > 0)
    True
"""

from __future__ import annotations

from tellapart.transfer.logistic.designs import Table, design, standardize
from tellapart.transfer.logistic.solver import Fits, solve
from tellapart.transfer.logistic.strengths import (
    GRID,
    Candidate,
    Folds,
    choose_strengths,
    probabilities,
)

__all__ = [
    "GRID",
    "Candidate",
    "Fits",
    "Folds",
    "Table",
    "choose_strengths",
    "design",
    "probabilities",
    "solve",
    "standardize",
]
