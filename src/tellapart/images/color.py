"""Any stored color mode to 8-bit RGB: profiles, transparency, deep channels.

Used by :mod:`tellapart.images.decoder` alone; nothing else may turn bytes into pixels.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

if TYPE_CHECKING:
    from tellapart.images.tiff import Samples

_DEEP = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")
_PROFILE_LIMIT = 4 * 1024 * 1024  # bytes; real profiles are under 4 MB
_BAND = 1 << 20  # pixels that are converted at once
# The unpackers that keep the other byte of 16-bit channels, so that both can be read.
_OTHER_BYTE = {
    "RGB;16B": "RGB;16L",
    "RGB;16L": "RGB;16B",
    "RGB;16N": "RGB;16B",
    "RGBA;16B": "RGBA;16L",
    "RGBA;16L": "RGBA;16B",
    "RGBA;16N": "RGBA;16B",
}
_PROBE = np.array(
    [[[r, g, b] for r in (0, 37, 128, 237, 255) for g in (0, 61, 200, 255)] for b in (0, 90, 255)],
    np.uint8,
)  # colors that a profile is tried on
_USUAL, _FAR, _SAMPLE = (0.001, 0.999), 3.0, 1 << 16
_local = threading.local()


def needs_profile(image: Image.Image) -> bool:
    """Whether the picture carries a color profile that is not sRGB in what it says.

    A profile's name says nothing: "Display P3 Gamut with sRGB Transfer" is not sRGB. So a few
    colors are converted, and compared. Gray pictures are used as they are stored: their profiles
    only describe a tone curve.
    """
    profile = image.info.get("icc_profile")
    if not profile or len(profile) > _PROFILE_LIMIT or image.mode in ("L", "LA", "1", *_DEEP):
        return False
    return image.mode == "CMYK" or not _is_srgb(profile)


def _is_srgb(profile: bytes) -> bool:
    """Whether a profile for RGB changes no color by more than a level; remembered once a thread."""
    known: dict[bytes, bool] = _local.__dict__.setdefault("srgb", {})
    if profile not in known:
        if len(known) > 16:
            known.clear()
        transform = _transform(profile, "RGB")
        probe = Image.fromarray(_PROBE)
        converted = None if transform is None else ImageCms.applyTransform(probe, transform)
        after = _PROBE if converted is None else np.asarray(converted)  # a broken one is no profile
        known[profile] = int(np.abs(after.astype(int) - _PROBE).max()) <= 1
    return known[profile]


def to_rgb(image: Image.Image) -> tuple[NDArray[np.uint8], int, bool]:
    """Decode an opened picture to uint8 ``[H, W, 3]``.

    Large pictures are converted a band of rows at a time: all of it at once would take up to 60
    bytes a pixel, bands take 7 (8 bits) to 11 (16 bits a channel), most of them the decoder's.

    Returns:
        The pixels, the bits a channel as stored, and whether there was transparency.
    """
    if (gray := _deep_gray_alpha(image)) is not None:
        return gray, 16, True
    deep = _deep_channels(image)
    if deep is not None:
        pixels, has_alpha = _scaled_deep(*deep)
        return pixels, 16, has_alpha
    key = _key_of(image)
    image.load()
    if image.mode in _DEEP:
        return _scaled_gray(image, key)
    bits = 1 if image.mode == "1" else 8
    if key is not None:
        image.info["transparency"] = key
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        least: list[int] = []
        pixels = _by_bands(lambda part: _flat(part, least), image)
        return pixels, bits, min(least) < 255  # an alpha channel may be opaque everywhere
    if image.mode == "LAB":
        return _by_bands(_lab_to_srgb, image), bits, False
    return _by_bands(_opaque, image), bits, False


def _key_of(image: Image.Image) -> int | None:
    """The gray that a PNG declares transparent, at the depth that Pillow gives its pixels.

    The key has the depth of the file (PNG, third edition, 11.3.1.1), while Pillow 13 spreads gray
    of 2 and 4 bits over 8 bits and compares the key as it is. Must be called before loading.
    """
    key = image.info.get("transparency")
    if image.format != "PNG" or not isinstance(key, int) or image.mode == "P":
        return None
    rawmode = next((_rawmode(tile) for tile in getattr(image, "tile", ())), None)
    return key * {"L;2": 85, "L;4": 17}.get(rawmode or "", 1)


def _by_bands(convert: Callable[..., NDArray[np.uint8]], *images: Image.Image) -> NDArray[np.uint8]:
    """What ``convert`` makes of pictures of one size, uint8 ``[H, W, 3]``, band by band."""
    width, height = images[0].size
    if width * height <= _BAND:
        return convert(*images)
    pixels = np.empty((height, width, 3), np.uint8)
    for rows in _bands(width, height):
        pixels[rows] = convert(*(_cut(image, rows) for image in images))
    return pixels


def _bands(width: int, height: int) -> Iterator[slice]:
    """Rows that have about ``_BAND`` pixels together, from the first to the last."""
    step = max(1, _BAND // width)
    return (slice(top, min(top + step, height)) for top in range(0, height, step))


def _cut(image: Image.Image, rows: slice) -> Image.Image:
    return image.crop((0, rows.start, image.width, rows.stop))


def _opaque(image: Image.Image) -> NDArray[np.uint8]:
    stored = image if image.mode in ("RGB", "CMYK") else image.convert("RGB")
    return np.asarray(_through_profile(image, stored))


def _flat(image: Image.Image, least: list[int]) -> NDArray[np.uint8]:
    """A picture with transparency, on white; its least alpha joins a list."""
    straight = image.convert("RGBA")
    alpha = np.asarray(straight)[..., 3]
    least.append(int(alpha.min()))
    return _on_white(np.asarray(_through_profile(image, straight.convert("RGB"))), alpha)


def _scaled_gray(image: Image.Image, key: int | None = None) -> tuple[NDArray[np.uint8], int, bool]:
    """A picture of one deep channel, as :func:`to_rgb` gives it; ``key`` is transparent."""
    parts = list(_bands(*image.size))

    def opaque(rows: slice) -> NDArray[Any]:
        values = np.asarray(_cut(image, rows))
        return values if key is None else values[values != key]

    low, high = _limits(opaque(rows) for rows in parts)
    whole = 8 if low >= 0 and high < 256 else 16
    bits = 32 if image.mode == "F" else whole

    def scaled(part: Image.Image) -> NDArray[np.uint8]:
        values = np.asarray(part)
        gray = values.astype(np.uint8) if bits == 8 else _scale(values, low, high)
        if key is not None:
            gray = np.where(values == key, np.uint8(255), gray)
        return np.repeat(gray[..., None], 3, axis=2)

    return _by_bands(scaled, image), bits, key is not None


def _scaled_deep(upper: Image.Image, lower: Image.Image) -> tuple[NDArray[np.uint8], bool]:
    """Pictures of the upper and the lower bytes as one, and whether it has transparency."""
    opened = upper
    has_alpha = upper.mode == "RGBA"
    parts = list(_bands(*upper.size))
    low, high = _limits(_joined(_cut(upper, rows), _cut(lower, rows))[..., :3] for rows in parts)

    def scaled(upper: Image.Image, lower: Image.Image) -> NDArray[np.uint8]:
        deep = _joined(upper, lower)
        colors = _scale(deep[..., :3], low, high)
        if needs_profile(opened):
            colors = np.asarray(_through_profile(opened, Image.fromarray(colors)))
        return _on_white(colors, (deep[..., 3] >> 8).astype(np.uint8)) if has_alpha else colors

    return _by_bands(scaled, upper, lower), has_alpha


def from_samples(samples: Samples) -> NDArray[np.uint8]:
    """The numbers of a TIFF as uint8 ``[H, W, 3]``, by the same rule as other deep pictures."""
    colors = samples.colors
    if colors.dtype != np.uint8:
        known = colors if samples.missing is None else colors[~samples.missing]
        colors = _scale(colors, *_limits([known]))
    if samples.missing is not None:
        colors[samples.missing] = 0
    pixels = np.repeat(colors, 3, axis=2) if colors.shape[2] == 1 else colors
    if samples.profile and colors.shape[2] == 3:
        stored = Image.fromarray(pixels)
        stored.info["icc_profile"] = samples.profile
        pixels = _opaque(stored)
    if samples.alpha is None:
        return np.ascontiguousarray(pixels)
    top = np.iinfo(samples.alpha.dtype).max if samples.alpha.dtype.kind in "iu" else 1
    alpha = np.rint(np.clip(samples.alpha / top, 0, 1) * 255).astype(np.uint8)
    return _on_white(pixels, alpha)


def _joined(upper: Image.Image, lower: Image.Image) -> NDArray[np.uint16]:
    deep = np.asarray(upper).astype(np.uint16)
    deep <<= 8
    deep |= np.asarray(lower)
    return deep


def _deep_channels(image: Image.Image) -> tuple[Image.Image, Image.Image] | None:
    """16-bit RGB(A) as its upper and its lower bytes; Pillow alone would keep the upper ones.

    The same tiles are read twice, once for each byte of every channel.
    """
    rawmodes = {_rawmode(tile) for tile in getattr(image, "tile", ())}
    if len(rawmodes) != 1:
        return None
    rawmode = rawmodes.pop() or ""
    other = _OTHER_BYTE.get(rawmode)
    if other is None:
        return None
    opened: Any = image
    position = opened.fp.tell()
    low: Any = Image.open(io.BytesIO(opened.fp.getvalue()), formats=[opened.format])
    low.tile = [_with_rawmode(tile, other) for tile in low.tile]
    opened.fp.seek(position)
    opened.load()
    low.load()
    return opened, low


def _deep_gray_alpha(image: Image.Image) -> NDArray[np.uint8] | None:
    """16-bit gray with alpha: its four bytes a pixel are read as if they were RGBA."""
    opened: Any = image
    if {_rawmode(tile) for tile in getattr(image, "tile", ())} != {"LA;16B"}:
        return None
    opened.tile = [_with_rawmode(tile, "RGBA") for tile in opened.tile]
    opened._mode = "RGBA"
    opened.load()
    parts = np.asarray(opened)
    gray = parts[..., 0].astype(np.uint16) << 8 | parts[..., 1]
    scaled = _scale(gray, *_limits([gray]))
    return _on_white(np.repeat(scaled[..., None], 3, axis=2), parts[..., 2])


def _rawmode(tile: Any) -> str | None:
    args = tile[3]
    if isinstance(args, str):
        return args
    return args[0] if isinstance(args, tuple) and args and isinstance(args[0], str) else None


def _with_rawmode(tile: Any, rawmode: str) -> Any:
    args = tile[3]
    return tile._replace(args=rawmode if isinstance(args, str) else (rawmode, *args[1:]))


def _limits(parts: Iterable[NDArray[Any]]) -> tuple[float, float]:
    """The range of the finite numbers of all parts, as float32 has them; 0 and -1 if none is.

    It is from the least to the greatest, unless a few stray far from all others: a hot pixel must
    not swallow the range. They count as far beyond :data:`_FAR` times the range of the others.
    """
    found, some = [], []
    for part in parts:
        numbers = part.astype(np.float32)
        finite = numbers[np.isfinite(numbers)]
        if finite.size:
            found.append((float(finite.min()), float(finite.max())))
            some.append(finite[:: max(1, finite.size // _SAMPLE)].copy())
    if not found:
        return 0.0, -1.0
    low, high = min(low for low, _ in found), max(high for _, high in found)
    least, most = (float(one) for one in np.quantile(np.concatenate(some), _USUAL))
    if most > least:
        low = least if least - low > _FAR * (most - least) else low
        high = most if high - most > _FAR * (most - least) else high
    return low, high


def _scale(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Stretch any numbers to 0 … 255 by their least and greatest; NaN counts as the least."""
    if high < low:
        return np.zeros(values.shape, np.uint8)
    if high == low:
        return np.full(values.shape, 127, np.uint8)
    numbers = values.astype(np.float32)
    numbers[~np.isfinite(numbers)] = low
    np.clip(numbers, low, high, out=numbers)
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


def _lab_to_srgb(image: Image.Image) -> NDArray[np.uint8]:
    transform = ImageCms.buildTransform(
        ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB"
    )
    converted = ImageCms.applyTransform(image, transform)
    return np.asarray(converted if converted is not None else image.convert("L").convert("RGB"))
