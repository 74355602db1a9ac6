"""Filters and feature maps as small pictures inside the page.

Every one is a picture of its own, so that a narrow screen can lay them out anew. Those of few
pixels are kept as they are and enlarged by the browser without smoothing: a 3 by 3 filter is
nine squares.
"""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tellapart.reports.thumbnails import Budget

LAYERS = 8  # layers shown
MAPS = 16  # maps of one layer shown
FILTERS = 64  # filters shown
SIDE = 112  # pixels, of a large map
CRISP = 40  # pixels up to which a map is kept as it is


@dataclass(frozen=True, slots=True)
class Tile:
    """One small picture: its data URI and its number in the layer, from 1 on."""

    uri: str
    number: int


@dataclass(frozen=True, slots=True)
class Maps:
    """The strongest maps of one layer.

    Args:
        layer: The layer's name.
        height: Pixels of a map.
        width: Pixels of a map.
        of: How many maps the layer has.
        silent: How many of them are zero everywhere on this picture.
        tiles: The strongest, strongest first.
    """

    layer: str
    height: int
    width: int
    of: int
    silent: int
    tiles: tuple[Tile, ...]

    @property
    def crisp(self) -> bool:
        """Whether the pictures are enlarged without smoothing."""
        return max(self.height, self.width) <= CRISP


def feature_maps(layer: str, values: NDArray[np.floating[Any]], budget: Budget) -> Maps:
    """The strongest maps (by mean absolute value) of one layer, black lowest, white highest.

    Each map has its own black and white, with zero never above black: what is zero everywhere
    is black.

    Args:
        layer: The layer's name.
        values: float ``[h, w, c]``.
        budget: What is left for the pictures of the page.

    Raises:
        ValueError: The array has another shape.
    """
    if values.ndim != 3 or not values.size:
        raise ValueError(f"Feature maps have the shape [h, w, c], not {list(values.shape)}.")
    height, width, count = values.shape
    sound = np.nan_to_num(values.astype(np.float32), posinf=0.0, neginf=0.0)
    strength = np.abs(sound).mean(axis=(0, 1), dtype=np.float64)
    order = np.argsort(-strength, kind="stable")[:MAPS]
    tiles = []
    for channel in order.tolist():
        picture = Image.fromarray(levels(sound[:, :, channel]))
        if max(picture.size) <= CRISP:
            uri = _png(picture)
        else:
            picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
            uri = _jpeg(picture)
        if budget.spend(uri):
            tiles.append(Tile(uri, channel + 1))
    silent = int((strength == 0).sum())
    return Maps(layer, height, width, count, silent, tuple(tiles))


def levels(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """One map as uint8 ``[h, w]``: its lowest value, or zero where that is lower, is black."""
    low = min(float(values.min()), 0.0)
    high = float(values.max())
    scaled = (values.astype(np.float64) - low) / max(high - low, 1e-30)
    return np.asarray(np.rint(255 * scaled.clip(0.0, 1.0)), dtype=np.uint8)


def filters(pictures: NDArray[np.uint8], budget: Budget) -> tuple[Tile, ...]:
    """Filters as they are, pixel by pixel.

    Args:
        pictures: uint8 ``[F, k, k, 3]``, or ``[F, k, k, 1]`` for gray networks.
        budget: What is left for the pictures of the page.

    Raises:
        ValueError: The array has another shape or type.
    """
    if pictures.ndim != 4 or pictures.shape[3] not in (1, 3) or pictures.dtype != np.uint8:
        raise ValueError(
            f"Filters are uint8 [F, k, k, 3], not {pictures.dtype} {list(pictures.shape)}."
        )
    tiles = []
    for index, one in enumerate(pictures[:FILTERS]):
        picture = Image.fromarray(np.ascontiguousarray(one[:, :, 0] if one.shape[2] == 1 else one))
        picture.thumbnail((SIDE, SIDE))
        uri = _png(picture)
        if budget.spend(uri):
            tiles.append(Tile(uri, index + 1))
    return tuple(tiles)


def _png(picture: Image.Image) -> str:
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")


def _jpeg(picture: Image.Image) -> str:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=78, optimize=False)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode("ascii")
