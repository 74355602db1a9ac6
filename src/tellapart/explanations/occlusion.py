"""Occlusion: hide one place of a picture after the other, and compare the predictions.

A patch in the picture's mean color slides over the picture. Where hiding lowers the evidence for a
class, there was evidence for it. This needs only predictions, so it works for every ``model.onnx``.
Source: M. Zeiler and R. Fergus, Visualizing and understanding convolutional networks, ECCV 2014,
section 4.2; they used a gray square.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tellapart.core.progress import SILENT, Progress
from tellapart.core.typing import Floats
from tellapart.explanations.evidence import evidence

if TYPE_CHECKING:
    from tellapart.model import Model

CELLS = 14
"""Places per side: 196 predictions, some seconds at 224 pixels on two cores."""
COVERED = 3
"""Side of the patch in cells. A smaller patch hides too little to change a prediction; a larger one
does not show where."""
_BYTES = 16 * 1024**2  # of patched pictures at a time
_TINY = 1e-37  # the least probability that differs from zero; a logit of -85


def heat(
    model: Model,
    pixels: NDArray[np.uint8],
    target: int,
    *,
    cells: int = CELLS,
    covered: int = COVERED,
    progress: Progress = SILENT,
) -> Floats:
    """The evidence for a class that is lost if a patch hides each place.

    Args:
        model: Any model.
        pixels: uint8 ``[S, S, 3]``, the square that the network sees.
        target: The class, ``0 .. K - 1``.
        cells: Places per side, but at most one per pixel.
        covered: Side of the patch, in cells.
        progress: Its stage counts places.

    Returns:
        float32 ``[cells, cells]``, in logits: positive where the hidden pixels were evidence for
        the class. Each patch is centered on its cell, so those at the border hide less.
    """
    side = len(pixels)
    cells = min(cells, side)
    places = [patch(side, row, column, cells, covered) for row, column in np.ndindex(cells, cells)]
    color = np.rint(pixels.mean(axis=(0, 1))).astype(np.uint8)
    before = _evidence(model.run(pixels[None]), target)
    after = np.empty(len(places), np.float32)
    at_once = max(1, _BYTES // pixels.nbytes)
    with progress.stage("Hiding", total=len(places), unit="places") as stage:
        for start in range(0, len(places), at_once):
            part = places[start : start + at_once]
            hidden = np.repeat(pixels[None], len(part), axis=0)
            for picture, place in zip(hidden, part, strict=True):
                picture[place] = color
            after[start : start + len(part)] = _evidence(model.run(hidden), target)
            stage.advance(len(part))
    return (before - after).reshape(cells, cells)


def patch(side: int, row: int, column: int, cells: int, covered: int) -> tuple[slice, slice]:
    """Rows and columns of pixels that the patch of one cell hides, clipped at the border."""
    half = covered * side / cells / 2

    def within(place: int) -> slice:
        middle = (place + 0.5) * side / cells
        return slice(max(0, round(middle - half)), min(side, round(middle + half)))

    return within(row), within(column)


def _evidence(probabilities: Floats, target: int) -> Floats:
    """The evidence in probabilities; their logarithms are the logits less a constant."""
    return evidence(np.log(np.maximum(probabilities.astype(np.float64), _TINY)), target)
