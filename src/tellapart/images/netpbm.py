r"""Netpbm's two plain formats, 8-bit gray (``P5``) and RGB (``P6``): a line of header, then pixels.

One picture of an array is handed from the source to the decoder in this form: opening it
costs little, where Pillow takes about 0.2 ms to open a file of any size, which for 70,000 digits
was half of the scan's time. Format: the manual pages ``pgm(5)`` and ``ppm(5)`` of Netpbm.

Example:
    >>> data = packed(np.zeros((2, 3), np.uint8))
    >>> data[:11]
    b'P5 3 2 255\n'
    >>> pixels(data, most=100).shape
    (2, 3, 1)
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from tellapart.core.errors import PictureError

_HEADER = re.compile(rb"P([56])\s(\d{1,9})\s(\d{1,9})\s255\s")


def packed(values: NDArray[np.uint8]) -> bytes:
    """The file of a picture.

    Args:
        values: uint8 ``[H, W]``, gray, or ``[H, W, 3]``, RGB.
    """
    height, width = values.shape[:2]
    kind = 5 if values.ndim == 2 else 6
    return b"P%d %d %d 255\n" % (kind, width, height) + values.tobytes()


def pixels(data: bytes, *, most: int) -> NDArray[np.uint8] | None:
    """The pixels of such a file, exactly.

    Args:
        data: Any file's bytes.
        most: Pixels above which a picture is refused.

    Returns:
        uint8 ``[H, W, 1]`` or ``[H, W, 3]``, read-only; None where it is no such file.

    Raises:
        PictureError: With the code ``too_large``, ``cut_off`` or ``undecodable``.
    """
    header = _HEADER.match(data[:40])
    if header is None:
        return None
    channels = 1 if header[1] == b"5" else 3
    width, height = int(header[2]), int(header[3])
    if width * height > most:
        raise PictureError(
            f"A picture that claims {width:,} x {height:,} has more than "
            f"{most // 10**6} million pixels.",
            code="too_large",
        )
    if width < 1 or height < 1:
        raise PictureError("The picture has no pixels.", code="undecodable")
    count = width * height * channels
    if len(data) - header.end() < count:
        raise PictureError("The file is cut off: part of the picture is missing.", code="cut_off")
    values = np.frombuffer(data, np.uint8, count, header.end())
    return values.reshape(height, width, channels)
