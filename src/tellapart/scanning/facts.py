"""The facts of a picture: what the scan measures, each declared once in :data:`FACTS`.

The frame's columns, the cached records and the tests' fixtures follow from that table, so a new
fact is one more line in it (and its finding one more line in ``audit.checks.CHECKS``).

Facts about light come from one luma picture of at most 224 pixels per side, whatever sizes the
consumers ask for, so that they mean the same for a phone photo and a scan. Larger pictures are
squashed to that square. Networks often ask for the same square, so the scan makes it once for
both. Smaller pictures are measured as they are, because enlarging would blur them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tellapart.core.errors import PictureError
from tellapart.images.decoder import Picture
from tellapart.images.resizing import RGB, luma_image, resize, stretch

VERSION = "3"
"""Changes if the same pixels can give other facts; part of the cache key."""
SIDE = 224
THUMB = 64
_LEVELS = np.arange(256, dtype=np.float64)
_TINY = 3 * 64 * 64  # values; above, Pillow counts the levels faster than NumPy
HASH_MIN_SIDE = 64
"""Small pictures (digits, icons) of fewer pixels per side hash alike by nature."""

Record = dict[str, Any]
"""Facts by name, plain values; of a picture that cannot be decoded ``error`` and
``error_message``."""


class FactInput:
    """What a fact is measured on: one decoded picture, its luma and its histogram.

    Args:
        picture: The picture.
        square: The same picture, squashed to 224 by :func:`tellapart.images.resizing.resize`, if
            the caller has it already.
    """

    def __init__(self, picture: Picture, square: RGB | None = None) -> None:
        self.picture = picture
        pixels = picture.pixels
        if max(pixels.shape[:2]) <= SIDE:
            small = pixels
        else:
            small = resize(pixels, SIDE) if square is None else square
        if picture.gray and small.size <= _TINY:
            self.luma = np.ascontiguousarray(small[..., 0])  # uint8 [h, w]
            counts = np.bincount(self.luma.ravel(), minlength=256)
        else:
            image = luma_image(small)
            self.luma, counts = np.asarray(image), np.array(image.histogram())
        self._shares = counts / counts.sum()

    @cached_property
    def brightness(self) -> float:
        """Mean luma, exactly, 0 to 255."""
        return float(self._shares @ _LEVELS)

    @property
    def contrast(self) -> float:
        """Standard deviation of luma, exactly."""
        return float(np.sqrt(self._shares @ (_LEVELS - self.brightness) ** 2))

    @property
    def thumb(self) -> NDArray[np.uint8]:
        """The whole picture's luma squashed, uint8 ``[64, 64]``."""
        return stretch(self.luma, THUMB, THUMB)


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact of a picture; null if the picture cannot be decoded.

    Attributes:
        name: Column of the scan's frame, and key of the cached record.
        dtype: Polars type of the column.
        measure: Returns a plain value (number, text, bool or None) for a picture. It must pickle,
            so that a picture can be measured in another process.
    """

    name: str
    dtype: Any
    measure: Callable[[FactInput], Any]


def _note(given: FactInput) -> str | None:
    return given.picture.note or None


def _sharpness(given: FactInput) -> float:
    return sharpness(given.luma)


def _hash(given: FactInput) -> int | None:
    if min(given.picture.pixels.shape[:2]) < HASH_MIN_SIDE:
        return None
    return difference_hash(given.luma)


FACTS: tuple[Fact, ...] = (
    Fact("format", pl.String, attrgetter("picture.format")),
    Fact("width", pl.Int32, attrgetter("picture.width")),
    Fact("height", pl.Int32, attrgetter("picture.height")),
    Fact("mode", pl.String, attrgetter("picture.mode")),
    Fact("bits", pl.Int16, attrgetter("picture.bits")),
    Fact("frames", pl.Int32, attrgetter("picture.frames")),
    Fact("orientation", pl.Int8, attrgetter("picture.orientation")),
    Fact("alpha", pl.Boolean, attrgetter("picture.alpha")),
    Fact("gray", pl.Boolean, attrgetter("picture.gray")),
    Fact("cmyk", pl.Boolean, attrgetter("picture.cmyk")),
    Fact("note", pl.String, _note),
    Fact("brightness", pl.Float32, attrgetter("brightness")),
    Fact("contrast", pl.Float32, attrgetter("contrast")),
    Fact("sharpness", pl.Float32, _sharpness),
    Fact("dhash", pl.UInt64, _hash),
)
"""Everything that is measured, in the order of the frame's columns."""


def schema(facts: Sequence[Fact] = FACTS) -> dict[str, Any]:
    """The columns that a scan adds to the catalog's, and their Polars types."""
    columns = dict.fromkeys(("content", "error", "error_message"), pl.String)
    return columns | {fact.name: fact.dtype for fact in facts}


def measure(
    picture: Picture, square: RGB | None = None, facts: Sequence[Fact] = FACTS
) -> tuple[Record, NDArray[np.uint8]]:
    """The record of a decoded picture, and its thumbnail, uint8 ``[64, 64]``.

    Args:
        picture: The picture.
        square: See :class:`FactInput`.
        facts: What to measure.
    """
    given = FactInput(picture, square)
    record: Record = {fact.name: fact.measure(given) for fact in facts}
    return record | {"error": None}, given.thumb


def failure(error: PictureError) -> Record:
    """The record of a picture that cannot be decoded."""
    return {"error": error.code, "error_message": str(error)}


def sharpness(gray: NDArray[np.uint8]) -> float:
    """Variance of the 3x3 Laplacian of uint8 ``[H, W]``; 0 if a side is under 3."""
    if min(gray.shape) < 3:
        return 0.0
    wide = gray.astype(np.int16)
    laplacian = wide[1:-1, 1:-1] * -4
    laplacian += wide[:-2, 1:-1]
    laplacian += wide[2:, 1:-1]
    laplacian += wide[1:-1, :-2]
    laplacian += wide[1:-1, 2:]
    values = laplacian.astype(np.float32)
    mean = float(values.mean())
    np.square(values, out=values)  # no matrix product: BLAS would start threads of its own
    return max(0.0, float(values.mean()) - mean * mean)


def difference_hash(gray: NDArray[np.uint8]) -> int:
    """64 bits of uint8 ``[H, W]``: is each pixel of a 9x8 version darker than the next one."""
    tiny = stretch(gray, 9, 8)
    bits = np.packbits(tiny[:, :-1] < tiny[:, 1:])
    return int.from_bytes(bits.tobytes(), "big")
