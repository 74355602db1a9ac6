"""The side in pixels of a network's input, if the user did not choose one."""

from __future__ import annotations

from collections.abc import Collection

OWN_LIMIT = 160
"""Pictures that all share one size up to this keep it."""
USUAL = 150
RESNET = 96
"""``resnet`` learns more from many epochs of small pictures than from few epochs of large ones
(docs/decisions/0068)."""


def choose(sizes: Collection[tuple[int, int]], kind: str) -> int:
    """The pictures' own size if they all share a small one, or the usual size of the network.

    Args:
        sizes: The different widths and heights of the pictures.
        kind: Of network.

    Example:
        >>> choose({(28, 28)}, "cnn"), choose({(180, 180)}, "cnn"), choose({(500, 375)}, "resnet")
        (28, 150, 96)
    """
    side = max((max(size) for size in sizes), default=0)
    if len(sizes) == 1 and 8 <= side <= OWN_LIMIT:
        return side
    return RESNET if kind == "resnet" else USUAL
