"""Bytes to pixels: the one decoder, color, and the one resize.

Example:
    >>> picture = decode(data)  # doctest: +SKIP
    >>> resize(picture.pixels, 224).shape  # doctest: +SKIP
    (224, 224, 3)
"""

from tellapart.images.decoder import Picture, decode
from tellapart.images.resizing import luma, resize

__all__ = ["Picture", "decode", "luma", "resize"]
