"""Evidence for a class: the number that every method distributes over the picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tellapart.core.typing import Floats


def evidence(logit_map: NDArray[np.floating], target: int) -> Floats:
    """The logit of a class less the mean of the others', at each place.

    A constant added to all logits changes neither the probabilities nor the evidence. For two
    classes it is the difference of their logits, whose sign is the decision.

    Args:
        logit_map: float ``[h, w, K]`` or ``[n, h, w, K]``, with ``K`` at least 2; logits or
            logarithms of probabilities, which differ by such a constant.
        target: The class, ``0 .. K - 1``.

    Returns:
        float32 of the same shape without ``K``. Its mean over the places is the evidence of the
        picture's logits.
    """
    own = logit_map[..., target]
    others = (logit_map.sum(axis=-1) - own) / (logit_map.shape[-1] - 1)
    found: Floats = (own - others).astype(np.float32)
    return found


def direction(classes: int, target: int) -> Floats:
    """The vector whose scalar product with the logits is the evidence for a class.

    Args:
        classes: How many there are, at least 2.
        target: The class, ``0 .. classes - 1``.

    Returns:
        float32 ``[classes]``: 1 for the target, an equal negative number for all others, with
        the sum 0.
    """
    weights = np.full(classes, -1 / (classes - 1), np.float32)
    weights[target] = 1
    return weights
