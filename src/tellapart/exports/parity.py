"""How far a target is from ``model.onnx``, on pictures that played no part in training.

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

from tellapart.core import text
from tellapart.core.errors import ModelError
from tellapart.core.typing import Floats
from tellapart.exports.target import Tolerance

SHOWN = 20
"""Pictures with another class that ``parity.json`` lists, the clearest first."""


@dataclass(frozen=True)
class Parity:
    """A target compared with ``model.onnx`` on the same pictures.

    Attributes:
        n: How many pictures.
        same_top1: Share that gets the same class.
        max_difference: Largest difference in probability, of all classes and pictures.
        accuracy: Share that the target gets right.
        accuracy_onnx: Share that ``model.onnx`` gets right.
        differing: Places of the pictures with another class, the clearest case first.
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
        """What exceeds a tolerance, in words; empty if nothing does."""
        found: list[str] = []
        most = tolerance.max_difference
        if most is not None and self.max_difference > most:
            found.append(
                f"the largest difference in probability is {self.max_difference:.4g}, "
                f"and at most {most:g} is allowed"
            )
        plain = sum(bool(self.gaps[place] > tolerance.tie) for place in self.differing)
        least = tolerance.same_top1
        if least is not None and plain > self._pictures(1 - least, tolerance.spare):
            found.append(
                f"{plain:,} of {self.n:,} pictures get another class, "
                f"and {100 * least:g} % must get the same"
            )
        lost = self.accuracy_onnx - self.accuracy
        loss = tolerance.accuracy_loss
        if loss is not None and round(lost * self.n) > self._pictures(loss, tolerance.spare):
            found.append(
                f"the accuracy falls by {100 * lost:.2f} points, "
                f"and at most {100 * loss:g} is allowed"
            )
        return found

    def _pictures(self, share: float, spare: int) -> float:
        """A share as a number of pictures, not sensitive to rounding."""
        return max(round(share * self.n, 6), spare)

    def as_json(self, tolerance: Tolerance) -> dict[str, Any]:
        """The figures for ``parity.json``, rounded."""
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
        ModelError: With code ``parity`` if ``found`` has another shape or is not finite.
    """
    if found.shape != expected.shape or not np.isfinite(found).all():
        raise ModelError(
            f"The export answers with {list(found.shape)} numbers that may not be finite, and "
            f"model.onnx with {list(expected.shape)} probabilities.",
            remedy="Nothing was saved. This is a fault in tellapart; please report it.",
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


def sentences(parity: Mapping[str, Any]) -> list[str]:
    """The content of ``parity.json`` in words, for the terminal and ``README.txt``."""
    kind = "held-out pictures" if parity["of"] == "held_out" else "pictures it learned from"
    same, most = text.percent(parity["same_top1"]), parity["tolerance"]["max_difference"]
    allowed = "" if most is None else f" (at most {most:g})"
    ours, theirs = parity["accuracy_onnx"], parity["accuracy"]
    right = text.percent(theirs)
    told = [
        f"{same} of {parity['n']:,} {kind} get the same class as from model.onnx.",
        f"Largest difference in probability: {parity['max_difference']:.2g}{allowed}.",
    ]
    if sample := parity["sample"]:  # more mistakes than elsewhere: its accuracy means nothing
        told.append(
            f"This is a sample of all {sample['total']:,}: {sample['random']:,} drawn at random "
            f"and {sample['mistakes']:,} that model.onnx gets wrong."
        )
    elif ours == theirs:
        told.append(f"Accuracy {right}, the same as model.onnx.")
    else:
        told.append(f"Accuracy {right}; model.onnx has {text.percent(ours)}.")
    if "speed" in parity:
        speed, sizes = parity["speed"], parity["bytes"]
        told.append(
            f"{speed['gain']:.1f} times as fast as model.onnx on {text.clean(speed['processor'])} "
            f"with {text.counted(speed['cores'], 'core')} ({speed['target']:,.0f} pictures per "
            f"second instead of {speed['onnx']:,.0f}); {text.size(sizes['target'])} instead of "
            f"{text.size(sizes['onnx'])}."
        )
    return told
