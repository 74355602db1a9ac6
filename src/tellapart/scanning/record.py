"""What is kept of one scanned picture: a record of facts and a thumb, as bytes in the cache."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tellapart.core.errors import PictureError
from tellapart.images.decoder import DECODER, RGB, Picture
from tellapart.scanning.facts import FACTS, THUMB, measure

Record = dict[str, Any]

KIND = f"facts/{FACTS}/{DECODER}"
# An answer that another installation or another moment may change is never kept.
_PASSING = ("unreadable", "unsupported")

COLUMNS: dict[str, Any] = {
    "content": pl.String,
    "format": pl.String,
    "width": pl.Int32,
    "height": pl.Int32,
    "mode": pl.String,
    "bits": pl.Int16,
    "frames": pl.Int32,
    "orientation": pl.Int8,
    "alpha": pl.Boolean,
    "gray": pl.Boolean,
    "cmyk": pl.Boolean,
    "error": pl.String,
    "error_message": pl.String,
    "note": pl.String,
    "brightness": pl.Float32,
    "contrast": pl.Float32,
    "sharpness": pl.Float32,
    "dhash": pl.UInt64,
}


def measured(
    picture: Picture, square: RGB | None = None
) -> tuple[dict[str, Any], NDArray[np.uint8]]:
    """The record and thumb of a decoded picture."""
    facts = measure(picture.pixels, square, gray=picture.gray)
    record = {
        "format": picture.format,
        "width": picture.width,
        "height": picture.height,
        "mode": picture.mode,
        "bits": picture.bits,
        "frames": picture.frames,
        "orientation": picture.orientation,
        "alpha": picture.alpha,
        "gray": picture.gray,
        "cmyk": picture.cmyk,
        "error": None,
        "note": picture.note or None,
        "brightness": facts.brightness,
        "contrast": facts.contrast,
        "sharpness": facts.sharpness,
        "dhash": facts.dhash,
    }
    return record, facts.thumb


def failed(error: PictureError) -> dict[str, Any]:
    """The record of a picture that cannot be decoded."""
    return {"error": error.code, "error_message": str(error)}


def is_passing(error: str | None) -> bool:
    """Whether another moment or installation may answer otherwise."""
    return error in _PASSING


def pack(record: Mapping[str, Any], thumb: NDArray[np.uint8] | None) -> bytes:
    """Record and thumb as one value of the cache."""
    pixels = np.zeros((THUMB, THUMB), np.uint8) if thumb is None else thumb
    return pixels.tobytes() + json.dumps(record, separators=(",", ":")).encode()


def unpack(value: bytes | None) -> tuple[dict[str, Any], NDArray[np.uint8]] | None:
    """Record and thumb, or None where there are none or they are damaged."""
    if value is None:
        return None
    cut = THUMB * THUMB
    try:
        record = json.loads(value[cut:])
    except ValueError:
        return None
    if not isinstance(record, dict) or "error" not in record:
        return None
    return record, np.frombuffer(value, np.uint8, cut).reshape(THUMB, THUMB)
