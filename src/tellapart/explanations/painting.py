"""Numbers as colors: heat maps over pictures, and feature maps."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tellapart.core.typing import Floats
from tellapart.images.resizing import RGB, luma

COVER = 0.75
"""Opacity of the strongest evidence over the picture."""
SMALL, ENLARGED = 96, 192
"""Squares with a side below the first are enlarged to at least the second."""

# From the strongest evidence against to the strongest for, in equal steps of Oklab: hue 255 degrees
# (blue) and 45 degrees (orange), lightness 0.95 in the middle, 0.55 at both ends. The pages' style
# (report.css) and the web page's script (heat.js) repeat these colors; a test compares them.
_HEAT_COLORS = np.array(
    [
        (41, 113, 198),
        (93, 145, 212),
        (140, 177, 225),
        (187, 208, 234),
        (238, 238, 238),
        (232, 197, 182),
        (219, 158, 130),
        (203, 118, 78),
        (183, 76, 5),
    ],
    np.float32,
)
FOR, AGAINST = (f"#{bytes(map(int, end)).hex()}" for end in (_HEAT_COLORS[-1], _HEAT_COLORS[0]))
"""The colors of the strongest evidence for a class and against it, as CSS writes them."""

# From the least (nearly black) to the most (pale yellow), lighter at every step, so that it can be
# read in gray and by color-blind people too.
_MAP_COLORS = np.array(
    [
        (18, 16, 38),
        (38, 44, 98),
        (34, 92, 130),
        (30, 138, 128),
        (92, 178, 90),
        (190, 205, 70),
        (252, 236, 150),
    ],
    np.float32,
)


def overlay(pixels: RGB, heat: NDArray[np.floating], *, scale: float | None = None) -> RGB:
    """A heat map over a picture: orange is evidence for, blue against, gray none.

    Args:
        pixels: uint8 ``[H, W, 3]``.
        heat: float ``[h, w]`` that covers the whole picture; resized by bicubic interpolation.
        scale: The evidence that gets the full color; the largest in the map unless given. The
            same number makes several maps comparable.

    Returns:
        uint8 ``[H, W, 3]``.
    """
    height, width = pixels.shape[:2]
    values = np.nan_to_num(np.asarray(heat, np.float32), posinf=0, neginf=0)
    full = float(np.abs(values).max()) if scale is None else scale
    values = values / max(full, 1e-12)
    smooth = Image.fromarray(values).resize((width, height), Image.Resampling.BICUBIC)
    strength = np.clip(np.asarray(smooth, np.float32), -1, 1)
    cover = COVER * np.abs(strength)[..., None]
    # Brighter shadows, so that colors show on a dark picture too.
    gray = 64 + luma(pixels).astype(np.float32)[..., None] * 0.75
    mixed = gray * (1 - cover) + colors(strength) * cover
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


def colors(strength: NDArray[np.floating]) -> Floats:
    """Colors for numbers from -1 (blue) over 0 (light gray) to 1 (orange).

    Args:
        strength: float of any shape.

    Returns:
        float32 of that shape and three channels, 0 to 255.
    """
    return _interpolated(_HEAT_COLORS, (np.clip(strength, -1, 1) + 1) / 2)


def false_colors(values: NDArray[np.floating]) -> RGB:
    """A map in colors: its least number is dark, its largest bright.

    Args:
        values: float ``[h, w]``.

    Returns:
        uint8 ``[h, w, 3]``; dark all over if all numbers are equal.
    """
    clean = np.nan_to_num(np.asarray(values, np.float32), posinf=0, neginf=0)
    low, high = float(clean.min()), float(clean.max())
    share = (clean - low) / (high - low) if high > low else np.zeros_like(clean)
    return np.rint(_interpolated(_MAP_COLORS, share)).astype(np.uint8)


def enlarged(pixels: RGB) -> RGB:
    """A picture smaller than :data:`SMALL` with each pixel repeated; a larger one unchanged."""
    side = min(pixels.shape[:2])
    if side >= SMALL:
        return pixels
    times = -(-ENLARGED // side)
    return pixels.repeat(times, axis=0).repeat(times, axis=1)


def png(pixels: RGB) -> bytes:
    """A PNG file of uint8 ``[H, W, 3]``."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


def _interpolated(ramp: Floats, share: NDArray[np.floating]) -> Floats:
    """Colors at positions from 0 to 1 on a ramp float32 ``[n, 3]``."""
    place = share * (len(ramp) - 1)
    below = np.minimum(place.astype(np.int64), len(ramp) - 2)
    rest = (place - below)[..., None]
    mixed: Floats = (ramp[below] * (1 - rest) + ramp[below + 1] * rest).astype(np.float32)
    return mixed
