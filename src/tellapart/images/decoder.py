"""Bytes to pixels: the one decoder and its policy.

Who does what: :func:`decode` opens the bytes with Pillow (:mod:`.opening`), reads the header, and
hands plain JPEGs to libjpeg-turbo (the same pixels, faster); :mod:`.netpbm` reads the bytes that
stand for one picture of an array; :mod:`.color` turns whatever mode came out into
8-bit RGB. Training, evaluation, prediction and serving all come through here and through
:mod:`.resizing`, so a picture is never seen in two ways.

Example:
    >>> picture = decode(Path("cat.jpg").read_bytes())  # doctest: +SKIP
    >>> resize(picture.pixels, 224).shape  # doctest: +SKIP
    (224, 224, 3)
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

import numpy as np
import PIL
import simplejpeg
from numpy.typing import NDArray
from PIL import ExifTags, Image

from tellapart.core.errors import PictureError
from tellapart.images import color, netpbm, tiff
from tellapart.images.opening import (
    MAX_PIXELS,
    broken,
    check_sides,
    check_size,
    first_frame,
    open_picture,
)
from tellapart.images.resizing import RESIZER, RGB

MAX_FRAMES_COUNTED = 1_000

DECODER = f"2-{RESIZER}-pillow{PIL.__version__}-simplejpeg{simplejpeg.__version__}"
"""Changes whenever the same bytes might give other pixels; part of every cache key and run."""

POLICY: tuple[str, ...] = (
    "Pictures are turned upright as their EXIF orientation says.",
    "Transparent areas become white (palette images too).",
    "CMYK, LAB, YCbCr and pictures with a color profile are converted to sRGB.",
    "Pictures with more than 8 bits per channel are scaled by their own range, stray pixels aside.",
    "Only the first frame of an animation, or the first page, is used.",
    "Gray pictures get three equal channels.",
    f"Pictures of more than {MAX_PIXELS // 1_000_000} million pixels are refused unread.",
    "The whole picture is decoded, then resized with an antialiased bicubic filter.",
)

_CALLED = {"MPO": "JPEG", "DIB": "BMP", "HEIF": "HEIC", "PPM": "PNM"}
_END = b"\xff\xd9"  # of a JPEG
# How the eight EXIF orientations undo: (transpose, flip vertically, flip horizontally).
_UPRIGHT = {
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


@dataclass(frozen=True, slots=True)
class Picture:
    """One decoded picture and what its header said.

    Attributes:
        pixels: uint8 ``[H, W, 3]``, RGB, upright.
        format: ``"JPEG"``, ``"PNG"``, … by content, not by the file's ending.
        mode: Pillow's name of the stored mode, such as ``"RGB"``, ``"P"`` or ``"I;16"``.
        bits: Bits per channel as stored.
        frames: Frames of an animation or pages; counted up to 1,000.
        orientation: The EXIF orientation that was applied, 1 to 8.
        alpha: Whether it had transparency.
        gray: Whether the three channels are equal everywhere.
        cmyk: Whether it was stored as CMYK.
        note: A decoder's warning on a picture that is whole all the same, or empty.
    """

    pixels: RGB
    format: str
    mode: str
    bits: int
    frames: int
    orientation: int
    alpha: bool
    gray: bool
    cmyk: bool
    note: str = ""

    @property
    def width(self) -> int:
        """Width in pixels, upright."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Height in pixels, upright."""
        return int(self.pixels.shape[0])


def decode(data: bytes, *, most: int = MAX_PIXELS) -> Picture:
    """Decode one picture to upright 8-bit RGB.

    Args:
        data: The file's bytes, in any of the formats of :data:`POLICY`'s page.
        most: Pictures of more pixels are refused before they are decoded.

    Returns:
        The picture; its pixels are uint8 ``[H, W, 3]``.

    Raises:
        PictureError: With the code ``empty``, ``not_a_picture``, ``unsupported``,
            ``too_large``, ``cut_off`` or ``undecodable``.
    """
    if not data:
        raise PictureError("The file is empty.", code="empty")
    most = min(most, MAX_PIXELS)
    if (plain := netpbm.pixels(data, most=most)) is not None:
        check_sides(plain.shape[1], plain.shape[0])
        return _plain(plain)
    if (samples := tiff.samples(data, most=most)) is not None:
        return _of_samples(samples)
    with open_picture(data) as image:
        kind = _CALLED.get(image.format or "", image.format or "")
        check_size(image, data, kind, most)
        stored = image.mode
        frames = _count_frames(image)
        pixels, bits, alpha, warning = _pixels(image, data, kind)
        if kind == "WEBP" and frames > 1 and (place := first_frame(data)) is not None:
            pixels, alpha = _on_canvas(pixels, place), True
        orientation, note = _orientation(image)  # last: a PNG's EXIF may follow its pixels
    if orientation != 1:
        pixels = _upright(pixels, orientation)
    return Picture(
        pixels=pixels,
        format=kind,
        mode=stored,
        bits=bits,
        frames=frames,
        orientation=orientation,
        alpha=alpha,
        gray=_is_gray(pixels),
        cmyk=stored == "CMYK",
        note=warning or note,
    )


def _on_canvas(pixels: RGB, place: tuple[slice, slice]) -> RGB:
    """The first frame of an animation on a white canvas: what it does not cover is transparent."""
    canvas = np.full_like(pixels, 255)
    canvas[place] = pixels[place]
    return canvas


def from_image(image: Image.Image) -> RGB:
    """The pixels of a picture object, by the same policy as a file's.

    Args:
        image: Any image of Pillow's, in any mode; it may be loaded by this, and is not changed.

    Returns:
        uint8 ``[H, W, 3]``, RGB, upright. More than 8 bits a channel are there only if Pillow
        kept them: of 16-bit color files it keeps half, so hand over their path or bytes.

    Raises:
        PictureError: As :func:`decode`.
    """
    check_size(image, b"", "", MAX_PIXELS)
    try:
        held = image.copy()  # a TIFF turns itself upright when it is loaded
        pixels, _, _ = color.to_rgb(held)
        orientation, _ = _orientation(held)
    except MemoryError:
        raise PictureError(
            "There is not enough memory to decode it now.", code="unreadable"
        ) from None
    except Exception as error:  # decoders raise what they like on broken bytes
        raise broken(b"", str(error)) from None
    return _upright(pixels, orientation) if orientation != 1 else pixels


def _plain(pixels: NDArray[np.uint8]) -> Picture:
    """The picture of a Netpbm file's uint8 ``[H, W, 1]`` or ``[H, W, 3]``."""
    gray = pixels.shape[2] == 1
    return Picture(
        pixels=np.repeat(pixels, 3, axis=2) if gray else pixels,
        format="PNM",
        mode="L" if gray else "RGB",
        bits=8,
        frames=1,
        orientation=1,
        alpha=False,
        gray=gray or _is_gray(pixels),
        cmyk=False,
    )


def _of_samples(samples: tiff.Samples) -> Picture:
    pixels = color.from_samples(samples)
    if samples.orientation != 1:
        pixels = _upright(pixels, samples.orientation)
    return Picture(
        pixels=pixels,
        format="TIFF",
        mode=samples.mode,
        bits=samples.bits,
        frames=min(samples.frames, MAX_FRAMES_COUNTED),
        orientation=samples.orientation,
        alpha=samples.alpha is not None,
        gray=_is_gray(pixels),
        cmyk=False,
    )


def header_size(data: bytes) -> tuple[int, int]:
    """Width and height as the file's header says them; nothing is decoded.

    Raises:
        PictureError: If it is no picture.
    """
    if (plain := netpbm.pixels(data, most=MAX_PIXELS)) is not None:
        return plain.shape[1], plain.shape[0]
    with open_picture(data) as image:
        return image.size


def _orientation(image: Image.Image) -> tuple[int, str]:
    """EXIF orientation 1 to 8, and a note where the EXIF block cannot be read."""
    if image.format == "JPEG" and not {"exif", "xmp"} & image.info.keys():
        return 1, ""  # nothing to parse: the case of most photographs from the web
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # EXIF is parsed from hostile bytes; the picture may still be fine
        return 1, "its EXIF block cannot be read"
    return (value, "") if isinstance(value, int) and value in range(1, 9) else (1, "")


def _count_frames(image: Image.Image) -> int:
    if not getattr(image, "is_animated", False):
        return 1
    return min(int(getattr(image, "n_frames", 1)), MAX_FRAMES_COUNTED)


def _pixels(image: Image.Image, data: bytes, kind: str) -> tuple[RGB, int, bool, str]:
    """Pixels uint8 [H, W, 3], bits a channel, whether there was alpha, a decoder's warning."""
    warning = ""
    if kind == "JPEG" and image.mode in ("RGB", "L") and not color.needs_profile(image):
        try:
            return simplejpeg.decode_jpeg(data, colorspace="RGB", strict=True), 8, False, ""
        except (ValueError, RuntimeError) as error:
            warning = str(error)[:200]  # Pillow, below, decides whether the picture is whole
            if not data.endswith(_END):  # cameras that lose power leave the last two bytes out
                with contextlib.suppress(ValueError, RuntimeError):
                    whole = simplejpeg.decode_jpeg(data + _END, colorspace="RGB", strict=True)
                    return whole, 8, False, "its end mark is missing"
    rgb, bits, alpha = color.to_rgb(image)
    return rgb, bits, alpha, warning


def _upright(pixels: RGB, orientation: int) -> RGB:
    transpose, vertical, horizontal = _UPRIGHT[orientation]
    if transpose:
        pixels = pixels.transpose(1, 0, 2)
    if vertical:
        pixels = pixels[::-1]
    if horizontal:
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def _is_gray(pixels: RGB) -> bool:
    for part in (pixels[::16, ::16], pixels):  # the coarse look settles most color pictures
        red, green, blue = part[..., 0], part[..., 1], part[..., 2]
        if not (np.array_equal(red, green) and np.array_equal(green, blue)):
            return False
    return True
