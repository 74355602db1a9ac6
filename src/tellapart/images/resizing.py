"""The one resize, and the one luma. Every picture that a model sees comes through here.

The filter and its fixed-point arithmetic are those of Pillow's ``BICUBIC`` (Keys, a = -0.5,
antialiased); the faster implementation differs from it by about 0.14 of a level on average.

Example:
    >>> resize(np.zeros((30, 40, 3), np.uint8), 16, "pad").shape
    (16, 16, 3)
"""

from __future__ import annotations

import threading
from typing import Any, Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

try:
    import cykooz_resizer as fir
except ImportError:  # no wheel for this platform: Pillow's own resize, the reference
    fir = None

Fit = Literal["squash", "crop", "pad"]
FITS: tuple[Fit, ...] = get_args(Fit)
Filter = Literal["bicubic", "bilinear"]
RGB = NDArray[np.uint8]  # [H, W, 3]

PAD_VALUE = 127  # mid-gray: what the networks' normalization maps to zero
RESIZER = "pillow" if fir is None else "fir"

_MOST_BETWEEN = 1 << 26  # pixels between the two passes of a resize
_PILLOW_FILTERS: dict[Filter, Image.Resampling] = {
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
}


def resize(pixels: RGB, size: int, fit: Fit = "squash") -> RGB:
    """Fit a picture to a square, antialiased bicubic.

    Args:
        pixels: uint8 ``[H, W, 3]``.
        size: Side of the square, in pixels.
        fit: ``"squash"`` ignores the aspect ratio, ``"crop"`` takes the middle square,
            ``"pad"`` keeps everything and fills the rest with mid-gray.

    Returns:
        uint8 ``[size, size, 3]``.
    """
    height, width = pixels.shape[:2]
    if fit == "squash":
        return stretch(pixels, size, size)
    if fit == "crop":
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        return stretch(pixels[top : top + side, left : left + side], size, size)
    scale = size / max(height, width)
    inner_height, inner_width = (max(1, round(side * scale)) for side in (height, width))
    square = np.full((size, size, 3), PAD_VALUE, np.uint8)
    top, left = (size - inner_height) // 2, (size - inner_width) // 2
    square[top : top + inner_height, left : left + inner_width] = stretch(
        pixels, inner_width, inner_height
    )
    return square


def stretch(
    pixels: NDArray[np.uint8], width: int, height: int, filter: Filter = "bicubic"
) -> NDArray[np.uint8]:
    """Resize uint8 ``[H, W, 3]`` or ``[H, W]`` to ``height`` x ``width``, antialiased."""
    if pixels.shape[:2] == (height, width):
        return np.ascontiguousarray(pixels)
    if fir is None:
        image = Image.fromarray(np.ascontiguousarray(pixels))
        return np.asarray(image.resize((width, height), _PILLOW_FILTERS[filter]))
    rows, columns = pixels.shape[:2]
    if columns * height > max(_MOST_BETWEEN, columns * rows):
        # It goes through the rows first, and a row of a million pixels would become 600 MB there.
        pixels = stretch(pixels, width, rows, filter)
    kind = fir.PixelType.U8x3 if pixels.ndim == 3 else fir.PixelType.U8
    source = fir.ImageData(pixels.shape[1], pixels.shape[0], kind, pixels.tobytes())
    target = fir.ImageData(width, height, kind)
    resizer, options = _resizer()
    resizer.resize(source, target, options[filter])
    return np.frombuffer(target.get_buffer(), np.uint8).reshape(height, width, *pixels.shape[2:])


def luma(rgb: RGB) -> NDArray[np.uint8]:
    """Rec. 601 luma of uint8 ``[H, W, 3]`` as uint8 ``[H, W]``, exact on gray.

    Pillow's integers: ``(19595 R + 38470 G + 7471 B + 32768) >> 16``; the weights sum to
    65536, so ``luma([v, v, v]) == v``.
    """
    return np.asarray(luma_image(rgb))


def luma_image(rgb: RGB) -> Image.Image:
    """:func:`luma` as a Pillow image, whose histogram is quicker than NumPy's."""
    return Image.fromarray(np.ascontiguousarray(rgb)).convert("L")


_local = threading.local()


def _resizer() -> tuple[Any, dict[Filter, Any]]:
    """One resizer per thread, since it keeps a scratch buffer between calls."""
    if not hasattr(_local, "resizer"):
        kinds = {"bicubic": fir.FilterType.catmull_rom, "bilinear": fir.FilterType.bilinear}
        options = {
            name: fir.ResizeOptions(resize_alg=fir.ResizeAlg.convolution(kind))
            for name, kind in kinds.items()
        }
        _local.resizer = (fir.Resizer(), options)
    return cast(tuple[Any, dict[Filter, Any]], _local.resizer)
