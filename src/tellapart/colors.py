"""Any stored color mode to 8-bit RGB: profiles, transparency, deep channels.

Used by :mod:`tellapart.images` alone; nothing else may turn bytes into pixels.
"""

from __future__ import annotations

import io
import threading
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

_DEEP = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")
_PROFILE_LIMIT = 4 * 1024 * 1024  # bytes; real profiles are under 4 MB
# The unpackers that keep the other byte of 16-bit channels, so that both can be read.
_OTHER_BYTE = {
    "RGB;16B": "RGB;16L",
    "RGB;16L": "RGB;16B",
    "RGB;16N": "RGB;16B",
    "RGBA;16B": "RGBA;16L",
    "RGBA;16L": "RGBA;16B",
    "RGBA;16N": "RGBA;16B",
}
_local = threading.local()


def needs_profile(image: Image.Image) -> bool:
    """Whether the picture carries a color profile that is not sRGB.

    Gray pictures are used as they are stored: their profiles only describe a tone curve.
    """
    profile = image.info.get("icc_profile")
    if not profile or len(profile) > _PROFILE_LIMIT or image.mode in ("L", "LA", "1", *_DEEP):
        return False
    return b"sRGB" not in profile and b"s\0R\0G\0B" not in profile


def to_rgb(image: Image.Image) -> tuple[NDArray[np.uint8], int, bool]:
    """Decode an opened picture to uint8 ``[H, W, 3]``.

    Returns:
        The pixels, the bits a channel as stored, and whether there was transparency.
    """
    deep = _deep_channels(image)
    if deep is not None:
        scaled = _scale(deep[..., :3])
        if deep.shape[-1] == 4:
            return _on_white(scaled, (deep[..., 3] >> 8).astype(np.uint8)), 16, True
        return scaled, 16, False
    image.load()
    if image.mode in _DEEP:
        values = np.asarray(image)
        if values.dtype.kind == "u" or image.mode == "I":
            bits = 8 if values.max(initial=0) < 256 and values.min(initial=0) >= 0 else 16
        else:
            bits = 32
        gray = values.astype(np.uint8) if bits == 8 else _scale(values)
        return np.repeat(gray[..., None], 3, axis=2), bits, False
    bits = 1 if image.mode == "1" else 8
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        straight = image.convert("RGBA")
        rgba = np.asarray(straight)
        opaque = np.asarray(_through_profile(image, straight.convert("RGB")))
        return _on_white(opaque, rgba[..., 3]), bits, True
    if image.mode == "LAB":
        return np.asarray(_lab_to_srgb(image)), bits, False
    return np.asarray(_through_profile(image, image)), bits, False


def _deep_channels(image: Image.Image) -> NDArray[np.uint16] | None:
    """16-bit RGB(A) as uint16 ``[H, W, C]``; Pillow alone would keep the high byte only.

    The same tiles are read twice, once for each byte of every channel.
    """
    rawmodes = {_rawmode(tile) for tile in getattr(image, "tile", ())}
    if len(rawmodes) != 1:
        return None
    other = _OTHER_BYTE.get(rawmodes.pop() or "")
    if other is None:
        return None
    opened: Any = image
    position = opened.fp.tell()
    low: Any = Image.open(io.BytesIO(opened.fp.getvalue()), formats=[opened.format])
    low.tile = [_with_rawmode(tile, other) for tile in low.tile]
    opened.fp.seek(position)
    opened.load()
    low.load()
    deep = np.asarray(opened).astype(np.uint16)
    deep <<= 8
    deep |= np.asarray(low)
    return deep


def _rawmode(tile: Any) -> str | None:
    args = tile[3]
    if isinstance(args, str):
        return args
    return args[0] if isinstance(args, tuple) and args and isinstance(args[0], str) else None


def _with_rawmode(tile: Any, rawmode: str) -> Any:
    args = tile[3]
    return tile._replace(args=rawmode if isinstance(args, str) else (rawmode, *args[1:]))


def _scale(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Stretch any numbers to 0 … 255 by their own minimum and maximum; NaN counts as minimum."""
    numbers = values.astype(np.float32)
    finite = np.isfinite(numbers)
    if not finite.any():
        return np.zeros(values.shape, np.uint8)
    low, high = float(numbers[finite].min()), float(numbers[finite].max())
    if high <= low:
        return np.full(values.shape, 127, np.uint8)
    numbers = np.where(finite, numbers, low)
    # Divide before subtracting would overflow less, but halves keep float32 finite too.
    unit = (numbers / 2 - low / 2) / (high / 2 - low / 2)
    return cast(NDArray[np.uint8], np.rint(unit * 255).astype(np.uint8))


def _on_white(rgb: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay ``[H, W, 3]`` on white by alpha ``[H, W]``, rounded, exact at 0 and 255."""
    weight = alpha[..., None].astype(np.uint16)
    mixed = rgb.astype(np.uint16) * weight + 255 * (255 - weight)
    return cast(NDArray[np.uint8], ((mixed + 127) // 255).astype(np.uint8))


def _through_profile(image: Image.Image, pixels: Image.Image) -> Image.Image:
    """Convert to sRGB by the picture's profile; plainly where it has none or a broken one."""
    if needs_profile(image):
        transform = _transform(image.info["icc_profile"], pixels.mode)
        if transform is not None:
            converted = ImageCms.applyTransform(pixels, transform)
            if converted is not None:
                return converted
    return pixels if pixels.mode == "RGB" else pixels.convert("RGB")


def _transform(profile: bytes, mode: str) -> Any | None:
    """A color transform to sRGB, built once a thread (LittleCMS transforms keep state)."""
    known: dict[tuple[bytes, str], Any | None] = _local.__dict__.setdefault("transforms", {})
    if (profile, mode) not in known:
        if len(known) > 16:
            known.clear()
        try:
            known[profile, mode] = ImageCms.buildTransform(
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                mode,
                "RGB",
            )
        except (ImageCms.PyCMSError, OSError, ValueError):
            known[profile, mode] = None
    return known[profile, mode]


def _lab_to_srgb(image: Image.Image) -> Image.Image:
    transform = ImageCms.buildTransform(
        ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB"
    )
    converted = ImageCms.applyTransform(image, transform)
    return converted if converted is not None else image.convert("L").convert("RGB")
