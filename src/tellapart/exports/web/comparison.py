"""Compares what a browser made of pictures with what Python made of them, pixels included.

A browser decodes pictures itself. The square that its network saw shows whether a difference
comes from decoding or from the network's arithmetic.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tellapart.core.typing import Floats
from tellapart.exports.target import Work
from tellapart.exports.web.server import Prediction

LISTED = 20
NEAR = 1.0
"""Levels, on average over a picture, up to which two decodings count as near."""


class Comparison:
    """Collects the page's predictions, one per held-out picture, in order.

    Args:
        work: The pictures and the model.

    Attributes:
        probabilities: float32 ``[n, K]``; a picture that was refused has another class than
            ``model.onnx`` gives it, since no answer is not the same answer.
    """

    def __init__(self, work: Work) -> None:
        self._pictures = work.held_out
        self._pixels = work.held_out.load()
        self._expected = work.expected
        self._apart: list[tuple[float, int]] = []  # levels: mean and largest, NaN if refused
        self._refused: list[tuple[int, Prediction]] = []
        self.probabilities: Floats = np.zeros_like(work.expected)

    def add(self, answer: Prediction) -> None:
        """Take the prediction for the next picture."""
        place = len(self._apart)
        if answer.probabilities is None or answer.pixels is None:
            self._refused.append((place, answer))
            self._apart.append((np.nan, 0))
            self.probabilities[place, self._expected[place].argmin()] = 1.0
            return
        self.probabilities[place] = answer.probabilities
        apart = np.abs(answer.pixels.astype(np.int16) - self._pixels[place])
        self._apart.append((float(apart.mean()), int(apart.max())))

    def as_json(self) -> dict[str, Any]:
        """Members of ``parity.json``."""
        paths, found, expected = self._pictures.paths, self.probabilities, self._expected
        mean, largest = np.array(self._apart).T
        answered = ~np.isnan(mean)
        equal = answered & (largest == 0)
        gap = np.abs(found - expected).max(axis=1)
        other = np.flatnonzero(answered & (found.argmax(axis=1) != expected.argmax(axis=1)))
        right = answered & (found.argmax(axis=1) == self._pictures.labels)
        return {
            # A picture without an answer is not a right one, whatever class it would get.
            "accuracy": round(float(right.mean()), 6),
            "refused": len(self._refused),
            "refusals": [
                {"path": paths[place], "code": answer.code, "message": answer.message}
                for place, answer in self._refused[:LISTED]
            ],
            "pixels": {
                "same": int(equal.sum()),
                "near": int((mean <= NEAR).sum()),
                "mean_difference": _rounded(mean[answered], np.mean),
                "largest_mean_difference": _rounded(mean[answered], np.max),
                "largest_difference": int(largest.max()),
            },
            "max_difference_of_same_pixels": _rounded(gap[equal], np.max, 9),
            "reasons": [
                {
                    "path": paths[place],
                    "reason": "network" if equal[place] else "decoding",
                    "mean_pixel_difference": round(float(mean[place]), 4),
                }
                for place in other[np.argsort(-gap[other], kind="stable")][:LISTED].tolist()
            ],
        }


def _rounded(values: Floats, measure: Any, digits: int = 4) -> float | None:
    return round(float(measure(values)), digits) if len(values) else None
