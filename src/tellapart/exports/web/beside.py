"""What a browser made of pictures, beside what Python made of them: pixels and probabilities.

A browser decodes by itself. Keeping the square that its network saw tells whether a
difference comes from decoding or from the network's arithmetic.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tellapart.core.typing import Floats
from tellapart.exports.target import Work
from tellapart.exports.web.asking import Said, failed

LISTED = 20
NEAR = 1.0
"""Levels, on average over a picture, up to which two decodings count as near."""


class Beside:
    """Collects answers, one a held-out picture, in order.

    Args:
        work: The pictures and the model.

    Attributes:
        probabilities: float32 ``[n, K]``; a picture that was refused has another class than
            ``model.onnx`` gives it, since no answer is not the same answer.
    """

    def __init__(self, work: Work) -> None:
        count = len(work.held_out)
        self._work = work
        self._pixels = work.held_out.load()
        self._refused: dict[int, Said] = {}
        self._mean = np.zeros(count)  # levels by which the squares differ, on average
        self._most = np.zeros(count, np.int64)
        self._gap = np.zeros(count)  # largest difference in probability
        self._same = np.zeros(count, bool)
        self._right = 0
        self._done = 0
        self.probabilities: Floats = np.zeros((count, len(work.model.classes)), np.float32)

    def add(self, said: Said) -> None:
        """Take the next answer.

        Raises:
            ModelError: If it is about another picture.
        """
        place = said.place
        if place != self._done:
            raise failed("the page answered out of turn")
        self._done += 1
        pixels = self._pixels[place]
        expected = self._work.model.run(pixels[None])[0]
        row = self.probabilities[place]
        if said.probabilities is None:
            self._refused[place] = said
            row[int(expected.argmin())] = 1.0
            return
        row[:] = said.probabilities
        seen = np.frombuffer(said.square, np.uint8).reshape(pixels.shape)
        apart = np.abs(seen.astype(np.int16) - pixels)
        self._mean[place], self._most[place] = apart.mean(), apart.max()
        self._gap[place] = np.abs(row - expected).max()
        self._same[place] = row.argmax() == expected.argmax()
        self._right += int(row.argmax() == self._work.held_out.labels[place])

    def as_json(self) -> dict[str, Any]:
        """Members of ``parity.json``."""
        count = len(self._mean)
        answered = np.array([place not in self._refused for place in range(count)], bool)
        equal = answered & (self._most == 0)
        paths = self._work.held_out.paths
        other = np.flatnonzero(answered & ~self._same)
        return {
            # A picture without an answer is not a right one, whatever class it would get.
            "accuracy": round(self._right / count, 6),
            "refused": len(self._refused),
            "refusals": [
                {"path": paths[place], "code": said.code, "message": said.message}
                for place, said in list(self._refused.items())[:LISTED]
            ],
            "pixels": {
                "same": int(equal.sum()),
                "near": int((answered & (self._mean <= NEAR)).sum()),
                "mean_difference": _rounded(self._mean[answered], np.mean),
                "largest_mean_difference": _rounded(self._mean[answered], np.max),
                "largest_difference": int(self._most.max(initial=0)),
            },
            "max_difference_of_same_pixels": _rounded(self._gap[equal], np.max, 9),
            "reasons": [
                {
                    "path": paths[place],
                    "reason": "network" if equal[place] else "decoding",
                    "mean_pixel_difference": round(float(self._mean[place]), 4),
                }
                for place in other[np.argsort(-self._gap[other], kind="stable")][:LISTED].tolist()
            ],
        }


def _rounded(values: Floats, measure: Any, digits: int = 4) -> float | None:
    return round(float(measure(values)), digits) if len(values) else None
