"""Random draws applied to pixels: geometry, then light, then erasing.

All geometry of a picture is one affine map and one bilinear resampling, by Pillow. The picture is
continued beyond its borders, so that there are no empty corners: mirrored, or in the color of its
border if that is one plain color (a digit on black, a product on white). Flips and shifts alone
move whole pixels and change none.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tellapart.core.typing import Ints, Pixels
from tellapart.networks.augment.random_draws import Draws

_PLAIN = 8  # levels by which JPEG may vary a border of one plain color


def apply(pixels: Pixels, draws: Draws) -> Pixels:
    """Change each picture as drawn.

    Args:
        pixels: uint8 ``[n, H, W, C]``, C 1 or 3; not changed.
        draws: ``n`` draws.

    Returns:
        uint8 ``[n, H, W, C]``, a new array. Each picture depends on its own draw alone.

    Raises:
        ValueError: If the shapes do not match.
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
    """Flip, shift, rotate, zoom and shear from ``pixels`` into ``result``."""
    height, width = pixels.shape[1:3]
    bent = (draws.rotation != 0) | (draws.zoom != 1) | (draws.shear != 0)
    steps = np.rint(draws.shift * (width, height)).astype(np.int64).tolist()
    maps = _inverse_maps(draws, height, width)
    windows = _windows(maps, height, width).tolist()
    plain = _plain_borders(pixels)
    for row, picture in enumerate(pixels):
        if bent[row]:
            wide = _window(picture, windows[row], plain[row])
            _resample(wide, maps[row], windows[row], result[row])
            continue
        if draws.flip[row]:
            picture = picture[:, ::-1]
        if draws.vertical_flip[row]:
            picture = picture[::-1]
        right, down = steps[row]
        if right or down:
            window = [-down, height - down, -right, width - right]
            picture = _window(picture, window, plain[row])
        result[row] = picture


def _inverse_maps(draws: Draws, height: int, width: int) -> NDArray[np.float64]:
    """float64 ``[n, 2, 3]``: from (x, y, 1) in the result to (x, y) in the picture.

    In pixels, with corners at whole numbers. The forward map about the center is rotation · shear ·
    zoom · flip, then the shift.
    """
    cos, sin = np.cos(draws.rotation), np.sin(draws.rotation)
    shear = np.tan(draws.shear)
    mirror_x = np.where(draws.flip, -1.0, 1.0) / draws.zoom
    mirror_y = np.where(draws.vertical_flip, -1.0, 1.0) / draws.zoom
    maps = np.empty((len(draws), 2, 3))
    maps[:, 0, 0] = mirror_x * (cos + shear * sin)
    maps[:, 0, 1] = mirror_x * (sin - shear * cos)
    maps[:, 1, 0] = mirror_y * -sin
    maps[:, 1, 1] = mirror_y * cos
    center = np.array([width / 2, height / 2])
    moved = center + draws.shift * (width, height)
    maps[:, :, 2] = center - (maps[:, :, :2] @ moved[:, :, None])[:, :, 0]
    return maps


def _windows(maps: NDArray[np.float64], height: int, width: int) -> Ints:
    """int64 ``[n, 4]``: top, bottom, left and right of the area that a resampling reads."""
    corners = np.array([[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]])
    reached = maps @ corners  # [n, (x, y), 4]
    # One pixel more: bilinear resampling reads the neighbors as well.
    low = np.minimum(np.floor(reached.min(axis=2)) - 1, 0)
    high = np.maximum(np.ceil(reached.max(axis=2)) + 1, (width, height))
    return np.stack([low[:, 1], high[:, 1], low[:, 0], high[:, 0]], axis=1).astype(np.int64)


def _resample(
    wide: Pixels, inverse: NDArray[np.float64], window: list[int], result: Pixels
) -> None:
    """Resample a window of one picture, [h, w, C], by its affine map."""
    top, _, left, _ = window
    image = Image.fromarray(wide[..., 0] if wide.shape[2] == 1 else wide)
    a, b, c, d, e, f = inverse.ravel().tolist()
    bent = image.transform(
        (result.shape[1], result.shape[0]),
        Image.Transform.AFFINE,
        # To Pillow, the origin is the corner of the window.
        (a, b, c - left, d, e, f - top),
        resample=Image.Resampling.BILINEAR,
    )
    result[...] = np.asarray(bent).reshape(result.shape)


def _plain_borders(pixels: Pixels) -> NDArray[np.bool_]:
    """Whether the outermost pixels of each picture have one color, bool ``[n]``."""
    count, _, _, channels = pixels.shape
    edges = (pixels[:, 0], pixels[:, -1], pixels[:, :, 0], pixels[:, :, -1])
    border = np.concatenate([edge.reshape(count, -1, channels) for edge in edges], axis=1)
    spread = border.max(axis=1).astype(np.int64) - border.min(axis=1)
    return np.asarray((spread <= _PLAIN).all(axis=1))


def _window(picture: Pixels, window: list[int], plain: bool) -> Pixels:
    """The picture, [H, W, C], from top to bottom and left to right; may reach beyond it."""
    top, bottom, left, right = window
    height, width = picture.shape[:2]
    beyond = (
        (max(-top, 0), max(bottom - height, 0)),
        (max(-left, 0), max(right - width, 0)),
        (0, 0),
    )
    continued = np.pad(picture, beyond, "edge" if plain else "reflect")
    y, x = max(top, 0), max(left, 0)
    return continued[y : y + bottom - top, x : x + right - left]


def _light(pixels: Pixels, draws: Draws) -> None:
    """Brightness and contrast in place, by one table of 256 levels per picture."""
    changed = np.flatnonzero((draws.brightness != 1) | (draws.contrast != 1))
    if not len(changed):
        return
    size = int(np.prod(pixels.shape[1:]))
    mean = pixels.reshape(len(pixels), size).sum(axis=1, dtype=np.int64)[:, None] / size
    brightness, contrast = draws.brightness[:, None], draws.contrast[:, None]
    tables = brightness * (mean + contrast * (np.arange(256) - mean))
    tables = np.rint(tables).clip(0, 255).astype(np.uint8)
    for row in changed:
        picture = pixels[row]
        np.take(tables[row], picture, out=picture, mode="clip")


def _erase(pixels: Pixels, draws: Draws) -> None:
    """Paint a rectangle in the picture's mean color, in place."""
    height, width, channels = pixels.shape[1:]
    for row in np.flatnonzero(draws.erase[:, 2] > 0):
        top, left, high, wide = draws.erase[row].tolist()
        rows, columns = max(1, round(high * height)), max(1, round(wide * width))
        y, x = int(top * (height - rows + 1)), int(left * (width - columns + 1))
        picture = pixels[row]
        for channel in range(channels):  # faster than one mean over two axes
            color = int(picture[..., channel].sum(dtype=np.int64)) / (height * width)
            picture[y : y + rows, x : x + columns, channel] = round(color)
