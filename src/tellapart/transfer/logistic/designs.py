"""Features, standardized for several fits at once.

A *design* computes two products for ``P`` fits together: logits of all rows from weights
(:meth:`Design.forward`), and gradients of weights from residuals of the rows
(:meth:`Design.backward`). Every fit standardizes on its own training rows.

- :class:`Shared` keeps one matrix; the weights absorb means and scales of the fits. One matrix
  product serves all fits.
- :class:`Reduced` is for few rows and many features: the best weights are in the span of a fit's
  training rows, so each fit gets a few coordinates along their principal axes. The solver also
  needs fewer iterations with these.

Scales have a floor, a tenth of the root mean square of all scales. Without it, a feature that
hardly varies in training would be magnified, and could dominate a picture in which it differs.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tellapart.core.typing import Floats

Bools = NDArray[np.bool_]

FLOOR = 0.1
"""The least scale of a feature, relative to the root mean square of all scales."""
_CHUNK = 4096  # rows converted to float32 at a time
_WORTH_THREADS = 4_000_000  # numbers in a table: some 3,000 pictures


@dataclass(frozen=True)
class Table:
    """Standardized features.

    Attributes:
        x: float32 ``[n, D]``, standardized over all rows.
        mean: float32 ``[D]``, in the features' own units.
        scale: float32 ``[D]``, in the features' own units, above zero.
    """

    x: Floats
    mean: Floats
    scale: Floats


class Design(Protocol):
    """Features of ``n`` rows for ``P`` fits, ``D`` numbers per row.

    Attributes:
        size: ``n``, ``P`` and ``D``.
        curvature: float32 ``[P, D]``, mean square of each number over a fit's training rows.
    """

    size: tuple[int, int, int]
    curvature: Floats

    def forward(self, weights: Floats) -> Floats:
        """Logits without intercepts, ``[n, P, L]``, for weights ``[P, D, L]``."""

    def backward(self, residuals: Floats) -> Floats:
        """The transpose: ``[P, D, L]`` for residuals ``[n, P, L]``."""

    def for_table(self, weights: Floats) -> tuple[Floats, Floats]:
        """Weights ``[P, D, L]`` and intercepts ``[P, L]`` that give the same on ``table.x``."""


def standardize(features: NDArray[np.floating]) -> Table:
    """Center and scale every feature, in one float32 copy made in chunks.

    Args:
        features: float16 or float32 ``[n, D]``.
    """
    n, d = features.shape
    x = np.empty((n, d), np.float32)
    total = np.zeros(d)
    for at in range(0, n, _CHUNK):
        x[at : at + _CHUNK] = features[at : at + _CHUNK]
        total += x[at : at + _CHUNK].sum(axis=0, dtype=np.float64)
    mean = (total / n).astype(np.float32)
    squares = np.zeros(d)
    for at in range(0, n, _CHUNK):
        x[at : at + _CHUNK] -= mean
        squares += np.einsum("ij,ij->j", x[at : at + _CHUNK], x[at : at + _CHUNK])
    scale = _with_floor(np.sqrt(squares / n))
    x /= scale
    return Table(x, mean, scale)


def threads(table: Table) -> AbstractContextManager[object]:
    """A context in which the matrix products of a small table run on one thread.

    They gain little from a second thread, and lose much if the processor is busy: BLAS threads
    wait for each other by spinning.
    """
    if table.x.size >= _WORTH_THREADS:
        return nullcontext()
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    limits: AbstractContextManager[object] = threadpool_limits(1, user_api="blas")
    return limits


def design(table: Table, seen: Bools) -> Design:
    """The faster design for the shape of the data.

    Args:
        table: Features of all rows.
        seen: bool ``[P, n]``, the training rows of each fit.
    """
    n, d = table.x.shape
    return Reduced(table, seen) if 2 * n <= d else Shared(table, seen)


class Shared:
    """One matrix for all fits; see the module's docstring."""

    def __init__(self, table: Table, seen: Bools) -> None:
        self.x = table.x
        self.size = (len(self.x), len(seen), self.x.shape[1])
        self.mean, self.scale, self.curvature = _moments(table, seen)

    def forward(self, weights: Floats) -> Floats:
        """Logits without intercepts, ``[n, P, L]``, for weights ``[P, D, L]``."""
        scaled, offset = self.for_table(weights)
        stacked = np.ascontiguousarray(scaled.transpose(1, 0, 2)).reshape(self.size[2], -1)
        product = self.x @ stacked
        product += offset.ravel()
        logits: Floats = product.reshape(*self.size[:2], -1)
        return logits

    def backward(self, residuals: Floats) -> Floats:
        """The transpose of :meth:`forward`: ``[P, D, L]`` for ``[n, P, L]``."""
        product = self.x.T @ residuals.reshape(len(residuals), -1)
        out = product.reshape(self.size[2], self.size[1], -1).transpose(1, 0, 2)
        out = out - self.mean[:, :, None] * residuals.sum(axis=0)[:, None]
        scaled: Floats = out / self.scale[:, :, None]
        return scaled

    def for_table(self, weights: Floats) -> tuple[Floats, Floats]:
        """Weights ``[P, D, L]`` and intercepts ``[P, L]`` for ``table.x`` itself."""
        scaled = weights / self.scale[:, :, None]
        return scaled, -np.einsum("pd,pdl->pl", self.mean, scaled)


class Reduced:
    """A few coordinates for each fit; see the module's docstring."""

    def __init__(self, table: Table, seen: Bools) -> None:
        self.mean, self.scale, _ = _moments(table, seen)
        n, most = len(table.x), int(seen.sum(axis=1).max())
        self.basis = np.zeros((len(seen), table.x.shape[1], most), np.float32)
        self.x = np.zeros((len(seen), n, most), np.float32)
        for fit, rows in enumerate(seen):
            z = (table.x - self.mean[fit]) / self.scale[fit]
            known = z[rows]
            size, axes = np.linalg.eigh((known @ known.T).astype(np.float64))
            kept = size > max(size[-1], 0) * 1e-7
            axes = (axes[:, kept] / np.sqrt(size[kept])).astype(np.float32)
            self.basis[fit, :, : axes.shape[1]] = known.T @ axes
            self.x[fit] = z @ self.basis[fit]
        self.size = (n, len(seen), most)
        squares = np.einsum("pnd,pn->pd", self.x**2, seen.astype(np.float32))
        self.curvature = squares / np.maximum(seen.sum(axis=1), 1)[:, None].astype(np.float32)

    def forward(self, weights: Floats) -> Floats:
        """Logits without intercepts, ``[n, P, L]``, for weights ``[P, D, L]``."""
        return np.ascontiguousarray((self.x @ weights).transpose(1, 0, 2))

    def backward(self, residuals: Floats) -> Floats:
        """The transpose of :meth:`forward`: ``[P, D, L]`` for ``[n, P, L]``."""
        return self.x.transpose(0, 2, 1) @ np.ascontiguousarray(residuals.transpose(1, 0, 2))

    def for_table(self, weights: Floats) -> tuple[Floats, Floats]:
        """Weights ``[P, D, L]`` and intercepts ``[P, L]`` for ``table.x`` itself."""
        scaled = (self.basis @ weights) / self.scale[:, :, None]
        return scaled, -np.einsum("pd,pdl->pl", self.mean, scaled)


def _moments(table: Table, seen: Bools) -> tuple[Floats, Floats, Floats]:
    """Mean, scale and scaled mean square of ``table.x`` over each fit's rows, ``[P, D]`` each."""
    x, (n, d) = table.x, table.x.shape
    count = np.maximum(seen.sum(axis=1), 1)[:, None]
    sums, squares = np.zeros((len(seen), d)), np.zeros((len(seen), d))
    weight = seen.astype(np.float32)
    for at in range(0, n, _CHUNK):
        part = x[at : at + _CHUNK]
        sums += weight[:, at : at + _CHUNK] @ part
        squares += weight[:, at : at + _CHUNK] @ (part * part)
    mean = sums / count
    spread = np.sqrt(np.maximum(squares / count - mean**2, 0))
    # The floor is relative to scales in the features' own units, not in those of the table.
    scale = _with_floor(spread * table.scale) / table.scale
    return mean.astype(np.float32), scale, ((spread / scale) ** 2).astype(np.float32)


def _with_floor(spread: NDArray[np.float64]) -> Floats:
    """Scales, not below the floor along the last axis; 1 where all features are constant."""
    floor = FLOOR * np.sqrt((spread**2).mean(axis=-1, keepdims=True))
    out = np.maximum(spread, np.where(floor > 0, floor, 1))
    return np.where(floor > 0, out, 1).astype(np.float32)
