"""Hide one place of a picture after the other, and see what the model says then.

A patch in the picture's mean color slides over the picture. Where hiding makes a class lose,
there was something that spoke for it. It asks nothing of the network but its answers, so it
works for every ``model.onnx``. After M. Zeiler and R. Fergus, Visualizing and understanding
convolutional networks, ECCV 2014, section 4.2, who used a gray square.
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
"""Places a side: 196 answers, some seconds at 224 pixels on two cores."""
COVERED = 3
"""Side of the patch in cells. A smaller one hides too little of what a model goes by, a
larger one cannot say where."""
_BYTES = 16 * 1024**2  # of patched pictures at a time
_TINY = 1e-37  # the least probability that is told from zero; a logit of -85


def heat(
    model: Model,
    pixels: NDArray[np.uint8],
    target: int,
    *,
    cells: int = CELLS,
    covered: int = COVERED,
    progress: Progress = SILENT,
) -> Floats:
    """How much evidence for a class is lost when a patch hides each place.

    Args:
        model: Any model.
        pixels: uint8 ``[S, S, 3]``, the square that the network sees.
        target: The class, ``0 .. K - 1``.
        cells: Places a side; no more than pixels are used.
        covered: Side of the patch, in cells.
        progress: Told of each patch.

    Returns:
        float32 ``[cells, cells]``, in logits: positive where what was hidden spoke for the
        class. The patch of each cell has its middle there, so those at the border hide
        less.
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
    """Rows and columns of pixels that the patch of one cell hides, cut off at the border."""
    half = covered * side / cells / 2

    def within(place: int) -> slice:
        middle = (place + 0.5) * side / cells
        return slice(max(0, round(middle - half)), min(side, round(middle + half)))

    return within(row), within(column)


def _evidence(probabilities: Floats, target: int) -> Floats:
    """From probabilities: their logarithms are the logits less a constant."""
    return evidence(np.log(np.maximum(probabilities.astype(np.float64), _TINY)), target)
