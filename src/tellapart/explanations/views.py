"""The sheets that show how a network sees: its maps, its first kernels, and what a kernel is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tellapart.explanations.explanation import no_convolutions, square
from tellapart.explanations.kernels import KERNELS, Kernel, convolve
from tellapart.explanations.maps import feature_maps, filters, first_layer, ranked
from tellapart.explanations.painting import glow, png
from tellapart.explanations.sheets import Block, fitted, sheet, tile_side
from tellapart.images.decoder import decode
from tellapart.images.resizing import RGB

if TYPE_CHECKING:
    from tellapart.model import Model


CHANNELS = 16
"""Maps shown of a layer."""
MANY_LAYERS = 12
"""Above this, a layer's maps stand in one row of small pictures instead of two."""
FILTERS = 64
"""Kernels shown of the first layer."""


def map_sheet(model: Model, data: bytes) -> bytes:
    """A picture's way through a network: the maps of every convolution and pooling.

    Args:
        model: A model with convolutions.
        data: The bytes of the picture's file.

    Returns:
        A PNG file: the picture, then a block for each layer with its strongest maps first.

    Raises:
        PictureError: The picture cannot be decoded.
        SettingsError: The model has no convolutions.
    """
    return png(sheet(map_blocks(model, square(model, data))))


def map_blocks(model: Model, pixels: RGB) -> list[Block]:
    """What :func:`map_sheet` shows, to be laid out beside other things.

    Args:
        model: A model with convolutions.
        pixels: uint8 ``[S, S, 3]``, the square that the network sees.

    Raises:
        SettingsError: The model has no convolutions.
    """
    layers = feature_maps(model, pixels)
    blocks = [_picture(pixels)]
    for name, maps in layers:
        height, width, channels = maps.shape
        shown = ranked(maps)[:CHANNELS]
        few = len(shown) < channels
        note = f"{height} x {width}, {channels} maps" + (
            f"; the {len(shown)} strongest" if few else ""
        )
        tiles = [glow(maps[..., channel]) for channel in shown]
        blocks.append(Block(name, tiles, 8 if len(layers) <= MANY_LAYERS else 16, note=note))
    return blocks


def filter_sheet(model: Model, data: bytes) -> bytes:
    """The kernels of the first convolution, and what each makes of a picture.

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
    kernels = kernel_block(model)
    name = first_layer(model)
    maps = model.activations(pixels[None], [name])[name][0]
    seen = Block(
        "What each makes of the picture",
        [glow(maps[..., number]) for number in range(len(kernels.tiles))],
        kernels.columns,
        note="in the same order, behind the activation",
    )
    return png(sheet([_picture(pixels), kernels, seen]))


def kernel_block(model: Model) -> Block:
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
    return Block(
        f"Kernels of {first_layer(model)}",
        list(kernels[:shown]),
        8 if shown <= 2 * 8 else 16,
        note=f"{size}; mid-gray is zero, brighter above, darker below",
    )


def kernel_sheet(data: bytes, model: Model | None = None) -> bytes:
    """What a convolution is: a picture, nine numbers, and what comes out, for each kernel.

    Args:
        data: The bytes of the picture's file.
        model: Gives the square that is shown; without one, the picture as it is.

    Returns:
        A PNG file: three columns, one row for each of :data:`~.kernels.KERNELS`.

    Raises:
        PictureError: The picture cannot be decoded.
    """
    pixels = square(model, data) if model is not None else decode(data).pixels
    side = tile_side(3)
    # Brought to its size first: an edge one pixel wide would be averaged away afterwards.
    small = fitted(pixels, side)
    return png(
        sheet(
            [
                Block(
                    kernel.name,
                    [small, _numbers(kernel, side), convolve(small, kernel)],
                    3,
                    note=kernel.sentence,
                )
                for kernel in KERNELS
            ]
        )
    )


def _picture(pixels: RGB) -> Block:
    height, width = pixels.shape[:2]
    return Block(
        "The picture", [pixels], 3, note=f"{height} x {width} pixels, as the network sees it"
    )


def _numbers(kernel: Kernel, side: int) -> RGB:
    """A kernel's nine numbers, written into nine squares: warm above zero, cool below."""
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
