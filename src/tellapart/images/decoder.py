"""Bytes to pixels: the one decoder, its policy, and the one resize.

Who does what: :func:`decode` opens the bytes with Pillow, reads the header, and hands plain
JPEGs to libjpeg-turbo (the same pixels, faster); :mod:`.netpbm` reads the bytes that
stand for one picture of an array; :mod:`.color` turns whatever mode came out into
8-bit RGB; :func:`resize` brings it to a square. Training, evaluation, prediction and serving all
come through here, so a picture is never seen in two ways.

Example:
    >>> picture = decode(Path("cat.jpg").read_bytes())  # doctest: +SKIP
    >>> resize(picture.pixels, 224).shape  # doctest: +SKIP
    (224, 224, 3)
"""

from __future__ import annotations

import contextlib
import io
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

import numpy as np
import PIL
import simplejpeg
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from tellapart.core.errors import PictureError
from tellapart.images import color, netpbm

try:
    import cykooz_resizer as fir
except ImportError:  # no wheel for this platform: Pillow's own resize, the reference
    fir = None

Fit = Literal["squash", "crop", "pad"]
FITS: tuple[Fit, ...] = get_args(Fit)
Filter = Literal["bicubic", "bilinear"]
RGB = NDArray[np.uint8]  # [H, W, 3]

MAX_PIXELS = 100_000_000
"""Pictures that claim more are refused before a pixel is decoded."""
MAX_SIDE = 1_000_000
"""Pictures that claim a longer side are refused: a resize needs 40 bytes a pixel along it."""
MAX_SCANS = 200
"""Progressive JPEGs with more scans are refused: each scan costs a pass over the picture."""
MAX_FRAMES_COUNTED = 1_000
PAD_VALUE = 127  # mid-gray: what the networks' normalization maps to zero

_MOST_BETWEEN = 1 << 26  # pixels between the two passes of a resize

RESIZER = "pillow" if fir is None else "fir"
DECODER = f"1-{RESIZER}-pillow{PIL.__version__}-simplejpeg{simplejpeg.__version__}"
"""Changes whenever the same bytes might give other pixels; part of every cache key and run."""

POLICY: tuple[str, ...] = (
    "EXIF orientation is applied.",
    "Transparency, also of palettes, is laid on white.",
    "CMYK, LAB, YCbCr and pictures with a color profile are converted to sRGB.",
    "More than 8 bits a channel are scaled by the picture's own minimum and maximum.",
    "The first frame of an animation, or the first page, is used.",
    "Gray pictures get three equal channels.",
    f"Pictures of more than {MAX_PIXELS // 1_000_000} million pixels are refused unread.",
    "The whole picture is decoded, then resized with an antialiased bicubic filter.",
)

_PILLOW_FILTERS: dict[Filter, Image.Resampling] = {
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
}
_FORMATS = ["JPEG", "PNG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "AVIF"]
_CALLED = {"MPO": "JPEG", "DIB": "BMP", "HEIF": "HEIC"}
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
_MAGICS = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"RIFF")
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

# Pillow's own limit would warn on standard error; ours (MAX_PIXELS) raises instead.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


@dataclass(frozen=True, slots=True)
class Picture:
    """One decoded picture and what its header said.

    Attributes:
        pixels: uint8 ``[H, W, 3]``, RGB, upright.
        format: ``"JPEG"``, ``"PNG"``, … by content, not by the file's ending.
        mode: Pillow's name of the stored mode, such as ``"RGB"``, ``"P"`` or ``"I;16"``.
        bits: Bits a channel as stored.
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
        _check_sides(plain.shape[1], plain.shape[0])
        return _plain(plain)
    with _open(data) as image:
        kind = _CALLED.get(image.format or "", image.format or "")
        _check_size(image, data, kind, most)
        stored = image.mode
        frames = _count_frames(image)
        pixels, bits, alpha, warning = _pixels(image, data, kind)
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
    _check_size(image, b"", "", MAX_PIXELS)
    try:
        held = image.copy()  # a TIFF turns itself upright when it is loaded
        pixels, _, _ = color.to_rgb(held)
        orientation, _ = _orientation(held)
    except MemoryError:
        raise PictureError("Not enough memory to decode it now.", code="unreadable") from None
    except Exception as error:  # decoders raise what they like on broken bytes
        raise _broken(b"", str(error)) from None
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


def resize(pixels: RGB, size: int, fit: Fit = "squash") -> RGB:
    """Bring a picture to a square with an antialiased bicubic filter (Keys, a = -0.5).

    The filter and its fixed-point arithmetic follow Pillow's ``BICUBIC``; the faster
    implementation differs from it by about 0.14 of a level on average.

    Args:
        pixels: uint8 ``[H, W, 3]``.
        size: Side of the square, in pixels.
        fit: ``"squash"`` ignores the aspect ratio, ``"crop"`` takes the middle square,
            ``"pad"`` keeps everything and fills the rest with mid-gray.

    Returns:
        uint8 ``[size, size, 3]``.
    """
    height, width = pixels.shape[:2]
    if fit == "squash":
        return stretch(pixels, size, size)
    if fit == "crop":
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        return stretch(pixels[top : top + side, left : left + side], size, size)
    scale = size / max(height, width)
    inner_height, inner_width = (max(1, round(side * scale)) for side in (height, width))
    square = np.full((size, size, 3), PAD_VALUE, np.uint8)
    top, left = (size - inner_height) // 2, (size - inner_width) // 2
    square[top : top + inner_height, left : left + inner_width] = stretch(
        pixels, inner_width, inner_height
    )
    return square


def stretch(
    pixels: NDArray[np.uint8], width: int, height: int, filter: Filter = "bicubic"
) -> NDArray[np.uint8]:
    """Resize uint8 ``[H, W, 3]`` or ``[H, W]`` to ``height`` x ``width``, antialiased."""
    if pixels.shape[:2] == (height, width):
        return np.ascontiguousarray(pixels)
    if fir is None:
        image = Image.fromarray(np.ascontiguousarray(pixels))
        return np.asarray(image.resize((width, height), _PILLOW_FILTERS[filter]))
    rows, columns = pixels.shape[:2]
    if columns * height > max(_MOST_BETWEEN, columns * rows):
        # It goes through the rows first, and a row of a million pixels would become 600 MB there.
        pixels = stretch(pixels, width, rows, filter)
    kind = fir.PixelType.U8x3 if pixels.ndim == 3 else fir.PixelType.U8
    source = fir.ImageData(pixels.shape[1], pixels.shape[0], kind, pixels.tobytes())
    target = fir.ImageData(width, height, kind)
    resizer, options = _resizer()
    resizer.resize(source, target, options[filter])
    return np.frombuffer(target.get_buffer(), np.uint8).reshape(height, width, *pixels.shape[2:])


def header_size(data: bytes) -> tuple[int, int]:
    """Width and height as the file's header says them; nothing is decoded.

    Raises:
        PictureError: If it is no picture.
    """
    if (plain := netpbm.pixels(data, most=MAX_PIXELS)) is not None:
        return plain.shape[1], plain.shape[0]
    with _open(data) as image:
        return image.size


def luma(rgb: RGB) -> NDArray[np.uint8]:
    """Rec. 601 luma of uint8 ``[H, W, 3]`` as uint8 ``[H, W]``, exact on gray.

    Pillow's integers: ``(19595 R + 38470 G + 7471 B + 32768) >> 16``; the weights sum to
    65536, so ``luma([v, v, v]) == v``.
    """
    return np.asarray(luma_image(rgb))


def luma_image(rgb: RGB) -> Image.Image:
    """:func:`luma` as an image of Pillow's, for what Pillow counts quicker than NumPy."""
    return Image.fromarray(np.ascontiguousarray(rgb)).convert("L")


_local = threading.local()


def _resizer() -> tuple[Any, dict[Filter, Any]]:
    """One resizer a thread: it keeps a scratch buffer between calls."""
    if not hasattr(_local, "resizer"):
        kinds = {"bicubic": fir.FilterType.catmull_rom, "bilinear": fir.FilterType.bilinear}
        options = {
            name: fir.ResizeOptions(resize_alg=fir.ResizeAlg.convolution(kind))
            for name, kind in kinds.items()
        }
        _local.resizer = (fir.Resizer(), options)
    return cast(tuple[Any, dict[Filter, Any]], _local.resizer)


@contextlib.contextmanager
def _open(data: bytes) -> Iterator[Image.Image]:
    """Open with Pillow, turning everything a decoder may raise into a PictureError."""
    try:
        with Image.open(io.BytesIO(data), formats=_formats()) as image:
            yield image
    except PictureError:
        raise
    except UnidentifiedImageError:
        raise _unidentified(data) from None
    except Image.DecompressionBombError:
        raise _too_large("The picture") from None
    except MemoryError:
        raise PictureError("Not enough memory to decode it now.", code="unreadable") from None
    except Exception as error:  # decoders raise what they like on broken bytes
        raise _broken(data, str(error)) from None


def _formats() -> list[str]:
    return [*_FORMATS, "HEIF"] if "HEIF" in Image.OPEN or _register_heif() else _FORMATS


def _register_heif() -> bool:
    """Teach Pillow HEIC where the extra ``heic`` is installed; looked up once."""
    if not hasattr(_register_heif, "found"):
        try:
            import pi_heif

            pi_heif.register_heif_opener()
            found = True
        except ImportError:
            found = False
        _register_heif.found = found  # type: ignore[attr-defined]
    return bool(_register_heif.found)  # type: ignore[attr-defined]


def _unidentified(data: bytes) -> PictureError:
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS:
        if _register_heif():
            return _broken(data, "its header is damaged")
        return PictureError(
            "HEIC pictures need an extra package.",
            remedy="Install it with: pip install 'tellapart[heic]'",
            code="unsupported",
        )
    if data.startswith(_MAGICS) or data[4:12] == b"ftypavif":
        return _broken(data, "its header is damaged")
    return PictureError("The content is not a picture in a known format.", code="not_a_picture")


def _broken(data: bytes, reason: str) -> PictureError:
    lowered = reason.lower()
    short = any(word in lowered for word in ("truncated", "premature", "end of file", "eof"))
    if data[:4] == b"RIFF" and int.from_bytes(data[4:8], "little") + 8 > len(data):
        short = True
    if short:
        return PictureError("The file is cut off: part of the picture is missing.", code="cut_off")
    return PictureError(f"The picture cannot be decoded ({reason[:200]}).", code="undecodable")


def _too_large(what: str, most: int = MAX_PIXELS) -> PictureError:
    return PictureError(f"{what} has more than {most / 1e6:g} million pixels.", code="too_large")


def _check_size(image: Image.Image, data: bytes, kind: str, most: int) -> None:
    width, height = image.size
    if width * height > most:
        raise _too_large(f"A picture that claims {width:,} x {height:,}", most)
    if width < 1 or height < 1:
        raise PictureError("The picture has no pixels.", code="undecodable")
    _check_sides(width, height)
    if kind == "JPEG" and data.count(b"\xff\xda") > MAX_SCANS:
        raise PictureError("A JPEG with too many scans to be an honest one.", code="undecodable")


def _check_sides(width: int, height: int) -> None:
    if max(width, height) > MAX_SIDE:
        raise PictureError(
            f"A picture of {width:,} x {height:,} is too long to be an honest one.",
            code="undecodable",
        )


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
