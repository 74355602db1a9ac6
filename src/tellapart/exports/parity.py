"""How far a target is from ``model.onnx``, on pictures that chose nothing.

Example:
    >>> expected = np.array([[0.9, 0.1], [0.4, 0.6]], np.float32)
    >>> found = np.array([[0.8, 0.2], [0.4, 0.6]], np.float32)
    >>> parity = compared(expected, found, np.array([0, 0]))
    >>> parity.same_top1, round(parity.max_difference, 3), parity.accuracy
    (1.0, 0.1, 0.5)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.core.errors import ModelError
from tellapart.core.typing import Floats
from tellapart.exports.target import Tolerance

SHOWN = 20
"""Pictures with another class that ``parity.json`` lists, the plainest first."""


@dataclass(frozen=True)
class Parity:
    """A target beside ``model.onnx``, both on the same pictures.

    Attributes:
        n: How many pictures.
        same_top1: Share that gets the same class.
        max_difference: Largest difference in probability, of all classes and pictures.
        accuracy: Share that the target gets right.
        accuracy_onnx: Share that ``model.onnx`` gets right.
        differing: Places of the pictures with another class, the plainest case first.
        gaps: float32 ``[n]``: how far the two best classes are apart in ``model.onnx``.
    """

    n: int
    same_top1: float
    max_difference: float
    accuracy: float
    accuracy_onnx: float
    differing: tuple[int, ...]
    gaps: Floats

    def breaches(self, tolerance: Tolerance) -> list[str]:
        """What is beyond a tolerance, in words; empty where nothing is."""
        found: list[str] = []
        most = tolerance.max_difference
        if most is not None and self.max_difference > most:
            found.append(
                f"the largest difference in probability is {self.max_difference:.4g}, "
                f"where {most:g} is the most"
            )
        plain = sum(bool(self.gaps[place] > tolerance.tie) for place in self.differing)
        least = tolerance.same_top1
        if least is not None and plain > self._pictures(1 - least, tolerance.spare):
            found.append(
                f"{plain:,} of {self.n:,} pictures get another class, "
                f"where {100 * least:g} % must get the same"
            )
        lost = self.accuracy_onnx - self.accuracy
        loss = tolerance.accuracy_loss
        if loss is not None and round(lost * self.n) > self._pictures(loss, tolerance.spare):
            found.append(
                f"the accuracy falls by {100 * lost:.2f} points, where {100 * loss:g} are the most"
            )
        return found

    def _pictures(self, share: float, spare: int) -> float:
        """A share as pictures, so that its edge is not a matter of rounding."""
        return max(round(share * self.n, 6), spare)

    def as_json(self, tolerance: Tolerance) -> dict[str, Any]:
        """The figures, rounded as they are kept."""
        return {
            "n": self.n,
            "same_top1": round(self.same_top1, 6),
            "other_top1": len(self.differing),
            "max_difference": round(self.max_difference, 9),
            "accuracy": round(self.accuracy, 6),
            "accuracy_onnx": round(self.accuracy_onnx, 6),
            "tolerance": asdict(tolerance),
            "within_tolerance": not self.breaches(tolerance),
        }


def compared(expected: Floats, found: Floats, labels: NDArray[np.int64]) -> Parity:
    """Compare a target's probabilities with those of ``model.onnx``.

    Args:
        expected: float32 ``[n, K]``, of ``model.onnx``.
        found: float32 ``[n, K]``, of the target.
        labels: int64 ``[n]``, the true classes.

    Raises:
        ModelError: If the target's answers are no probabilities of these pictures, with code
            ``parity``.
    """
    if found.shape != expected.shape or not np.isfinite(found).all():
        raise ModelError(
            f"The export answers with {list(found.shape)} numbers, not all of them finite, where "
            f"model.onnx gives {list(expected.shape)} probabilities.",
            remedy="Nothing was put in place. This is a fault of tellapart's; please report it.",
            code="parity",
        )
    ours, theirs = expected.argmax(axis=1), found.argmax(axis=1)
    best = np.sort(expected, axis=1)
    gaps = best[:, -1] - best[:, -2]
    other = np.flatnonzero(ours != theirs)
    return Parity(
        n=len(expected),
        same_top1=float((ours == theirs).mean()),
        max_difference=float(np.abs(expected - found).max()),
        accuracy=float((theirs == labels).mean()),
        accuracy_onnx=float((ours == labels).mean()),
        differing=tuple(other[np.argsort(-gaps[other], kind="stable")].tolist()),
        gaps=gaps.astype(np.float32),
    )


def checked_on(parity: Mapping[str, Any]) -> str:
    """What kind of pictures ``parity.json`` speaks of, in words."""
    return "held-out pictures" if parity["of"] == "held_out" else "pictures it learnt from"
