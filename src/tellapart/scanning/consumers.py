"""Consumers of decoded pixels: the scan's extension point.

Example:
    >>> PixelConsumer(32).shape
    (32, 32, 3)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tellapart.images.decoder import DECODER
from tellapart.images.resizing import RGB, Fit


class Consumer(Protocol):
    """Receives every picture's pixels, and answers with an array."""

    @property
    def key(self) -> str:
        """Name of the answers in the cache; changes whenever the answers would."""

    @property
    def size(self) -> int:
        """Side of its square pictures, in pixels."""

    @property
    def fit(self) -> Fit:
        """How pictures are fitted to that square."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one picture's answer."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the answer."""

    @property
    def keep(self) -> bool:
        """Whether the cache keeps the answers."""

    def apply(self, pixels: RGB) -> NDArray[Any]:
        """Answers ``[n, *shape]`` for uint8 ``[n, size, size, 3]``; called from many threads."""


@dataclass(frozen=True, slots=True)
class PixelConsumer:
    """The consumer that keeps the resized pixels themselves, uint8 ``[size, size, 3]``.

    Args:
        size: Side of the squares in pixels.
        fit: How pictures are fitted to the squares.
        keep: Whether the cache keeps them.
        file: A ``.npy`` for all of them, memory-mapped; None keeps them in memory.
    """

    size: int
    fit: Fit = "squash"
    keep: bool = True
    file: Path | None = None
    dtype: np.dtype[Any] = field(default=np.dtype(np.uint8))

    @property
    def key(self) -> str:
        """Size, fit and decoder."""
        return f"pixels/{self.size}/{self.fit}/{DECODER}"

    @property
    def shape(self) -> tuple[int, ...]:
        """``(size, size, 3)``."""
        return (self.size, self.size, 3)

    def apply(self, pixels: RGB) -> NDArray[Any]:
        """The pixels as they are."""
        return pixels


def allocate(consumer: Consumer, n: int) -> NDArray[Any]:
    """Zeros for the answers of ``n`` pictures, ``[n, *shape]``; in the consumer's file if any."""
    shape = (n, *consumer.shape)
    if isinstance(consumer, PixelConsumer) and consumer.file is not None:
        return np.lib.format.open_memmap(consumer.file, "w+", dtype=consumer.dtype, shape=shape)
    return np.zeros(shape, consumer.dtype)
