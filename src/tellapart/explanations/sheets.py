"""Many small pictures with captions, laid out as one tall picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tellapart.images.resizing import RGB

WIDTH = 976
"""Of every sheet, in pixels: as wide as a page of the report shows."""
_MARGIN, _GAP = 20, 8
_CAPTION, _LABEL = 17, 13  # sizes of type, in pixels
_CAPTION_ROOM, _LABEL_ROOM, _AFTER = 30, 20, 22
_PAPER, _INK, _PALE = (252, 252, 250), (28, 28, 30), (110, 110, 115)


@dataclass(frozen=True, slots=True)
class Block:
    """A caption and the pictures under it.

    Args:
        caption: One line above them.
        tiles: uint8 ``[h, w, 3]`` each, of any sizes; brought into squares.
        columns: How many stand side by side; the width is shared among them.
        labels: A short line under each, or none at all.
        note: A paler line behind the caption.
    """

    caption: str
    tiles: Sequence[RGB]
    columns: int = 8
    labels: Sequence[str] = ()
    note: str = ""


def sheet(blocks: Sequence[Block]) -> RGB:
    """Lay blocks out, one below the other.

    Args:
        blocks: From top to bottom.

    Returns:
        uint8 ``[H, WIDTH, 3]``, as high as it needs to be.

    Raises:
        ValueError: If a block has labels, but not one for each tile.
    """
    heights = [_height(block) for block in blocks]
    paper = Image.new("RGB", (WIDTH, 2 * _MARGIN + sum(heights) - _AFTER), _PAPER)
    pen = ImageDraw.Draw(paper)
    top = _MARGIN
    for block, height in zip(blocks, heights, strict=True):
        _draw(paper, pen, block, top)
        top += height
    return np.asarray(paper)


def tile_side(columns: int) -> int:
    """Side of the square that each tile gets, in pixels."""
    return (WIDTH - 2 * _MARGIN - (columns - 1) * _GAP) // columns


def fitted(pixels: RGB, side: int) -> RGB:
    """A picture within a square: small ones as blocks that can be counted, large ones averaged.

    Args:
        pixels: uint8 ``[h, w, 3]``.
        side: Of the square, in pixels.

    Returns:
        uint8 ``[h', w', 3]``, the longer of both ``side``, in the same proportion.
    """
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    times = math.ceil(scale)
    # First whole blocks, then averaged down: so all blocks come out equally wide.
    blocks = pixels.repeat(times, axis=0).repeat(times, axis=1) if times > 1 else pixels
    image = Image.fromarray(np.ascontiguousarray(blocks))
    return np.asarray(image.resize(size, Image.Resampling.BOX))


def _height(block: Block) -> int:
    if block.labels and len(block.labels) != len(block.tiles):
        raise ValueError(f"{len(block.labels)} labels for {len(block.tiles)} tiles")
    rows = -(-len(block.tiles) // block.columns)
    return _CAPTION_ROOM + rows * _step(block) - (_GAP if rows else 0) + _AFTER


def _step(block: Block) -> int:
    return tile_side(block.columns) + (_LABEL_ROOM if block.labels else 0) + _GAP


def _draw(paper: Image.Image, pen: ImageDraw.ImageDraw, block: Block, top: int) -> None:
    caption, label = ImageFont.load_default(_CAPTION), ImageFont.load_default(_LABEL)
    pen.text((_MARGIN, top), block.caption, _INK, caption)
    if block.note:
        behind = _MARGIN + pen.textlength(block.caption, caption) + 12
        pen.text((behind, top + _CAPTION - _LABEL), block.note, _PALE, label)
    side = tile_side(block.columns)
    for number, tile in enumerate(block.tiles):
        row, column = divmod(number, block.columns)
        left = _MARGIN + column * (side + _GAP)
        upper = top + _CAPTION_ROOM + row * _step(block)
        drawn = Image.fromarray(fitted(tile, side))
        paper.paste(drawn, (left + (side - drawn.width) // 2, upper + (side - drawn.height) // 2))
        if block.labels:
            pen.text((left, upper + side + 3), block.labels[number], _PALE, label)
