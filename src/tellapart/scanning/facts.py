"""What one decoded picture says about itself: brightness, contrast, sharpness, a hash.

All facts come from one luma picture of at most 224 pixels a side, whatever sizes somebody asked
pixels for, so that they mean the same for a phone photo and a scan. For larger pictures it is
the square that networks see most, so that the scan makes it once for both; smaller ones are
measured as they are, since enlarging would blur them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tellapart.images.decoder import RGB, luma_image, resize, stretch

FACTS = "3"
"""Changes whenever the same pixels might give other facts; part of the cache key."""
SIDE = 224
THUMB = 64
_LEVELS = np.arange(256, dtype=np.float64)
_TINY = 3 * 64 * 64  # values; of larger pictures Pillow counts the levels quicker than NumPy
HASH_MIN_SIDE = 64
"""Under this many pixels a side, small pictures (digits, icons) hash alike by nature."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Measured on luma, 0 to 255, of the whole picture squashed to 224 x 224 if it is larger.

    Attributes:
        brightness: Mean luma.
        contrast: Standard deviation of luma.
        sharpness: Variance of the 3x3 Laplacian, the usual blur measure (Pech-Pacheco
            et al., 2000, "Diatom autofocusing in brightfield microscopy").
        dhash: 64-bit difference hash (9x8 luma, each pixel against its right neighbor);
            None where a side is under 64 pixels.
        thumb: uint8 ``[64, 64]``, the whole picture's luma squashed.
    """

    brightness: float
    contrast: float
    sharpness: float
    dhash: int | None
    thumb: NDArray[np.uint8]


def measure(pixels: RGB, square: RGB | None = None, *, gray: bool = False) -> Facts:
    """Measure a picture.

    Args:
        pixels: uint8 ``[H, W, 3]``.
        square: The same picture as :func:`tellapart.images.decoder.resize` squashes it to 224, if
            somebody has it already; it saves making it.
        gray: Whether its three channels are equal: then luma is one of them, exactly.
    """
    if max(pixels.shape[:2]) <= SIDE:
        small = pixels
    else:
        small = resize(pixels, SIDE) if square is None else square
    if gray and small.size <= _TINY:
        luma = np.ascontiguousarray(small[..., 0])
        counts = np.bincount(luma.ravel(), minlength=256)
    else:
        image = luma_image(small)
        luma, counts = np.asarray(image), np.array(image.histogram())
    brightness, contrast = _moments(counts)
    return Facts(
        brightness=brightness,
        contrast=contrast,
        sharpness=sharpness(luma),
        dhash=difference_hash(luma) if min(pixels.shape[:2]) >= HASH_MIN_SIDE else None,
        thumb=stretch(luma, THUMB, THUMB),
    )


def _moments(counts: NDArray[np.int64]) -> tuple[float, float]:
    """Mean and standard deviation of 8-bit levels, exactly, from their 256 counts."""
    share = counts / counts.sum()
    mean = float(share @ _LEVELS)
    return mean, float(np.sqrt(share @ (_LEVELS - mean) ** 2))


def sharpness(gray: NDArray[np.uint8]) -> float:
    """Variance of the 3x3 Laplacian of uint8 ``[H, W]``; 0 where a side is under 3."""
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
