"""The side in pixels at which a network sees pictures, where nobody chose one."""

from __future__ import annotations

from collections.abc import Collection

OWN_LIMIT = 160
"""Pictures that all share one size up to this are seen as they are."""
USUAL = 150
RESNET = 96
"""A ``resnet`` learns more from many epochs of small pictures than from few of large ones
(docs/decisions/0068)."""


def usual(kind: str) -> int:
    """The size for pictures that have none of their own."""
    return RESNET if kind == "resnet" else USUAL


def chosen(sizes: Collection[tuple[int, int]], kind: str) -> int:
    """The pictures' own size where all share one that is small, or the usual one.

    Args:
        sizes: The different widths and heights there are.
        kind: Of network.

    Example:
        >>> chosen({(28, 28)}, "cnn"), chosen({(180, 180)}, "cnn"), chosen({(500, 375)}, "resnet")
        (28, 150, 96)
    """
    side = max((max(size) for size in sizes), default=0)
    return side if len(sizes) == 1 and 8 <= side <= OWN_LIMIT else usual(kind)
