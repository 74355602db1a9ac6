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
class Grid:
    """Pictures in rows under a caption.

    Args:
        caption: One line above them.
        tiles: uint8 ``[h, w, 3]`` each, of any sizes; resized to fit equal squares.
        columns: Pictures per row; they share the width.
        labels: A short line under each picture, or none at all.
        note: A paler text after the caption.
    """

    caption: str
    tiles: Sequence[RGB]
    columns: int = 8
    labels: Sequence[str] = ()
    note: str = ""


def sheet(grids: Sequence[Grid]) -> RGB:
    """One picture of all grids.

    Args:
        grids: From top to bottom.

    Returns:
        uint8 ``[H, WIDTH, 3]``.

    Raises:
        ValueError: If a grid has labels, but not one for each tile.
    """
    heights = [_height(grid) for grid in grids]
    paper = Image.new("RGB", (WIDTH, 2 * _MARGIN + sum(heights) - _AFTER), _PAPER)
    pen = ImageDraw.Draw(paper)
    top = _MARGIN
    for grid, height in zip(grids, heights, strict=True):
        _draw(paper, pen, grid, top)
        top += height
    return np.asarray(paper)


def tile_side(columns: int) -> int:
    """Side of the square that each tile gets, in pixels."""
    return (WIDTH - 2 * _MARGIN - (columns - 1) * _GAP) // columns


def fitted(pixels: RGB, side: int) -> RGB:
    """A picture resized to fit a square, with hard edges between enlarged pixels.

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
    # Repeated first, then averaged down: so all pixels come out equally wide.
    large = pixels.repeat(times, axis=0).repeat(times, axis=1) if times > 1 else pixels
    image = Image.fromarray(np.ascontiguousarray(large))
    return np.asarray(image.resize(size, Image.Resampling.BOX))


def _height(grid: Grid) -> int:
    if grid.labels and len(grid.labels) != len(grid.tiles):
        raise ValueError(f"{len(grid.labels)} labels for {len(grid.tiles)} tiles")
    rows = -(-len(grid.tiles) // grid.columns)
    return _CAPTION_ROOM + rows * _step(grid) - (_GAP if rows else 0) + _AFTER


def _step(grid: Grid) -> int:
    return tile_side(grid.columns) + (_LABEL_ROOM if grid.labels else 0) + _GAP


def _draw(paper: Image.Image, pen: ImageDraw.ImageDraw, grid: Grid, top: int) -> None:
    caption, label = ImageFont.load_default(_CAPTION), ImageFont.load_default(_LABEL)
    pen.text((_MARGIN, top), grid.caption, _INK, caption)
    if grid.note:
        behind = _MARGIN + pen.textlength(grid.caption, caption) + 12
        pen.text((behind, top + _CAPTION - _LABEL), grid.note, _PALE, label)
    side = tile_side(grid.columns)
    for number, tile in enumerate(grid.tiles):
        row, column = divmod(number, grid.columns)
        left = _MARGIN + column * (side + _GAP)
        upper = top + _CAPTION_ROOM + row * _step(grid)
        drawn = Image.fromarray(fitted(tile, side))
        paper.paste(drawn, (left + (side - drawn.width) // 2, upper + (side - drawn.height) // 2))
        if grid.labels:
            pen.text((left, upper + side + 3), grid.labels[number], _PALE, label)
