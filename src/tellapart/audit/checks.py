"""Checks of single pictures, each declared once in :data:`CHECKS`: code, condition, wording.

A check is a condition on the columns of the scan (see :data:`tellapart.scanning.facts.FACTS`), so a
new one is one more entry in the table. Where "odd" depends on the data (a white background is
normal for drawings, darkness for the night sky), a picture must be beyond a fixed limit *and* far
from the data's own median, in robust deviations (1.4826 times the median absolute deviation;
F. R. Hampel, 1974, "The influence curve and its role in robust estimation"). The limits were
set by looking at flagged photographs: docs/decisions/0021-limits-of-the-facts.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from tellapart.audit.findings import Finding, Level, inflect
from tellapart.data.sources.base import MAX_BYTES
from tellapart.images.opening import MAX_PIXELS

_NOTHING = "Nothing needs to be done"

_DAMAGES: dict[str, tuple[str, str]] = {
    "unreadable": (
        "{files} cannot be read and {are} left out.",
        "Check that the file{s} still {exist} and that you are allowed to read {them}.",
    ),
    "empty": (
        "{files} {are} empty and {are} left out.",
        "Copy {them} again from the original source.",
    ),
    "not_a_picture": (
        "{files} {are} not {a_picture} and {are} left out.",
        "Remove {them}, or replace {them} with the right picture{s}.",
    ),
    "unsupported": (
        "{pictures} {have} a format that cannot be read here and {are} left out.",
        "Convert {them} to JPEG or PNG. For HEIC, install the extra: "
        "pip install 'tellapart[heic]'.",
    ),
    "cut_off": (
        "{pictures} {are} cut off: the end of the file is missing. {They} {are} left out.",
        "Copy {them} again from the original source.",
    ),
    "undecodable": (
        "{pictures} {are} damaged, cannot be decoded, and {are} left out.",
        "Copy {them} again from the original source.",
    ),
    "too_large": (
        f"{{pictures}} {{have}} more than {MAX_PIXELS // 10**6} million pixels or "
        f"{MAX_BYTES // 2**20} MiB and {{are}} left out unread.",
        "Make {them} smaller.",
    ),
}
"""Sentence and remedy for each reason why a picture cannot be decoded."""


@dataclass(frozen=True)
class Check:
    """A condition on pictures that decode, and the finding about those that meet it.

    Attributes:
        code: The finding's stable name.
        level: The finding's level.
        condition: True for the pictures to flag. Medians and sums in it are over all pictures
            that decode (and meet ``among``).
        sentence: Template for :func:`tellapart.audit.findings.inflect`.
        remedy: Template likewise.
        among: Which pictures are looked at.
    """

    code: str
    level: Level
    condition: pl.Expr
    sentence: str
    remedy: str
    among: pl.Expr | None = None

    def findings(self, whole: pl.DataFrame) -> Iterator[Finding]:
        """The finding about rows of pictures that decode, if any meets the condition."""
        frame = whole if self.among is None else whole.filter(self.among)
        paths = tuple(frame.filter(self.condition.fill_null(False))["path"])
        if n := len(paths):
            sentence, remedy = inflect(self.sentence, n), inflect(self.remedy, n)
            yield Finding(self.code, self.level, n, sentence, remedy, paths)


def _deviations(value: pl.Expr, least: float) -> pl.Expr:
    """How many robust deviations a value is above the median; ``least`` is the smallest one."""
    spread = (value - value.median()).abs().median() * 1.4826
    return (value - value.median()) / pl.max_horizontal(spread, pl.lit(least))


_BLANK = pl.col("contrast") < 6
_BRIGHTNESS, _SHARPNESS = pl.col("brightness"), pl.col("sharpness")
_SHORT, _LONG = pl.min_horizontal("width", "height"), pl.max_horizontal("width", "height")
_SHAPE = pl.col("width") / pl.col("height")
_USUAL_SHAPE = _SHAPE.log().median().exp()
_GRAY, _COLOR = pl.col("gray"), ~pl.col("gray")

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
_ENDING = pl.col("path").str.extract(r"\.([A-Za-z0-9]+)$").str.to_lowercase()
# An ending that names no format, such as scan.2024.03, promises nothing.
_KNOWN_ENDING = pl.col("format").is_in(list(_ENDINGS)) & _ENDING.is_in(sum(_ENDINGS.values(), ()))
_RIGHT_ENDING = pl.any_horizontal(
    (pl.col("format") == name) & _ENDING.is_in(endings) for name, endings in _ENDINGS.items()
)

CHECKS: tuple[Check, ...] = (
    Check(
        "blank",
        "warning",
        _BLANK,
        "{pictures} {are} nearly blank: one even color with hardly anything to see.",
        "Look at {them}. If {they} show{z} nothing, exclude {them} in the corrections file.",
    ),
    Check(
        "dark",
        "warning",
        (_BRIGHTNESS < 40) & (_deviations(_BRIGHTNESS, 8.0) < -2.5),
        "{pictures} {are} very dark.",
        "Look at {them}: can you tell the class yourself?",
        among=~_BLANK,
    ),
    Check(
        "bright",
        "warning",
        (_BRIGHTNESS > 215) & (_deviations(_BRIGHTNESS, 8.0) > 3),
        "{pictures} {are} very bright: overexposed, or mostly white like a drawing or a page.",
        "Look at {them}: {do} {they} show what the class means?",
        among=~_BLANK,
    ),
    Check(
        "blurred",
        "warning",
        # Sharpness spreads over orders of magnitude, so its logarithm is compared.
        (_SHARPNESS < 50) & (_deviations((_SHARPNESS + 0.1).log(), 0.25) < -3),
        "{pictures} {are} blurred, or enlarged from a very small size.",
        "Look at {them}: can you tell the class yourself?",
        among=~_BLANK,
    ),
    Check(
        "very_small",
        "warning",
        (_SHORT.median() > _SHORT)
        & (_SHORT.median() >= _SHORT * 2)
        & ((_SHORT < 32) | (_SHORT.median() > _SHORT * 8)),
        "{pictures} {are} much smaller than the others and will look blurred when enlarged.",
        "Look at {them}: thumbnails and icons often get into the data by mistake.",
    ),
    Check(
        "very_large",
        "note",
        (_LONG >= 2_000) & (8 * _LONG.median() < _LONG),
        "{pictures} {are} much larger than the others. Small details are lost when {they} {are} "
        "made smaller.",
        "If the subject fills only a small part of the picture, crop it.",
    ),
    Check(
        "extreme_shape",
        "warning",
        (pl.max_horizontal(_SHAPE, 1 / _SHAPE) > 3)
        & (pl.max_horizontal(_SHAPE / _USUAL_SHAPE, _USUAL_SHAPE / _SHAPE) > 2.5),
        "{pictures} {are} much longer or taller than the others and will be distorted when made "
        "square.",
        "Crop {them} to the subject, or train with --fit pad.",
    ),
    Check(
        "wrong_ending",
        "note",
        _KNOWN_ENDING & ~_RIGHT_ENDING,
        "{pictures} {have} an ending that does not match the content, such as a PNG called .jpg. "
        "tellapart goes by the content.",
        f"{_NOTHING} here; other software may fail to open {{them}}.",
    ),
    Check(
        "decoder_warning",
        "note",
        pl.col("note").is_not_null() & (pl.col("note") != ""),
        "{pictures} {are} complete, but the decoder warned about a fault in the file. {They} {are} "
        "kept.",
        f"If {{they}} look{{z}} right, {_NOTHING.lower()}.",
    ),
    Check(
        "exif_rotated",
        "note",
        pl.col("orientation") > 1,
        "{pictures} {are} stored rotated or mirrored, with an EXIF mark that says so. {They} {are} "
        "turned upright.",
        f"{_NOTHING} here; software that ignores EXIF shows {{them}} turned.",
    ),
    Check(
        "alpha",
        "note",
        pl.col("alpha"),
        "{pictures} {have} transparent areas, which become white.",
        "If white hides the subject, put {them} on another background first.",
    ),
    Check(
        "cmyk",
        "note",
        pl.col("cmyk"),
        "{pictures} {are} stored in CMYK, for printing, and {are} converted to sRGB.",
        f"{_NOTHING}; colors may differ a little from those of print software.",
    ),
    Check(
        "deep",
        "note",
        pl.col("bits") > 8,
        "{pictures} {have} more than 8 bits per channel. Each picture is scaled by its own minimum "
        "and maximum.",
        "If absolute brightness matters, convert all pictures to 8 bits with one scale.",
    ),
    Check(
        "several_frames",
        "note",
        pl.col("frames") > 1,
        "{pictures} {have} several frames or pages. Only the first is used.",
        "If the others matter, save each as a picture of its own.",
    ),
    Check(
        "gray_among_color",
        "note",
        _GRAY & _COLOR.any() & (_GRAY.sum() <= _COLOR.sum()),
        "{pictures} {are} gray; most others are in color.",
        "Make sure gray is not typical of one class, or the model may learn that instead.",
    ),
    Check(
        "color_among_gray",
        "note",
        _COLOR & _GRAY.any() & (_COLOR.sum() < _GRAY.sum()),
        "{pictures} {are} in color; most others are gray.",
        "Make sure color is not typical of one class, or the model may learn that instead.",
    ),
)
"""All checks, in the order of their findings."""


def damage_findings(frame: pl.DataFrame) -> Iterator[Finding]:
    """Pictures that cannot be decoded, one finding per reason."""
    paths = dict(frame.filter(pl.col("error").is_not_null()).group_by("error").agg("path").rows())
    unknown = ("{files} cannot be decoded and {are} left out.", "")
    for code in (*_DAMAGES, *sorted(paths.keys() - _DAMAGES.keys())):
        if found := paths.get(code):
            sentence, remedy = _DAMAGES.get(code, unknown)
            n = len(found)
            yield Finding(code, "error", n, inflect(sentence, n), inflect(remedy, n), tuple(found))


def picture_findings(frame: pl.DataFrame, checks: Sequence[Check] = CHECKS) -> Iterator[Finding]:
    """Findings of the checks on the pictures that decode.

    Args:
        frame: The scan's frame.
        checks: What to look for.
    """
    whole = frame.filter(pl.col("error").is_null())
    for check in checks:
        yield from check.findings(whole)
