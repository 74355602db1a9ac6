"""Numbers and names as text, for the terminal, the pages and the server.

A number and its unit are separated by a plain space; pages replace it by one that does not break.
Names come from file systems and archives, so they can contain anything: control characters, marks
that change the direction of reading, bytes that are not UTF-8 (as lone surrogates), hundreds of
letters. ``clean`` makes all of these visible. Templates and charts escape HTML.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import datetime

MINUS = "\u2212"

_LONE = re.compile("[\ud800-\udfff]")
# Control characters, and invisible ones that reorder or split text (except the joiner of emoji).
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028\u2029"
    "\u202a-\u202e\u2060\u2066-\u2069\ufeff\ufffe\uffff]"
)
_BREAK = re.compile("[\t\n]")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _visible(match: re.Match[str]) -> str:
    character = match.group()
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was not UTF-8, as os.fsdecode keeps it
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def safe(text: str) -> str:
    r"""Text with hidden characters escaped, so that it can be written as UTF-8 and HTML.

    Tabs and line breaks stay.

    Example:
        >>> safe("caf\udce9")
        'caf\\xe9'
    """
    return _HIDDEN.sub(_visible, _LONE.sub(_visible, text))


def clean(name: str) -> str:
    r"""A name on one line, with tabs and line breaks escaped as well.

    Example:
        >>> clean("two\nlines")
        'two\\nlines'
    """
    return _BREAK.sub(_visible, safe(name))


def shorten(name: str, length: int = 48) -> str:
    """A clean name of at most ``length`` characters, shortened in the middle."""
    name = clean(name)
    if len(name) <= length:
        return name
    head = (length - 1) // 2
    return f"{name[:head]}…{name[-(length - 1 - head) :]}"


def number(value: float, digits: int = 0) -> str:
    """A number with thousands separators: ``12,345`` or ``0.041``."""
    if not math.isfinite(value):
        return "–"
    return f"{value:,.{digits}f}".replace("-", MINUS)


def count(value: float) -> str:
    """A count; averages over repeated folds keep a decimal: ``1,204`` or ``2.5``."""
    return number(value, 0 if float(value).is_integer() else 1)


def percent(share: float | None, digits: int = 1) -> str:
    """A share of 1 in percent; only exactly all is 100 %, and only exactly none is 0 %.

    For shares of counted things. A probability is written by :func:`certainty`.

    Example:
        >>> percent(0.98662), percent(0.9999), percent(1.0)
        ('98.7 %', 'over 99.9 %', '100 %')
    """
    if share is None or not math.isfinite(share):
        return "–"
    if share in (0.0, 1.0):
        return f"{100 * share:.0f} %"
    written, least = f"{100 * share:.{digits}f}", 10.0**-digits
    if float(written) == 100:
        return f"over {100 - least:.{digits}f} %"
    if float(written) == 0:
        return f"under {least:.{digits}f} %"
    return f"{written} %".replace("-", MINUS)


def certainty(probability: float | None) -> str:
    """A model's probability: never 0 or 100 %, since no model is certain.

    Example:
        >>> certainty(0.9662), certainty(1.0), certainty(0.0)
        ('96.6 %', 'over 99.9 %', 'under 0.1 %')
    """
    if probability is None or not math.isfinite(probability):
        return "–"
    if probability > 0.999:
        return "over 99.9 %"
    if probability < 0.001:
        return "under 0.1 %"
    return percent(probability)


def interval(low: float, high: float) -> str:
    """Two shares as ``97.4 to 99.3 %``."""
    return f"{percent(low).removesuffix(' %')} to {percent(high)}"


def points(difference: float) -> str:
    """A difference of two shares in percentage points: ``2.2 points``."""
    written = f"{100 * difference:.1f}"
    if written in ("0.0", "-0.0") and difference:
        return "under 0.1 points"
    return f"{written} points".replace("-", MINUS)


def seconds(value: float) -> str:
    """A duration: ``0.61 s``, ``17.4 s``, ``2 min 5 s``, ``1 h 12 min``."""
    if value < 1:
        return f"{value:.2f} s"
    if value < 60:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def size(value: float) -> str:
    """Bytes as ``812 B``, ``22 MB`` (powers of 1000)."""
    units = ("B", "kB", "MB", "GB", "TB")
    power = 0
    while value >= 1000 and power < len(units) - 1:
        value, power = value / 1000, power + 1
    digits = 1 if power and value < 10 else 0
    return f"{value:,.{digits}f} {units[power]}"


def counted(value: float, one: str, many: str = "") -> str:
    """A number and its noun: ``1 picture``, ``2,993 pictures``, ``2.5 mistakes``."""
    return f"{count(value)} {agree(value, one, many or one + 's')}"


def agree(value: float, one: str, many: str) -> str:
    """The form of a word that goes with a number: ``agree(n, "is", "are")``."""
    return one if value == 1 else many


def listed(names: Sequence[str], most: int = 5) -> str:
    """Names in quotes for a sentence: ``'cats', 'dogs' and 3 more``."""
    shown = [f"'{name}'" for name in names[:most]]
    if len(names) > most:
        shown.append(f"{len(names) - most:,} more")
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def moment(iso: str) -> str:
    """An ISO 8601 time as ``22 November 2026, 07:56 UTC``; other text stays as it is."""
    try:
        when = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    zone = " UTC" if when.utcoffset() is not None and not when.utcoffset() else ""
    return f"{when.day} {when:%B %Y, %H:%M}{zone}"
