"""Opening a picture's bytes: which formats, how large, and what every failure is called."""

from __future__ import annotations

import contextlib
import io
import re
import warnings
from collections.abc import Iterator

from PIL import Image, UnidentifiedImageError

from tellapart.core.errors import PictureError

MAX_PIXELS = 100_000_000
"""Pictures that claim more are refused before a pixel is decoded."""
MAX_SIDE = 1_000_000
"""Pictures that claim a longer side are refused: a resize needs 40 bytes a pixel along it."""
MAX_SCANS = 200
"""Progressive JPEGs with more scans are refused: each scan costs a pass over the picture."""

_FORMATS = ["JPEG", "PNG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "AVIF", "PPM"]
_MARKER = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]")  # not a byte of pixels, nor a restart
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SCAN, _END_OF_IMAGE, _ALONE = 0xDA, 0xD9, frozenset([0xD8, 0x01])
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
_MAGICS = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"RIFF")

_OTHER_FORMATS = (
    ("JPEG 2000", b"\0\0\0\x0cjP  ", 0), ("JPEG 2000", b"\xff\x4f\xff\x51", 0),
    ("JPEG XL", b"\xff\x0a", 0), ("JPEG XL", b"\0\0\0\x0cJXL ", 0), ("DICOM", b"DICM", 128),
    ("FITS", b"SIMPLE  =", 0), ("Photoshop", b"8BPS", 0), ("OpenEXR", b"v/1\x01", 0),
    ("Icon", b"\0\0\1\0", 0), ("PAM", b"P7\n", 0),
)  # fmt: skip
"""Pictures that are none of ours, so that they are called by their names: name, bytes, where."""

# Pillow's own limit would warn on standard error; ours (MAX_PIXELS) raises instead.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


@contextlib.contextmanager
def open_picture(data: bytes) -> Iterator[Image.Image]:
    """Open with Pillow, turning everything a decoder may raise into a PictureError."""
    try:
        with Image.open(io.BytesIO(data), formats=_formats()) as image:
            yield image
    except PictureError:
        raise
    except UnidentifiedImageError:
        raise _unidentified(data) from None
    except Image.DecompressionBombError:
        raise too_large("The picture") from None
    except MemoryError:
        raise PictureError(
            "There is not enough memory to decode it now.", code="unreadable"
        ) from None
    except Exception as error:  # decoders raise what they like on broken bytes
        raise broken(data, str(error)) from None


def _formats() -> list[str]:
    return [*_FORMATS, "HEIF"] if "HEIF" in Image.OPEN or register_heif() else _FORMATS


def register_heif() -> bool:
    """Teach Pillow HEIC where the extra ``heic`` is installed; looked up once."""
    if not hasattr(register_heif, "found"):
        try:
            import pi_heif

            pi_heif.register_heif_opener()
            found = True
        except ImportError:
            found = False
        register_heif.found = found  # type: ignore[attr-defined]
    return bool(register_heif.found)  # type: ignore[attr-defined]


def _unidentified(data: bytes) -> PictureError:
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS:
        if register_heif():
            return broken(data, "its header is damaged")
        return PictureError(
            "HEIC pictures need an extra package.",
            remedy="Install it with: pip install 'tellapart[heic]'",
            code="unsupported",
        )
    if data.startswith(_MAGICS) or data[4:12] == b"ftypavif":
        return broken(data, "its header is damaged")
    for name, magic, at in _OTHER_FORMATS:
        if data[at : at + len(magic)] == magic:
            return PictureError(
                f"{name} files are not read.",
                remedy="Convert it to JPEG or PNG.",
                code="unsupported",
            )
    return PictureError("The content is not a picture in a known format.", code="not_a_picture")


def broken(data: bytes, reason: str) -> PictureError:
    """The error for bytes that a decoder refused: ``cut_off`` or ``undecodable``."""
    lowered = reason.lower()
    short = any(word in lowered for word in ("truncated", "premature", "end of file", "eof"))
    if data[:4] == b"RIFF" and int.from_bytes(data[4:8], "little") + 8 > len(data):
        short = True
    if data.startswith(b"\xff\xd8") and (bits := _jpeg_bits(data)) not in (0, 8):
        return PictureError(
            f"A JPEG with {bits} bits per channel cannot be read.",
            remedy="Convert it to PNG, or to a JPEG of 8 bits.",
            code="unsupported",
        )
    if short:
        return PictureError("The file is cut off: part of the picture is missing.", code="cut_off")
    return PictureError(f"The picture cannot be decoded ({reason[:200]}).", code="undecodable")


def first_frame(data: bytes) -> tuple[slice, slice] | None:
    """Rows and columns that an animated WebP's first frame covers; None if that is all.

    Format: RFC 9649, 2.7.1.1 (chunks VP8X and ANMF). Pillow leaves the rest black.
    """
    at = data.find(b"ANMF")
    if data[12:16] != b"VP8X" or at < 0 or at + 20 > len(data):
        return None
    width, height = (int.from_bytes(data[k : k + 3], "little") + 1 for k in (24, 27))
    left, top, wide, high = (
        int.from_bytes(data[at + k : at + k + 3], "little") for k in (8, 11, 14, 17)
    )
    rows, columns = slice(2 * top, 2 * top + high + 1), slice(2 * left, 2 * left + wide + 1)
    covers = rows.start == columns.start == 0 and rows.stop >= height and columns.stop >= width
    return None if covers else (rows, columns)


def _jpeg_bits(data: bytes) -> int:
    """The precision that a JPEG's frame header states; 0 if there is none."""
    at = 2
    while found := _MARKER.search(data, at):
        kind, at = data[found.end() - 1], found.end()
        if kind in _FRAMES:
            return data[at + 2] if at + 2 < len(data) else 0
        if kind in (_SCAN, _END_OF_IMAGE):
            return 0
        if kind not in _ALONE:
            at += int.from_bytes(data[at : at + 2], "big")
    return 0


def too_large(what: str, most: int = MAX_PIXELS) -> PictureError:
    """The error for a picture of more than ``most`` pixels."""
    return PictureError(f"{what} has more than {most / 1e6:g} million pixels.", code="too_large")


def check_size(image: Image.Image, data: bytes, kind: str, most: int) -> None:
    """Raise PictureError where a header claims too many pixels, none, or too many scans."""
    width, height = image.size
    if width * height > most:
        raise too_large(f"A picture that claims {width:,} x {height:,}", most)
    if width < 1 or height < 1:
        raise PictureError("The picture has no pixels.", code="undecodable")
    check_sides(width, height)
    if kind == "JPEG" and data.count(b"\xff\xda") > MAX_SCANS and _scans(data) > MAX_SCANS:
        raise PictureError(
            f"The JPEG has more than {MAX_SCANS} scans, as only an attack would.",
            code="undecodable",
        )


def _scans(data: bytes) -> int:
    """Scans of a JPEG up to its end: what follows it, such as a film, does not count."""
    count, at = 0, 2
    while count <= MAX_SCANS and (found := _MARKER.search(data, at)):
        kind, at = data[found.end() - 1], found.end()
        if kind == _END_OF_IMAGE:
            break
        if kind == _SCAN:
            count += 1
        if kind not in _ALONE:
            at += int.from_bytes(data[at : at + 2], "big")  # skip a segment, a thumbnail's too
    return count


def check_sides(width: int, height: int) -> None:
    """Raise PictureError where a side is longer than :data:`MAX_SIDE`."""
    if max(width, height) > MAX_SIDE:
        raise PictureError(
            f"The picture is {width:,} x {height:,}; no side may be over {MAX_SIDE:,} pixels.",
            code="undecodable",
        )
