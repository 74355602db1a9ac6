"""L-BFGS for many regularized logistic regressions side by side.

For fit ``p`` with rows ``S`` and strength ``C`` the minimum of ::

    mean over i in S of -log softmax(z_i W + b)[label_i]  +  |W|^2 / (2 C |S|)

is found, where ``z`` are the features standardized on ``S``; this is scikit-learn's
``LogisticRegression(C)`` divided by ``C |S|``. Two classes have one column of logits (that of
class 1), more classes have one each; the intercept is not regularized.

Each fit has its own history and its own step, so its answer is that of a fit on its rows
alone. Sources: the two-loop recursion, Nocedal and Wright, Numerical Optimization, 2nd
edition, algorithm 7.4, started from a diagonal that the design's curvature tells. A step needs
no further product with the features, since the logits are linear in it: a guarded Newton
search along the line works on the logits alone.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tellapart.transfer.logistic.designs import Bools, Design, Float

_HISTORY = 10
_LINE_STEPS = 12
_STALL = 40  # rounds without a smaller gradient: float32 gives no more
_Memory = deque[tuple[Float, Float, Float]]


@dataclass(frozen=True)
class Fits:
    """What :func:`solve` found for ``P`` fits.

    Attributes:
        parameters: float32 ``[P, D + 1, L]``, weights in the design's coordinates, the
            intercept in the last row; the start of the next :func:`solve`.
        logits: float32 ``[n, P, L]`` of every row, seen or not.
        iterations: How many rounds it took until the last fit was done.
    """

    parameters: Float
    logits: Float
    iterations: int


def solve(
    design: Design,
    labels: NDArray[np.int64],
    seen: Bools,
    strength: NDArray[np.float64] | float,
    *,
    classes: int,
    start: Float | None = None,
    tolerance: float = 1e-4,
    rounds: int = 500,
) -> Fits:
    """Fit ``P`` regressions, one for each row of ``seen``.

    Args:
        design: Features of all rows, standardized for each fit.
        labels: int ``[n]``, each in ``0 .. classes - 1``.
        seen: bool ``[P, n]``, the rows each fit may learn from.
        strength: The ``C`` of each fit, ``[P]``, or one for all; larger is freer.
        classes: How many classes there are, at least 2.
        start: ``Fits.parameters`` of other strengths on the same design.
        tolerance: Done when no entry of a fit's gradient is larger.
        rounds: Stop after as many iterations even so.
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
        direction[~moving] = 0  # a fit that has arrived stands still
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
        rest = float(np.abs(gradient).max())
        least, since = (rest, 0) if rest < least else (least, since + 1)
    # Summed up over the steps, the logits have gathered rounding: once more, in one product.
    return Fits(p, problem.logits(p), done)


def sigmoid(logits: Float) -> Float:
    """The probability of class 1 for logits of any shape, without overflow."""
    small: Float = np.exp(-np.abs(logits))
    above: Float = np.where(logits >= 0, np.float32(1), small).astype(np.float32)
    return above / (1 + small)


def softmax(logits: Float) -> Float:
    """Probabilities over the last axis, without overflow."""
    raised: Float = np.exp(logits - logits.max(axis=-1, keepdims=True))
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

    def logits(self, p: Float) -> Float:
        return self.design.forward(p[:, :-1]) + p[None, :, -1]

    def gradient(self, p: Float, logits: Float) -> Float:
        rest = self._probabilities(logits)
        if self.columns == 1:
            rest -= self.truth
        else:
            rest[self.rows, :, self.labels] -= 1
        rest *= self.row_weight
        out = np.empty(self.shape, np.float32)
        out[:, :-1] = self.design.backward(rest)
        out[:, :-1] += self.penalty[:, None, None] * p[:, :-1]
        out[:, -1] = rest.sum(axis=0)
        return out

    def inverse_diagonal(self, logits: Float) -> Float:
        """A first guess of the inverse Hessian, ``[P, D + 1, 1]``: its diagonal, roughly."""
        q = self._probabilities(logits)
        spread = (q * (1 - q) * self.row_weight).sum(axis=0).mean(axis=1)[:, None] + 1e-6
        out = np.empty((*self.shape[:2], 1), np.float32)
        out[:, :-1, 0] = 1 / (spread * self.design.curvature + self.penalty[:, None])
        out[:, -1, 0] = 1 / spread[:, 0]
        return out

    def line_search(self, p: Float, direction: Float, logits: Float, along: Float) -> Float:
        """The step of each fit, ``[P]``, at which most of the slope has gone.

        The objective is convex, so the sign of the slope brackets the minimum; a Newton step
        is taken where it stays inside, else the bracket is halved or widened.
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
        self, logits: Float, along: Float, linear: Float, square: Float, step: Float
    ) -> tuple[Float, Float]:
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

    def _probabilities(self, logits: Float) -> Float:
        return sigmoid(logits) if self.columns == 1 else softmax(logits)


def _direction(gradient: Float, memory: _Memory, guess: Float) -> Float:
    """Minus the inverse Hessian, as far as guess and memory know it, times the gradient."""
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


def _dot(a: Float, b: Float) -> Float:
    out: Float = np.einsum("pdl,pdl->p", a, b)
    return out


def _inverse(values: Float, where: Bools) -> Float:
    """One over the values, 0 elsewhere."""
    return np.where(where, 1 / np.where(where, values, 1), 0).astype(np.float32)
