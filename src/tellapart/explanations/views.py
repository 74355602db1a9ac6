"""Sheets of a network's feature maps, of its first kernels, and of classic kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tellapart.explanations.explanation import no_convolutions, square
from tellapart.explanations.kernels import KERNELS, Kernel, convolve
from tellapart.explanations.maps import feature_maps, filters, first_layer, ranked
from tellapart.explanations.painting import false_colors, png
from tellapart.explanations.sheets import Grid, fitted, sheet, tile_side
from tellapart.images.decoder import decode
from tellapart.images.resizing import RGB

if TYPE_CHECKING:
    from tellapart.model import Model


CHANNELS = 16
"""Maps shown per layer."""
MANY_LAYERS = 12
"""Above this number, each layer has one row of small maps instead of two."""
FILTERS = 64
"""Kernels shown of the first layer."""


def map_sheet(model: Model, data: bytes) -> bytes:
    """The feature maps of every convolution and pooling for a picture.

    Args:
        model: A model with convolutions.
        data: The bytes of the picture's file.

    Returns:
        A PNG file: the picture, then a grid for each layer with its strongest maps first.

    Raises:
        PictureError: The picture cannot be decoded.
        SettingsError: The model has no convolutions.
    """
    return png(sheet(map_grids(model, square(model, data))))


def map_grids(model: Model, pixels: RGB) -> list[Grid]:
    """The grids of :func:`map_sheet`.

    Args:
        model: A model with convolutions.
        pixels: uint8 ``[S, S, 3]``, the square that the network sees.

    Raises:
        SettingsError: The model has no convolutions.
    """
    layers = feature_maps(model, pixels)
    grids = [_picture(pixels)]
    for name, maps in layers:
        height, width, channels = maps.shape
        shown = ranked(maps)[:CHANNELS]
        few = len(shown) < channels
        note = f"{height} x {width}, {channels} maps" + (
            f"; the {len(shown)} strongest" if few else ""
        )
        tiles = [false_colors(maps[..., channel]) for channel in shown]
        grids.append(Grid(name, tiles, 8 if len(layers) <= MANY_LAYERS else 16, note=note))
    return grids


def filter_sheet(model: Model, data: bytes) -> bytes:
    """The kernels of the first convolution, and the map of each for a picture.

    Args:
        model: A model with convolutions.
        data: The bytes of the picture's file.

    Returns:
        A PNG file: the picture, the kernels, and in the same order their maps.

    Raises:
        PictureError: The picture cannot be decoded.
        SettingsError: The model has no convolutions.
    """
    pixels = square(model, data)
    kernels = kernel_grid(model)
    name = first_layer(model)
    maps = model.activations(pixels[None], [name])[name][0]
    seen = Grid(
        "What each makes of the picture",
        [false_colors(maps[..., number]) for number in range(len(kernels.tiles))],
        kernels.columns,
        note="in the same order, behind the activation",
    )
    return png(sheet([_picture(pixels), kernels, seen]))


def kernel_grid(model: Model) -> Grid:
    """The kernels of the first convolution, the first :data:`FILTERS` of them.

    Raises:
        SettingsError: The model has no convolutions.
    """
    kernels = filters(model)
    if kernels is None:
        raise no_convolutions("Showing filters")
    count, side = kernels.shape[:2]
    shown = min(count, FILTERS)
    size = f"{count} of {side} x {side}" + (f"; the first {shown}" if shown < count else "")
    return Grid(
        f"Kernels of {first_layer(model)}",
        list(kernels[:shown]),
        8 if shown <= 2 * 8 else 16,
        note=f"{size}; mid-gray is zero, brighter above, darker below",
    )


def kernel_sheet(data: bytes, model: Model | None = None) -> bytes:
    """Classic kernels: a picture, the nine numbers, and the result of the convolution.

    Args:
        data: The bytes of the picture's file.
        model: Resizes the picture as this model does; without one, it keeps its size.

    Returns:
        A PNG file: three columns, and a row for each of :data:`~.kernels.KERNELS`.

    Raises:
        PictureError: The picture cannot be decoded.
    """
    pixels = square(model, data) if model is not None else decode(data).pixels
    side = tile_side(3)
    # Resized before convolving: resizing would average away edges of one pixel.
    small = fitted(pixels, side)
    return png(
        sheet(
            [
                Grid(
                    kernel.name,
                    [small, _numbers(kernel, side), convolve(small, kernel)],
                    3,
                    note=kernel.sentence,
                )
                for kernel in KERNELS
            ]
        )
    )


def _picture(pixels: RGB) -> Grid:
    height, width = pixels.shape[:2]
    return Grid(
        "The picture", [pixels], 3, note=f"{height} x {width} pixels, as the network sees it"
    )


def _numbers(kernel: Kernel, side: int) -> RGB:
    """A picture of a kernel's nine numbers; squares above zero are orange, below zero blue."""
    paper = Image.new("RGB", (side, side), (252, 252, 250))
    pen = ImageDraw.Draw(paper)
    font = ImageFont.load_default(side // 11)
    cell = side * 2 // 9
    left = (side - 3 * cell) // 2
    for row, numbers in enumerate(kernel.numbers):
        for column, number in enumerate(numbers):
            x, y = left + column * cell, left + row * cell
            color = (253, 233, 222) if number > 0 else (222, 235, 250) if number < 0 else None
            pen.rectangle((x, y, x + cell, y + cell), color, (150, 150, 155))
            middle = (x + cell / 2, y + cell / 2)
            pen.text(middle, str(number), (28, 28, 30), font, anchor="mm")
    if kernel.divisor != 1:
        below = (side / 2, left + 3 * cell + side / 11)
        small = ImageFont.load_default(side // 18)
        pen.text(below, f"then divided by {kernel.divisor}", (110, 110, 115), small, anchor="mm")
    return np.asarray(paper)
