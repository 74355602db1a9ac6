"""Drawn changes applied to pixels: geometry, then light, then erasing.

All geometry of a picture is one resampling: its changes make one affine map, and Pillow's
bilinear transform reads a picture whose borders are continued by mirroring, so that no
empty corner is ever seen. Flips and shifts alone move whole pixels and change none.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tellapart.nets.augment.drawing import Draws

Pixels = NDArray[np.uint8]  # [n, H, W, C]


def apply(pixels: Pixels, draws: Draws) -> Pixels:
    """Apply to each picture what was drawn for it.

    Args:
        pixels: uint8 ``[n, H, W, C]``, C 1 or 3; not changed.
        draws: As many draws.

    Returns:
        uint8 ``[n, H, W, C]``, a new array. A picture's result depends on its own draw alone.

    Raises:
        ValueError: If the shapes do not fit together.
    """
    if pixels.ndim != 4 or pixels.dtype != np.uint8 or pixels.shape[3] not in (1, 3):
        raise ValueError(
            f"Pictures are uint8 [n, H, W, 1 or 3], not {pixels.dtype} {list(pixels.shape)}."
        )
    if len(pixels) != len(draws):
        raise ValueError(f"{len(pixels)} pictures, but {len(draws)} draws.")
    result = np.empty(pixels.shape, np.uint8)
    if pixels.size:
        _move(pixels, draws, result)
        _light(result, draws)
        _erase(result, draws)
    return result


def _move(pixels: Pixels, draws: Draws, result: Pixels) -> None:
    """Flip, shift, turn, scale and slant from ``pixels`` into ``result``."""
    height, width = pixels.shape[1:3]
    bent = (draws.rotation != 0) | (draws.zoom != 1) | (draws.shear != 0)
    steps = np.rint(draws.shift * (width, height)).astype(np.int64)
    maps = _inverse_maps(draws, height, width)
    for row, picture in enumerate(pixels):
        if bent[row]:
            _resample(picture, maps[row], result[row])
            continue
        if draws.flip[row]:
            picture = picture[:, ::-1]
        if draws.vertical_flip[row]:
            picture = picture[::-1]
        right, down = steps[row]
        if right or down:
            rows = _mirrored(-down, height - down, height)
            columns = _mirrored(-right, width - right, width)
            picture = picture.take(rows, axis=0).take(columns, axis=1)
        result[row] = picture


def _inverse_maps(draws: Draws, height: int, width: int) -> NDArray[np.float64]:
    """float64 ``[n, 2, 3]``: where in the picture each place (x, y, 1) of the result comes from.

    Places are in pixels, corners at whole numbers. The forward map about the middle is
    rotation · slant · zoom · flip, then the shift.
    """
    cos, sin = np.cos(draws.rotation), np.sin(draws.rotation)
    slant = np.tan(draws.shear)
    mirror_x = np.where(draws.flip, -1.0, 1.0) / draws.zoom
    mirror_y = np.where(draws.vertical_flip, -1.0, 1.0) / draws.zoom
    maps = np.empty((len(draws), 2, 3))
    maps[:, 0, 0] = mirror_x * (cos + slant * sin)
    maps[:, 0, 1] = mirror_x * (sin - slant * cos)
    maps[:, 1, 0] = mirror_y * -sin
    maps[:, 1, 1] = mirror_y * cos
    middle = np.array([width / 2, height / 2])
    moved = middle + draws.shift * (width, height)
    maps[:, :, 2] = middle - (maps[:, :, :2] @ moved[:, :, None])[:, :, 0]
    return maps


def _resample(picture: Pixels, inverse: NDArray[np.float64], result: Pixels) -> None:
    """One picture [H, W, C] through one affine map, bilinear, its borders mirrored."""
    height, width = picture.shape[:2]
    corners = np.array([[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]])
    reached = inverse @ corners  # [2, 4]
    # One pixel more than is reached: bilinear reads the neighbors too.
    left, top = (int(low) for low in np.minimum(np.floor(reached.min(axis=1)) - 1, 0))
    right, bottom = (
        int(high) for high in np.maximum(np.ceil(reached.max(axis=1)) + 1, [width, height])
    )
    padded = picture.take(_mirrored(top, bottom, height), axis=0)
    padded = padded.take(_mirrored(left, right, width), axis=1)
    image = Image.fromarray(padded[..., 0] if padded.shape[2] == 1 else padded)
    a, b, c, d, e, f = inverse.ravel().tolist()
    bent = image.transform(
        (width, height),
        Image.Transform.AFFINE,
        (a, b, c - left, d, e, f - top),
        resample=Image.Resampling.BILINEAR,
    )
    result[...] = np.asarray(bent).reshape(result.shape)


def _mirrored(start: int, stop: int, side: int) -> NDArray[np.int64]:
    """Indices ``start`` to ``stop`` of a side that goes on by mirroring, the edge not doubled."""
    if side == 1:
        return np.zeros(stop - start, np.int64)
    return np.abs((np.arange(start, stop) + side - 1) % (2 * side - 2) - (side - 1))


def _light(pixels: Pixels, draws: Draws) -> None:
    """Brightness and contrast in place: one table of 256 levels a picture."""
    levels = np.arange(256)
    for row in np.flatnonzero((draws.brightness != 1) | (draws.contrast != 1)):
        picture = pixels[row]
        mean = int(picture.sum(dtype=np.int64)) / picture.size if draws.contrast[row] != 1 else 0.0
        table = draws.brightness[row] * (mean + draws.contrast[row] * (levels - mean))
        table = np.rint(table).clip(0, 255).astype(np.uint8)
        np.take(table, picture, out=picture, mode="clip")


def _erase(pixels: Pixels, draws: Draws) -> None:
    """Paint a rectangle with the picture's own mean color, in place."""
    height, width = pixels.shape[1:3]
    for row in np.flatnonzero(draws.erase[:, 2] > 0):
        top, left, high, wide = draws.erase[row]
        rows, columns = max(1, round(high * height)), max(1, round(wide * width))
        y, x = int(top * (height - rows + 1)), int(left * (width - columns + 1))
        color = np.rint(pixels[row].mean(axis=(0, 1))).astype(np.uint8)
        pixels[row, y : y + rows, x : x + columns] = color
