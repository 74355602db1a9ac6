"""A confusion matrix, arranged for reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LARGE = 4  # classes up to which cells are large
NUMBERED = 12  # classes up to which every cell is a roomy number
COMPACT = 40  # classes up to which it is a table at all; beyond, a map of dots
BLOCKS = 120  # rows of the map at most; more classes are summed in blocks


@dataclass(frozen=True, slots=True)
class Confused:
    """Pictures of one class that were taken for one other class."""

    truth: str
    predicted: str
    count: float
    of: float

    @property
    def share(self) -> float:
        """Share of the true class's held-out pictures, 0 to 1."""
        return self.count / self.of if self.of else 0.0


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the matrix; ``share`` is of its row, 0 to 1."""

    count: float
    share: float
    right: bool


def as_matrix(confusion: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    """``held_out.confusion`` as float64 ``[K, K]``, rows true, columns predicted.

    Counts are whole, but for averages over repeated folds.
    """
    matrix = np.asarray(confusion, dtype=np.float64)
    return matrix if matrix.ndim == 2 else np.zeros((0, 0), dtype=np.float64)


def most_confused(
    matrix: NDArray[np.float64], classes: Sequence[str], limit: int = 12
) -> tuple[Confused, ...]:
    """The most frequent mistakes, most frequent first, then in the order of the classes."""
    wrong = matrix.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:limit]
    sums = matrix.sum(axis=1)
    pairs = []
    for flat in order.tolist():
        row, column = divmod(flat, matrix.shape[1])
        count = float(wrong[row, column])
        if count == 0:
            break
        pairs.append(Confused(classes[row], classes[column], count, float(sums[row])))
    return tuple(pairs)


def cells(matrix: NDArray[np.float64]) -> list[list[Cell]]:
    """Every cell with its share of the row."""
    shares = row_shares(matrix)
    return [
        [Cell(float(matrix[i, j]), float(shares[i, j]), i == j) for j in range(matrix.shape[1])]
        for i in range(matrix.shape[0])
    ]


def row_shares(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each row divided by its sum; rows without pictures are zero."""
    sums = matrix.sum(axis=1, keepdims=True)
    shares: NDArray[np.float64] = matrix / np.where(sums > 0, sums, 1)
    return shares


def in_blocks(matrix: NDArray[np.float64], limit: int = BLOCKS) -> tuple[NDArray[np.float64], int]:
    """The matrix with neighboring classes summed until it has at most ``limit`` rows.

    Returns:
        float64 ``[B, B]`` and how many classes a block holds (the last may hold fewer).
    """
    count = matrix.shape[0]
    width = -(-count // limit) if count else 1
    if width == 1:
        return matrix, 1
    edges = np.arange(0, count, width)
    summed = np.add.reduceat(np.add.reduceat(matrix, edges, axis=0), edges, axis=1)
    return summed, width
