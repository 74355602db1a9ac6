"""What single pictures say: damage, odd formats, odd sizes, dark, bright, blurred, blank.

Every check is a condition on the scan's columns. Where "odd" depends on the data (a white
background is normal for drawings, darkness for the night sky), a picture must be beyond an
absolute limit *and* far from the data's own median, in robust deviations (1.4826 times the
median absolute deviation; F. R. Hampel, 1974, "The influence curve and its role in robust
estimation"). The limits were set by looking at flagged photographs:
docs/decisions/0021-limits-of-the-facts.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import polars as pl

from tellapart.audit.findings import Finding, Level
from tellapart.core.text import agree, counted

DARK, DARK_DEVIATIONS = 40.0, 2.5
BRIGHT, BRIGHT_DEVIATIONS = 215.0, 3.0
BLURRED, BLURRED_DEVIATIONS = 50.0, 3.0
BLANK = 6.0
TINY_SIDE = 32
SMALL_RATIO = 8
LARGE_SIDE = 2_000
LARGE_RATIO = 8
LONG_SHAPE = 3.0
SHAPE_RATIO = 2.5

_ENDINGS: dict[str, tuple[str, ...]] = {
    "JPEG": ("jpg", "jpeg", "jpe", "jfif", "jif", "mpo"),
    "PNG": ("png", "apng"),
    "WEBP": ("webp",),
    "GIF": ("gif",),
    "BMP": ("bmp", "dib"),
    "TIFF": ("tif", "tiff"),
    "AVIF": ("avif", "avifs"),
    "HEIC": ("heic", "heif", "hif", "heics", "heifs"),
}


class _Damage(NamedTuple):
    one: str
    many: str
    remedy: str


_DAMAGES: dict[str, _Damage] = {
    "unreadable": _Damage(
        "1 file cannot be read. It is left out.",
        "{n} files cannot be read. They are left out.",
        "Check that the files are there and that you may read them.",
    ),
    "empty": _Damage(
        "1 file is empty. It is left out.",
        "{n} files are empty. They are left out.",
        "Copy them anew from where they came, or delete them.",
    ),
    "not_a_picture": _Damage(
        "1 file is not a picture. It is left out.",
        "{n} files are not pictures. They are left out.",
        "Remove what is not a picture, or replace it with the picture it should be.",
    ),
    "unsupported": _Damage(
        "1 picture is of a kind that cannot be read here. It is left out.",
        "{n} pictures are of kinds that cannot be read here. They are left out.",
        "Convert them to JPEG or PNG; for HEIC install the extra: pip install 'tellapart[heic]'.",
    ),
    "cut_off": _Damage(
        "1 picture is cut off: its end is missing. It is left out.",
        "{n} pictures are cut off: their ends are missing. They are left out.",
        "Copy them anew from where they came.",
    ),
    "undecodable": _Damage(
        "1 picture is damaged and cannot be decoded. It is left out.",
        "{n} pictures are damaged and cannot be decoded. They are left out.",
        "Copy them anew from where they came, or delete them.",
    ),
    "too_large": _Damage(
        "1 picture is larger than 100 million pixels or 256 MiB. It is left out unread.",
        "{n} pictures are larger than 100 million pixels or 256 MiB. They are left out unread.",
        "Make smaller versions of them.",
    ),
}


def damage_findings(frame: pl.DataFrame) -> Iterator[Finding]:
    """Pictures that cannot be decoded, one finding a reason."""
    paths = dict(frame.filter(pl.col("error").is_not_null()).group_by("error").agg("path").rows())
    for code, damage in _DAMAGES.items():
        found = paths.pop(code, [])
        if found:
            sentence = damage.one if len(found) == 1 else damage.many.format(n=f"{len(found):,}")
            yield Finding(code, "error", len(found), sentence, damage.remedy, tuple(found))
    for code, found in sorted(paths.items()):  # a code newer than this table
        sentence = f"{counted(len(found), 'file')} cannot be decoded ({code}) and left out."
        yield Finding(code, "error", len(found), sentence, "", tuple(found))


def format_findings(frame: pl.DataFrame) -> Iterator[Finding]:
    """Oddities of files that decode, and what reading them did about it."""
    whole = frame.filter(pl.col("error").is_null())
    ending = pl.col("path").str.extract(r"\.([A-Za-z0-9]+)$").str.to_lowercase()
    # An ending that names no format, such as scan.2024.03, promises nothing.
    known = pl.col("format").is_in(list(_ENDINGS)) & ending.is_in(sum(_ENDINGS.values(), ()))
    fits = pl.any_horizontal(
        (pl.col("format") == name) & ending.is_in(endings) for name, endings in _ENDINGS.items()
    )
    yield from _flag(
        whole,
        known & ~fits,
        "wrong_ending",
        "note",
        "has an ending that does not fit its content, such as a PNG called .jpg. It is read by "
        "its content.",
        "have endings that do not fit their content, such as a PNG called .jpg. They are read "
        "by their content.",
        "Nothing needs to be done here; other software may stumble.",
    )
    yield from _flag(
        whole,
        pl.col("note").is_not_null() & (pl.col("note") != ""),
        "decoder_warning",
        "note",
        "is whole, but its file is not quite in order: the decoder warned. It is kept.",
        "are whole, but their files are not quite in order: the decoder warned. They are kept.",
        "Look at the examples; if they look right, nothing needs to be done.",
    )
    yield from _flag(
        whole,
        pl.col("orientation") > 1,
        "exif_rotated",
        "note",
        "is stored turned, with an EXIF mark that says so. It is turned upright.",
        "are stored turned, with an EXIF mark that says so. They are turned upright.",
        "Nothing needs to be done here; software that ignores EXIF sees them lying on a side.",
    )
    yield from _flag(
        whole,
        pl.col("alpha"),
        "alpha",
        "note",
        "has transparency. It is laid on white.",
        "have transparency. They are laid on white.",
        "If white hides the subject, lay them on another color before.",
    )
    yield from _flag(
        whole,
        pl.col("cmyk"),
        "cmyk",
        "note",
        "is stored in CMYK, for printing. It is converted to sRGB.",
        "are stored in CMYK, for printing. They are converted to sRGB.",
        "Nothing needs to be done; colors may differ a little from print software.",
    )
    yield from _flag(
        whole,
        pl.col("bits") > 8,
        "deep",
        "note",
        "has more than 8 bits a channel. It is scaled by its own minimum and maximum.",
        "have more than 8 bits a channel. Each is scaled by its own minimum and maximum.",
        "If absolute brightness matters, convert them to 8 bits with one scale for all.",
    )
    yield from _flag(
        whole,
        pl.col("frames") > 1,
        "several_frames",
        "note",
        "has several frames or pages. Only the first is used.",
        "have several frames or pages. Only the first of each is used.",
        "If the others matter, save them as pictures of their own.",
    )
    yield from _gray_findings(whole)


def _gray_findings(whole: pl.DataFrame) -> Iterator[Finding]:
    """Gray pictures among colored ones, or the other way round: whatever is rarer."""
    gray = int(whole["gray"].sum() or 0)
    color = whole.height - gray
    if gray and color:
        rare = gray <= color
        yield from _flag(
            whole,
            pl.col("gray") if rare else ~pl.col("gray"),
            "gray_among_color" if rare else "color_among_gray",
            "note",
            f"is {'gray' if rare else 'colored'} among {'colored' if rare else 'gray'} ones.",
            f"are {'gray' if rare else 'colored'} among {'colored' if rare else 'gray'} ones.",
            "Make sure that it does not go with the class, or a model may learn just that.",
        )


def size_findings(frame: pl.DataFrame) -> Iterator[Finding]:
    """Extreme sizes and shapes, against the data's own medians."""
    whole = frame.filter(pl.col("error").is_null())
    if not whole.height:
        return
    short = pl.min_horizontal("width", "height")
    long = pl.max_horizontal("width", "height")
    shape = pl.col("width") / pl.col("height")
    middle = whole.select(short.median().alias("short"), long.median().alias("long")).row(0)
    typical = float(whole.select(shape.log().median().exp()).item())
    yield from _flag(
        whole,
        (short < middle[0])
        & (short * 2 <= middle[0])
        & ((short < TINY_SIDE) | (short * SMALL_RATIO < middle[0])),
        "very_small",
        "warning",
        "is very small beside the others: it will be enlarged and blurred.",
        "are very small beside the others: they will be enlarged and blurred.",
        "Look at them: thumbnails and icons are often there by mistake.",
    )
    yield from _flag(
        whole,
        (long >= LARGE_SIDE) & (long > LARGE_RATIO * middle[1]),
        "very_large",
        "note",
        "is very large beside the others. It is made smaller, so small details are lost.",
        "are very large beside the others. They are made smaller, so small details are lost.",
        "If the subject is a small part of them, crop them.",
    )
    relative = pl.max_horizontal(shape / typical, typical / shape)
    yield from _flag(
        whole,
        (pl.max_horizontal(shape, 1 / shape) > LONG_SHAPE) & (relative > SHAPE_RATIO),
        "extreme_shape",
        "warning",
        "is very long or very tall beside the others: made square, it is much distorted.",
        "are very long or very tall beside the others: made square, they are much distorted.",
        "Crop them to the subject, or train with --fit pad.",
    )


def light_findings(frame: pl.DataFrame) -> Iterator[Finding]:
    """Dark, bright, blurred and blank pictures."""
    whole = frame.filter(pl.col("error").is_null())
    blank = pl.col("contrast") < BLANK
    yield from _flag(
        whole,
        blank,
        "blank",
        "warning",
        "is nearly blank: one even color, with hardly anything to see.",
        "are nearly blank: one even color, with hardly anything to see.",
        "Look at them, and exclude those that show nothing in the corrections file.",
    )
    whole = whole.filter(~blank)
    brightness, sharpness = pl.col("brightness"), pl.col("sharpness")
    yield from _flag(
        whole,
        (brightness < DARK) & (_deviations(brightness, 8.0) < -DARK_DEVIATIONS),
        "dark",
        "warning",
        "is very dark.",
        "are very dark.",
        "Look at them: can you tell the class yourself?",
    )
    yield from _flag(
        whole,
        (brightness > BRIGHT) & (_deviations(brightness, 8.0) > BRIGHT_DEVIATIONS),
        "bright",
        "warning",
        "is very bright: overexposed, or a drawing or text on white.",
        "are very bright: overexposed, or drawings or text on white.",
        "Look at them: are they what the class means?",
    )
    # Sharpness spreads over orders of magnitude, so its logarithm is compared.
    yield from _flag(
        whole,
        (sharpness < BLURRED) & (_deviations((sharpness + 0.1).log(), 0.25) < -BLURRED_DEVIATIONS),
        "blurred",
        "warning",
        "is blurred, or enlarged from a very small one.",
        "are blurred, or enlarged from very small ones.",
        "Look at them: can you tell the class yourself?",
    )


def _deviations(value: pl.Expr, least: float) -> pl.Expr:
    """How many robust deviations a value is above the median; ``least`` is the smallest one."""
    spread = (value - value.median()).abs().median() * 1.4826
    return (value - value.median()) / pl.max_horizontal(spread, pl.lit(least))


def _flag(
    frame: pl.DataFrame,
    condition: pl.Expr,
    code: str,
    level: Level,
    one: str,
    many: str,
    remedy: str,
) -> Iterator[Finding]:
    """A finding about the pictures for which the condition holds, if there are any."""
    paths = tuple(frame.filter(condition.fill_null(False))["path"])
    if paths:
        n = len(paths)
        sentence = f"{counted(n, 'picture')} {agree(n, one, many)}"
        yield Finding(code, level, n, sentence, remedy, paths)
