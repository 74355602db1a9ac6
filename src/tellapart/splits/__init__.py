"""Which pictures a model learns from, and which are held out; folds inside the training part.

Pictures that must stay together (copies, near-copies, pictures of one ``group``) share a group
number, and no group is ever divided. :func:`split` gives every picture its side, :func:`folds`
divides the training part into folds. Both keep the shares of the classes as even as the groups
allow, and draw everything from the seed (see :mod:`.drawing`).

Example:
    >>> import numpy as np
    >>> labels = np.repeat([0, 1], 150)
    >>> parts = split(labels, np.arange(300), ["cats", "dogs"], held_out=0.2, seed=0)
    >>> int((parts.side == HELD_OUT).sum())
    60
"""

from tellapart.splits.drawing import Folds, folds, repeated_folds
from tellapart.splits.sides import (
    HELD_OUT,
    LEFT_OUT,
    TRAIN,
    VALIDATION,
    Split,
    set_aside,
    split,
)

__all__ = [
    "HELD_OUT",
    "LEFT_OUT",
    "TRAIN",
    "VALIDATION",
    "Folds",
    "Split",
    "folds",
    "repeated_folds",
    "set_aside",
    "split",
]
