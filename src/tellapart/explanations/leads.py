"""The lead of a class: what every way of explaining accounts for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]


def evidence(logit_map: NDArray[np.floating], target: int) -> Float:
    """The lead of one class's logits over the mean of the others', place by place.

    A constant added to all logits changes no probability, and not the lead either. Of two
    classes it is the difference, whose sign is the decision.

    Args:
        logit_map: float ``[h, w, K]`` or ``[n, h, w, K]``, with ``K`` at least 2; logits or
            logarithms of probabilities, which differ by such a constant.
        target: The class, ``0 .. K - 1``.

    Returns:
        float32 of the same shape without ``K``. Its mean over the places is the lead of the
        picture's logit.
    """
    own = logit_map[..., target]
    others = (logit_map.sum(axis=-1) - own) / (logit_map.shape[-1] - 1)
    lead: Float = (own - others).astype(np.float32)
    return lead


def direction(classes: int, target: int) -> Float:
    """The lead as a vector: the lead is the scalar product of this and the logits.

    Args:
        classes: How many there are, at least 2.
        target: The class, ``0 .. classes - 1``.

    Returns:
        float32 ``[classes]``: 1 for the target, the same below zero for all others, together 0.
    """
    weights = np.full(classes, -1 / (classes - 1), np.float32)
    weights[target] = 1
    return weights
