"""Many L2-regularized logistic regressions on one table of features, solved side by side.

Cross-validation fits the same model on slightly different rows again and again. Here these
fits are columns of one problem: one matrix product serves all of them, and reads the features
from memory once instead of once a fit.

:mod:`.designs` holds the features, :mod:`.solver` the
optimization, :mod:`.path` the choice of a strength.

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
from tellapart.transfer.logistic.path import GRID, Candidate, Folds, Path, probabilities
from tellapart.transfer.logistic.solver import Fits, solve

__all__ = [
    "GRID",
    "Candidate",
    "Fits",
    "Folds",
    "Path",
    "Table",
    "design",
    "probabilities",
    "solve",
    "standardize",
]
