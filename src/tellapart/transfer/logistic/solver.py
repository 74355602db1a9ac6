"""L-BFGS for many regularized logistic regressions side by side.

Each fit has training rows ``S`` and a strength ``C``. It minimizes ::

    mean over i in S of -log softmax(z_i W + b)[label_i]  +  |W|^2 / (2 C |S|)

where ``z`` are the features standardized on ``S``. This is the objective of scikit-learn's
``LogisticRegression(C)`` divided by ``C |S|``. Two classes have one column of logits (that of
class 1), more classes have one each. The intercept is not regularized.

Each fit has its own history and its own step, so its result is that of a fit on its rows alone.
Source: the two-loop recursion in Nocedal and Wright, Numerical Optimization, 2nd edition,
algorithm 7.4, started from a diagonal estimated from the design's curvature. Logits are linear in
the step, so the line search (Newton's method with a bracket) needs no product with the features.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tellapart.core.typing import Floats
from tellapart.transfer.logistic.designs import Bools, Design

_HISTORY = 10
_LINE_STEPS = 12
_STALL = 40  # iterations without a smaller gradient: the limit of float32
_Memory = deque[tuple[Floats, Floats, Floats]]


@dataclass(frozen=True)
class Fits:
    """The solutions of ``P`` fits.

    Attributes:
        parameters: float32 ``[P, D + 1, L]``, weights in the design's coordinates, the intercept
            in the last row; :func:`solve` can start from them.
        logits: float32 ``[n, P, L]`` of every row.
        iterations: Until the last fit was done.
    """

    parameters: Floats
    logits: Floats
    iterations: int


def solve(
    design: Design,
    labels: NDArray[np.int64],
    seen: Bools,
    strength: NDArray[np.float64] | float,
    *,
    classes: int,
    start: Floats | None = None,
    tolerance: float = 1e-4,
    rounds: int = 500,
) -> Fits:
    """Fit ``P`` regressions, one for each row of ``seen``.

    Args:
        design: Features of all rows, standardized for each fit.
        labels: int ``[n]``, each in ``0 .. classes - 1``.
        seen: bool ``[P, n]``, the training rows of each fit.
        strength: The ``C`` of each fit, ``[P]``, or one for all; larger regularizes less.
        classes: How many classes there are, at least 2.
        start: ``Fits.parameters`` of other strengths on the same design.
        tolerance: A fit is done when no entry of its gradient is larger.
        rounds: Most iterations.
    """
    problem = _Problem(design, labels, seen, strength, classes)
    p = np.zeros(problem.shape, np.float32) if start is None else start.copy()
    logits = problem.logits(p)
    gradient = problem.gradient(p, logits)
    guess = problem.inverse_diagonal(logits)
    memory: _Memory = deque(maxlen=_HISTORY)
    done, least, since = 0, np.inf, 0
    while done < rounds and since < _STALL:
        moving = np.abs(gradient).max(axis=(1, 2)) > tolerance
        if not moving.any():
            break
        direction = _direction(gradient, memory, guess)
        uphill = _dot(direction, gradient) >= 0
        direction[uphill] = -gradient[uphill]
        direction[~moving] = 0  # fits that are done do not move
        along = problem.logits(direction)
        step = problem.line_search(p, direction, logits, along)
        moved = direction * step[:, None, None]
        p += moved
        logits += along * step[None, :, None]
        before, gradient = gradient, problem.gradient(p, logits)
        change = gradient - before
        curvature = _dot(moved, change)
        usable = curvature > 1e-12 * _dot(change, change)
        memory.append((moved, change, _inverse(curvature, usable)))
        done += 1
        largest = float(np.abs(gradient).max())
        least, since = (largest, 0) if largest < least else (least, since + 1)
    # The sum over the steps has rounding errors, so compute the logits anew.
    return Fits(p, problem.logits(p), done)


def sigmoid(logits: Floats) -> Floats:
    """The probability of class 1 for logits of any shape, without overflow."""
    small: Floats = np.exp(-np.abs(logits))
    above: Floats = np.where(logits >= 0, np.float32(1), small).astype(np.float32)
    return above / (1 + small)


def softmax(logits: Floats) -> Floats:
    """Probabilities over the last axis, without overflow."""
    raised: Floats = np.exp(logits - logits.max(axis=-1, keepdims=True))
    raised /= raised.sum(axis=-1, keepdims=True)
    return raised


class _Problem:
    """The data of one :func:`solve`: values, gradients and steps of all fits."""

    def __init__(
        self,
        design: Design,
        labels: NDArray[np.int64],
        seen: Bools,
        strength: NDArray[np.float64] | float,
        classes: int,
    ) -> None:
        n, fits, d = design.size
        self.design = design
        self.columns = 1 if classes == 2 else classes
        self.shape = (fits, d + 1, self.columns)
        self.labels, self.rows = labels, np.arange(n)
        self.truth = labels[:, None, None].astype(np.float32)
        count = np.maximum(seen.sum(axis=1), 1)
        self.penalty = (1 / (np.broadcast_to(strength, fits) * count)).astype(np.float32)
        self.row_weight = (seen / count[:, None]).T.astype(np.float32)[:, :, None]  # [n, P, 1]

    def logits(self, p: Floats) -> Floats:
        return self.design.forward(p[:, :-1]) + p[None, :, -1]

    def gradient(self, p: Floats, logits: Floats) -> Floats:
        residuals = self._probabilities(logits)
        if self.columns == 1:
            residuals -= self.truth
        else:
            residuals[self.rows, :, self.labels] -= 1
        residuals *= self.row_weight
        out = np.empty(self.shape, np.float32)
        out[:, :-1] = self.design.backward(residuals)
        out[:, :-1] += self.penalty[:, None, None] * p[:, :-1]
        out[:, -1] = residuals.sum(axis=0)
        return out

    def inverse_diagonal(self, logits: Floats) -> Floats:
        """An estimate of the diagonal of the inverse Hessian, ``[P, D + 1, 1]``."""
        q = self._probabilities(logits)
        spread = (q * (1 - q) * self.row_weight).sum(axis=0).mean(axis=1)[:, None] + 1e-6
        out = np.empty((*self.shape[:2], 1), np.float32)
        out[:, :-1, 0] = 1 / (spread * self.design.curvature + self.penalty[:, None])
        out[:, -1, 0] = 1 / spread[:, 0]
        return out

    def line_search(self, p: Floats, direction: Floats, logits: Floats, along: Floats) -> Floats:
        """The step of each fit, ``[P]``, at which the slope is at most a tenth of the first.

        The objective is convex, so the sign of the slope brackets the minimum. A Newton step is
        taken if it stays inside, else the bracket is halved or widened.
        """
        linear = self.penalty * _dot(p[:, :-1], direction[:, :-1])
        square = self.penalty * _dot(direction[:, :-1], direction[:, :-1])
        step = np.ones(self.shape[0], np.float32)
        low, high = np.zeros_like(step), np.full_like(step, np.inf)
        first, _ = self._slope(logits, along, linear, square, 0 * step)
        for _ in range(_LINE_STEPS):
            slope, curve = self._slope(logits, along, linear, square, step)
            fine = (slope <= 0.1 * np.abs(first)) & (slope >= 0.5 * first)
            if fine.all():
                break
            low, high = np.where(slope < 0, step, low), np.where(slope < 0, high, step)
            newton = step - slope / np.maximum(curve, 1e-30)
            middle = np.where(np.isinf(high), 4 * step, (low + high) / 2)
            inside = (newton > low) & (newton < np.minimum(high, 8 * step + 1))
            better = np.where(inside, newton, middle)
            step = np.where(fine, step, better).astype(np.float32)
        return step

    def _slope(
        self, logits: Floats, along: Floats, linear: Floats, square: Floats, step: Floats
    ) -> tuple[Floats, Floats]:
        """First and second derivative along the line, ``[P]`` each."""
        q = self._probabilities(logits + step[None, :, None] * along)
        weight = self.row_weight[:, :, 0]
        if self.columns == 1:
            q, one = q[:, :, 0], along[:, :, 0]
            slope = ((q - self.truth[:, :, 0]) * weight * one).sum(axis=0)
            curve = (q * (1 - q) * weight * one * one).sum(axis=0)
        else:
            expected = np.einsum("npl,npl->np", q, along)
            picked = along[self.rows, :, self.labels]
            slope = ((expected - picked) * weight).sum(axis=0)
            spread = np.einsum("npl,npl->np", q, along * along) - expected**2
            curve = (spread * weight).sum(axis=0)
        return slope + linear + step * square, curve + square

    def _probabilities(self, logits: Floats) -> Floats:
        return sigmoid(logits) if self.columns == 1 else softmax(logits)


def _direction(gradient: Floats, memory: _Memory, guess: Floats) -> Floats:
    """Minus the estimated inverse Hessian times the gradient."""
    q = -gradient
    shares = []
    for moved, change, rho in reversed(memory):
        share = rho * _dot(moved, q)
        q -= share[:, None, None] * change
        shares.append(share)
    q = q * guess
    if memory:
        _, change, rho = memory[-1]
        size = rho * _dot(change, change * guess)
        q *= np.where(size > 0, _inverse(size, size > 0), 1)[:, None, None]
    for (moved, change, rho), share in zip(memory, reversed(shares), strict=True):
        q += (share - rho * _dot(change, q))[:, None, None] * moved
    return q


def _dot(a: Floats, b: Floats) -> Floats:
    out: Floats = np.einsum("pdl,pdl->p", a, b)
    return out


def _inverse(values: Floats, where: Bools) -> Floats:
    """One over the values, 0 elsewhere."""
    return np.where(where, 1 / np.where(where, values, 1), 0).astype(np.float32)
