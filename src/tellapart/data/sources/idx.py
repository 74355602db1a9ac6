"""IDX files, the format MNIST and its followers come in: a header, then bytes, often gzipped.

Layout (Y. LeCun, C. Cortes and C. J. C. Burges, "The MNIST database of handwritten digits",
1998): two zero bytes, a type (8 is unsigned byte), the number of dimensions, each length as
a big-endian 32-bit number, the values in C order. The header is not trusted: the size that it
claims is checked before anything is allocated, and no more than that is decompressed.
"""

from __future__ import annotations

import gzip
import io
import math
import re
import struct
import zlib
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tellapart.core.errors import SourceError
from tellapart.data.sources.names import Part, part_of, quote

MAX_ARRAY_BYTES = 2 * 1024**3
"""Largest array in bytes; it is kept in memory as a whole."""

_TYPES = {0x09: "int8", 0x0B: "int16", 0x0C: "int32", 0x0D: "float32", 0x0E: "float64"}
_NAME = re.compile(
    r"(?:(?P<stem>.+)[-_.])?(?P<what>images|labels)[-_.]idx[0-9][-_.][a-z0-9]+(?:\.gz)?",
    re.IGNORECASE,
)


class ArrayName(NamedTuple):
    """What the name of an IDX file, or of an array in an NPZ file, says.

    Attributes:
        part: The part of the data, if the name has one.
        what: Whether the file or array holds pictures or labels.
        set: The words before the part, such as ``emnist-letters``; mostly empty.
    """

    part: Part | None
    what: Literal["images", "labels"]
    set: str = ""


def idx_name(name: str) -> ArrayName | None:
    """What a file's name says; None if it is not the name of an IDX file.

    Example:
        >>> idx_name("t10k-images-idx3-ubyte.gz")
        ArrayName(part='test', what='images', set='')
    """
    match = _NAME.fullmatch(name.rpartition("/")[2])
    if match is None:
        return None
    before, _, last = re.sub("[_.]", "-", match["stem"] or "").rpartition("-")
    part: Part | None = "test" if last.lower() == "t10k" else part_of(last)
    if part is None:
        before = match["stem"] or ""
    what: Literal["images", "labels"] = "images" if match["what"].lower() == "images" else "labels"
    return ArrayName(part, what, before)


def read_idx(data: bytes, shown: str) -> NDArray[np.uint8]:
    """The array of an IDX file.

    Args:
        data: The file's bytes, gzipped or not.
        shown: How an error names it.

    Returns:
        uint8, as many dimensions as the file says (1 to 4).

    Raises:
        SourceError: ``damaged_array`` or ``array_type``.
    """
    stream = io.BytesIO(data)
    if not data.startswith(b"\x1f\x8b"):
        return _read(stream, shown)
    try:
        with gzip.GzipFile(fileobj=stream) as unpacked:
            return _read(unpacked, shown)
    except (EOFError, OSError, zlib.error) as error:
        raise damaged_array(shown, "its compression is cut off or broken") from error


def _read(stream: io.BytesIO | gzip.GzipFile, shown: str) -> NDArray[np.uint8]:
    magic = stream.read(4)
    if len(magic) < 4:
        raise damaged_array(shown, "it is shorter than a header")
    zero, kind, dimensions = struct.unpack(">HBB", magic)
    if zero or not (kind == 0x08 or kind in _TYPES):
        raise damaged_array(shown, f"it does not begin as an IDX file ({magic.hex(' ')})")
    if kind != 0x08:
        raise SourceError(
            f"{quote(shown)} holds {_TYPES[kind]}, but pictures and labels are read as uint8.",
            remedy="Convert it to unsigned bytes (IDX type 8).",
            code="array_type",
        )
    if not 1 <= dimensions <= 4:
        raise damaged_array(shown, f"it claims {dimensions} dimensions")
    lengths = stream.read(4 * dimensions)
    if len(lengths) < 4 * dimensions:
        raise damaged_array(shown, "it ends inside its header")
    shape = struct.unpack(f">{dimensions}I", lengths)
    count = math.prod(shape)
    if count > MAX_ARRAY_BYTES:
        raise too_much(shown, shape, count)
    values = stream.read(count + 1)
    if len(values) != count:
        more = "more" if len(values) > count else f"only {len(values):,}"
        claim = " x ".join(f"{length:,}" for length in shape)
        raise damaged_array(shown, f"its header claims {claim} bytes, but there are {more}")
    return np.frombuffer(values, np.uint8).reshape(shape)


def damaged_array(shown: str, why: str) -> SourceError:
    """The error for a file of arrays that is not what it should be."""
    return SourceError(
        f"{quote(shown)} is damaged: {why}.",
        remedy="Download or copy it again, and compare its size with the original's.",
        code="damaged_array",
    )


def too_much(shown: str, shape: tuple[int, ...], count: int) -> SourceError:
    """The error for an array beyond :data:`MAX_ARRAY_BYTES`."""
    claim = " x ".join(f"{length:,}" for length in shape)
    return SourceError(
        f"{quote(shown)} claims {claim} values, {count / 2**30:,.1f} GiB; arrays of at most "
        f"{MAX_ARRAY_BYTES / 2**30:,.0f} GiB are read.",
        remedy="Save the pictures as files in one folder a class, or split the data.",
        code="array_too_large",
    )
