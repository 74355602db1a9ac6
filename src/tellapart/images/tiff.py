"""TIFFs that Pillow reads wrong or not at all: planes, extra samples, signed and deep numbers.

The tags say what is stored. What Pillow reads right stays with Pillow; the rest is read by
``tifffile`` and interpreted here: photometric meaning, alpha, further samples, the value that
stands for no data. What has no clear colors is refused by its true name. Tags: TIFF 6.0 (Adobe,
1992), tables of sections 8 and 18; 42113 is GDAL's value for no data.
"""

from __future__ import annotations

import io
import logging
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.core.errors import PictureError
from tellapart.images.opening import broken, check_sides, too_large

_MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLES, _PLANAR, _EXTRA, _FORMAT = (
    258, 259, 262, 277, 284, 338, 339
)  # fmt: skip
_NO_DATA = 42113
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE = 0, 1, 2, 3
# What Pillow's own build unpacks, and interprets at 8 bits or fewer.
_PILLOW_COMPRESSIONS = frozenset([1, 2, 3, 4, 5, 6, 7, 8, 32773, 32946])
_PILLOW_PHOTOMETRICS = frozenset([0, 1, 2, 3, 5, 6, 8])
_ALPHAS = (1, 2)  # associated and unassociated
_LETTERS, _MOST_VALUES = {1: "B", 2: "B", 3: "H", 4: "I"}, 64  # by type of tag
_MOST_BYTES = 4 << 30  # of all samples together


@dataclass(frozen=True, slots=True)
class Samples:
    """The numbers of a TIFF's first page.

    Attributes:
        colors: Any numbers, ``[H, W, 1]`` or ``[H, W, 3]``, more is brighter.
        alpha: Any numbers ``[H, W]``, or None.
        missing: bool ``[H, W]``, where there is no data, or None.
        profile: The color profile, or None.
        orientation: 1 to 8.
        frames: Pages.
        bits: Bits per sample.
        mode: What is stored, such as ``"RGB;16"`` or ``"gray;f32"``.
    """

    colors: NDArray[Any]
    alpha: NDArray[Any] | None
    missing: NDArray[np.bool_] | None
    profile: bytes | None
    orientation: int
    frames: int
    bits: int
    mode: str


def samples(data: bytes, *, most: int) -> Samples | None:
    """The numbers of a TIFF that Pillow would not read right; None for all other files.

    Args:
        data: Any file's bytes.
        most: Pixels above which a picture is refused.

    Raises:
        PictureError: With the code ``too_large``, ``unsupported``, ``cut_off`` or ``undecodable``.
    """
    if not data.startswith(_MAGICS) or _is_plain(data):
        return None
    import tifffile  # not at the top: few pictures need it

    logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # it would write to standard error
    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            return _read(file.pages[0], len(file.pages), most)
    except PictureError:
        raise
    except MemoryError:
        raise PictureError(
            "There is not enough memory to decode it now.", code="unreadable"
        ) from None
    except Exception as error:  # the parser raises what it likes on broken bytes
        if "imagecodecs" in str(error):
            raise _unsupported("its compression", "tellapart[science]") from None
        raise broken(data, str(error)) from None


def _is_plain(data: bytes) -> bool:
    """Whether Pillow reads it right."""
    if 43 in data[2:4]:  # BigTIFF
        return False
    try:
        tags = _tags(data)
    except (struct.error, IndexError):
        return True  # Pillow will say what is wrong
    bits, formats = tags.get(_BITS, (1,)), tags.get(_FORMAT, (1,))
    planar, photometric = _first(tags, _PLANAR, 1), _first(tags, _PHOTOMETRIC, _BLACK_IS_ZERO)
    extra, count = tags.get(_EXTRA, ()), _first(tags, _SAMPLES, 1)
    if tags.get(_NO_DATA) or set(formats) != {1} or len(set(bits)) != 1:
        return False
    if _first(tags, _COMPRESSION, 1) not in _PILLOW_COMPRESSIONS:
        return False
    if bits[0] <= 8:
        return photometric in _PILLOW_PHOTOMETRICS and len(bits) <= 4
    if bits[0] != 16 or planar != 1:
        return False
    alone = photometric == _BLACK_IS_ZERO and count == 1
    colors = photometric == _RGB and (count == 3 or (count == 4 and extra[:1] in ((1,), (2,))))
    return alone or colors


def _tags(data: bytes) -> dict[int, tuple[int, ...]]:
    """The whole numbers and letters of the first directory's tags (TIFF 6.0, section 2)."""
    order = "<" if data[:2] == b"II" else ">"
    (at,) = struct.unpack_from(f"{order}I", data, 4)
    (entries,) = struct.unpack_from(f"{order}H", data, at)
    found: dict[int, tuple[int, ...]] = {}
    for entry in range(at + 2, at + 2 + 12 * entries, 12):
        tag, kind, count = struct.unpack_from(f"{order}HHI", data, entry)
        if kind in _LETTERS and 0 < count <= _MOST_VALUES:
            length = count * struct.calcsize(_LETTERS[kind])
            (far,) = struct.unpack_from(f"{order}I", data, entry + 8)
            place = entry + 8 if length <= 4 else far
            found[tag] = struct.unpack_from(f"{order}{count}{_LETTERS[kind]}", data, place)
    return found


def _first(tags: dict[int, tuple[int, ...]], tag: int, usual: int) -> int:
    return tags.get(tag, (usual,))[0]


def _read(page: Any, frames: int, most: int) -> Samples:
    width, height, count = int(page.imagewidth), int(page.imagelength), int(page.samplesperpixel)
    if width * height > most:
        raise too_large(f"A picture that claims {width:,} x {height:,}", most)
    check_sides(width, height)
    dtype = np.dtype(page.dtype) if page.dtype is not None else None
    if dtype is None or dtype.kind not in "iufb":
        raise _unsupported(f"numbers of the kind {dtype}")
    if width * height * count * dtype.itemsize > _MOST_BYTES:
        raise _unsupported(f"{count:,} channels")
    values = page.asarray()
    if str(page.axes).startswith("S"):
        values = np.moveaxis(values, 0, -1)
    if values.ndim == 2:
        values = values[..., None]
    if values.ndim != 3 or values.shape[:2] != (height, width):
        raise _unsupported(f"{values.ndim} dimensions of {values.dtype}")
    photometric = int(page.photometric)
    colors, alpha = _colors(values, photometric, tuple(map(int, page.extrasamples)), page)
    kind = "" if dtype.kind == "u" else dtype.kind
    name = "gray" if colors.shape[2] == 1 else "RGB"
    tags = page.tags
    return Samples(
        colors=colors,
        alpha=alpha,
        missing=_missing(values, tags.valueof(_NO_DATA)),
        profile=bytes(page.iccprofile) if page.iccprofile else None,
        orientation=int(tags.valueof(274, 1)) if tags.valueof(274, 1) in range(1, 9) else 1,
        frames=frames,
        bits=8 * dtype.itemsize,
        mode=f"{name};{kind}{8 * dtype.itemsize}",
    )


def _colors(
    values: NDArray[Any], photometric: int, extra: tuple[int, ...], page: Any
) -> tuple[NDArray[Any], NDArray[Any] | None]:
    count = values.shape[2]
    if photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO) and count - len(extra) == 1 and count <= 2:
        gray = values[..., :1]
        if photometric == _WHITE_IS_ZERO:
            gray = -gray.astype(np.float64)
        return gray, values[..., 1] if extra[:1] and extra[0] in _ALPHAS else None
    if photometric == _RGB and count >= 3:
        return values[..., :3], values[..., 3] if extra[:1] and extra[0] in _ALPHAS else None
    if photometric == _PALETTE and count == 1 and page.colormap is not None:
        return np.moveaxis(np.asarray(page.colormap), 0, -1)[values[..., 0]], None
    named = getattr(page.photometric, "name", str(photometric))
    raise _unsupported(f"{count} channels of {named}")


def _missing(values: NDArray[Any], said: object) -> NDArray[np.bool_] | None:
    if not isinstance(said, str):
        return None
    try:
        value = float(said.strip("\0 "))
    except ValueError:
        return None
    alike = np.isnan(values) if np.isnan(value) else values == value
    found: NDArray[np.bool_] = alike.all(axis=2)
    return found if found.any() else None


def _unsupported(what: str, extra: str = "") -> PictureError:
    remedy = f"Install an extra package: pip install '{extra}'" if extra else ""
    return PictureError(
        f"A TIFF with {what} cannot be read.",
        remedy=remedy or "Convert it to a PNG or TIFF of one gray or three color channels.",
        code="unsupported",
    )
