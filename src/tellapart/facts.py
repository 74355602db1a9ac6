"""What one decoded picture says about itself: brightness, contrast, sharpness, a hash.

All facts come from one small luma picture whose long side is 256, so that they mean the same
for a phone photo and a scan, and do not depend on the sizes that somebody asked pixels for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tellapart.images import RGB, luma_image, stretch

FACTS = "2"
"""Changes whenever the same pixels might give other facts; part of the cache key."""
LONG_SIDE = 256
THUMB = 64
_LEVELS = np.arange(256, dtype=np.float64)
HASH_MIN_SIDE = 64
"""Under this many pixels a side, small pictures (digits, icons) hash alike by nature."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Measured on luma, 0 to 255, with the long side brought to 256 (never enlarged).

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


def measure(pixels: RGB) -> Facts:
    """Measure uint8 RGB ``[H, W, 3]``."""
    height, width = pixels.shape[:2]
    scale = min(1.0, LONG_SIDE / max(height, width))
    inner_width, inner_height = (max(1, round(side * scale)) for side in (width, height))
    image = luma_image(stretch(pixels, inner_width, inner_height, "bilinear"))
    brightness, contrast = _moments(image)
    gray = np.asarray(image)
    return Facts(
        brightness=brightness,
        contrast=contrast,
        sharpness=sharpness(gray),
        dhash=difference_hash(gray) if min(height, width) >= HASH_MIN_SIDE else None,
        thumb=stretch(gray, THUMB, THUMB),
    )


def _moments(gray: Image.Image) -> tuple[float, float]:
    """Mean and standard deviation of an 8-bit gray image, exactly, from its histogram."""
    counts = np.array(gray.histogram(), np.float64)
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
