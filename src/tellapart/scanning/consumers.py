"""Who wants every picture's pixels in the one pass: the extension point of the scan.

Example:
    >>> PixelTap(32).shape
    (32, 32, 3)
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tellapart.images.decoder import DECODER, RGB, Fit


class Tap(Protocol):
    """Something that wants every picture's pixels in the pass."""

    @property
    def key(self) -> str:
        """Names the answer in the cache; differs whenever the answer would."""

    @property
    def size(self) -> int:
        """Side of the square pixels it wants."""

    @property
    def fit(self) -> Fit:
        """How pictures are brought to that square."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one picture's answer."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the answer."""

    @property
    def keep(self) -> bool:
        """Whether answers go into the cache."""

    def apply(self, pixels: RGB) -> NDArray[Any]:
        """Answers ``[n, *shape]`` for uint8 ``[n, size, size, 3]``; called from many threads."""


@dataclass(frozen=True, slots=True)
class PixelTap:
    """The tap that keeps the resized pixels themselves, uint8 ``[size, size, 3]``.

    Args:
        size: Side of the squares in pixels.
        fit: How pictures are brought to them.
        keep: Whether they go into the cache.
        file: Where to keep them all as one memory-mapped ``.npy``, instead of in memory.
    """

    size: int
    fit: Fit = "squash"
    keep: bool = True
    file: Path | None = None
    dtype: np.dtype[Any] = field(default=np.dtype(np.uint8))

    @property
    def key(self) -> str:
        """Names decoder, size and fit."""
        return f"pixels/{self.size}/{self.fit}/{DECODER}"

    @property
    def shape(self) -> tuple[int, ...]:
        """``(size, size, 3)``."""
        return (self.size, self.size, 3)

    def apply(self, pixels: RGB) -> NDArray[Any]:
        """The pixels as they are."""
        return pixels


def room_for(tap: Tap, n: int) -> NDArray[Any]:
    """Zeros for the answers of ``n`` pictures, ``[n, *shape]``; in a file where the tap has one."""
    shape = (n, *tap.shape)
    if isinstance(tap, PixelTap) and tap.file is not None:
        return np.lib.format.open_memmap(tap.file, "w+", dtype=tap.dtype, shape=shape)
    return np.zeros(shape, tap.dtype)


def read_answer(tap: Tap, value: bytes | None) -> NDArray[Any] | None:
    """What a tap said, or None where it said nothing or something of another shape."""
    if value is None or len(value) != math.prod(tap.shape) * tap.dtype.itemsize:
        return None
    return np.frombuffer(value, tap.dtype).reshape(tap.shape)
