"""Pixels → small pictures inside the page, as data URIs."""

from __future__ import annotations

import base64
import io
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tellapart.explanations.painting import overlay
from tellapart.reports.views import Picture

_URI = re.compile(r"data:image/(?:jpeg|png|webp|gif);base64,[A-Za-z0-9+/]+={0,2}\Z")
_TINY = 96  # pixels; smaller pictures are enlarged by whole numbers, so that they stay crisp


def jpeg_data_uri(pixels: NDArray[np.uint8], side: int = 160, quality: int = 80) -> str:
    """A JPEG whose longer side is at most ``side`` pixels, as a data URI.

    Args:
        pixels: uint8 ``[H, W, 3]``. Pictures under 96 pixels are enlarged by a whole number
            without smoothing, so that 8 by 8 digits can be seen.
        side: Pixels, the longer side at most.
        quality: JPEG quality, 1 to 95.

    Raises:
        ValueError: The array is not a picture.
    """
    return _encode(_fit(pixels, side), quality)


def heat_data_uri(
    pixels: NDArray[np.uint8],
    heat: NDArray[np.floating[Any]],
    side: int = 160,
    quality: int = 80,
) -> str:
    """The picture with evidence laid over it: orange is for, blue against.

    Args:
        pixels: uint8 ``[H, W, 3]``.
        heat: float ``[h, w]``, covering the picture edge to edge; its largest absolute
            value is shown at full strength.
        side: Pixels, the longer side at most.
        quality: JPEG quality, 1 to 95.

    Raises:
        ValueError: One of the arrays has a wrong shape.
    """
    if heat.ndim != 2 or not heat.size:
        raise ValueError(f"A heat map has the shape [h, w], not {list(heat.shape)}.")
    picture = np.asarray(_fit(pixels, side))
    return _encode(Image.fromarray(overlay(picture, heat)), quality)


def is_data_uri(text: str) -> bool:
    """Whether the text is a base64 data URI of a raster picture, and nothing else."""
    return _URI.match(text) is not None


class Budget:
    """Encodes the pictures of one page until they are ``limit`` characters together.

    Example:
        >>> budget = Budget(limit=1_500_000)
        >>> uri = budget.take(np.zeros((8, 8, 3), np.uint8), side=112)
    """

    def __init__(self, limit: int) -> None:
        self.left = limit

    def take(
        self,
        picture: Picture,
        side: int,
        heat: NDArray[np.floating[Any]] | None = None,
    ) -> str:
        """The picture as a data URI; empty once the budget is spent.

        Raises:
            ValueError: A string that is no data URI of a picture (nothing else may get
                into the page), or an array of a wrong shape.
        """
        if isinstance(picture, str):
            if not is_data_uri(picture):
                raise ValueError("A picture given as text must be a data:image/…;base64, URI.")
            uri = picture
        elif self.left <= 0:
            return ""
        elif heat is not None:
            uri = heat_data_uri(picture, heat, side)
        else:
            uri = jpeg_data_uri(picture, side)
        return uri if self.spend(uri) else ""

    def spend(self, uri: str) -> bool:
        """Whether there is still room for a finished picture, which is then taken."""
        self.left -= len(uri)
        return self.left >= 0


def _fit(pixels: NDArray[np.uint8], side: int) -> Image.Image:
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or not pixels.size:
        raise ValueError(f"A picture is uint8 [H, W, 3], not {pixels.dtype} {list(pixels.shape)}.")
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    longest = max(picture.size)
    if longest > side:
        width, height = (max(1, round(edge * side / longest)) for edge in picture.size)
        return picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
    if longest < _TINY and side >= 2 * longest:
        times = side // longest
        width, height = (edge * times for edge in picture.size)
        return picture.resize((width, height), Image.Resampling.NEAREST)
    return picture


def _encode(picture: Image.Image, quality: int) -> str:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality, optimize=False)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode("ascii")
