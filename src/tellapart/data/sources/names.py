"""Names of files: how they are shown, which are passed over, which mean a part.

A name on disk is bytes; inside Python it is a ``str`` whose undecodable bytes are lone
surrogates (PEP 383). :func:`printable` turns it into text that can be printed, stored
in Parquet and typed back, and :func:`raw` turns it back again; both together make the
printable name as good an identity as the bytes.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable
from typing import Literal

Part = Literal["train", "validation", "test"]

PARTS: dict[str, Part] = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "val": "validation",
    "valid": "validation",
    "test": "test",
    "testing": "test",
}

# fmt: off
PICTURE_ENDINGS = frozenset({
    "jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif", "bmp", "dib", "tif", "tiff", "avif",
    "heic", "heif",
})
ARCHIVE_ENDINGS = frozenset({
    "zip", "tar", "tgz", "gz", "bz2", "tbz2", "xz", "txz", "zst", "7z", "rar",
})
DOCUMENT_ENDINGS = frozenset({
    "txt", "md", "rst", "pdf", "doc", "docx", "odt", "rtf", "html", "htm", "css", "js", "csv",
    "tsv", "xls", "xlsx", "ods", "json", "jsonl", "ndjson", "parquet", "xml", "yaml", "yml",
    "toml", "ini", "cfg", "log", "db", "sqlite", "sha256", "md5", "url", "lnk", "py", "ipynb",
    "sh", "bat", "r", "m", "mat", "npy", "npz", "pkl", "pickle", "h5", "hdf5", "pt", "pth", "onnx",
})
DOCUMENT_NAMES = frozenset({
    "readme", "license", "licence", "copying", "notice", "changelog", "makefile",
})
# fmt: on

# Files that operating systems, file servers and notebooks leave behind.
LEFTOVERS = frozenset(
    name.lower()
    for name in (
        "__MACOSX",
        "__pycache__",
        ".ipynb_checkpoints",
        ".DS_Store",
        "Thumbs.db",
        "ehthumbs.db",
        "desktop.ini",
        "Icon\r",
        "@eaDir",
        "#recycle",
        "$RECYCLE.BIN",
        "System Volume Information",
        "lost+found",
    )
)

_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t", "\\": "\\\\"}
_LONG = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\"}
_ESCAPE = re.compile(r"\\(?:(\\|n|r|t)|x([0-9a-f]{2})|u([0-9a-f]{4}))")
# Characters that reorder or hide the text around them (Unicode TR 36, 3.3.2).
_REORDERING = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def printable(name: str) -> str:
    r"""The name as text that is safe to show and to store; different names stay different.

    Undecodable bytes become ``\xff``, control characters ``\n``, ``\t`` or ``\u001b``,
    characters that reorder text ``\u202e``, and a backslash ``\\``.

    Example:
        >>> printable("cat\udcff\n.jpg")
        'cat\\xff\\n.jpg'
    """
    if name.isprintable() and "\\" not in name:
        return name
    return "".join(map(_shown, name))


def _shown(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    hidden = unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
    if hidden or character in _REORDERING:
        return f"\\u{code:04x}"
    return character


def raw(shown: str) -> str:
    """The name that :func:`printable` was given."""
    return _ESCAPE.sub(_unescape, shown) if "\\" in shown else shown


def _unescape(match: re.Match[str]) -> str:
    short, byte, unit = match.groups()
    if short is not None:
        return _LONG[short]
    return chr(0xDC00 + int(byte, 16)) if byte is not None else chr(int(unit, 16))


def ending(name: str) -> str:
    """The last ending of a file name, lower case and without its dot; empty if it has none.

    Example:
        >>> ending("cats/IMG_1.JPG"), ending("cats/0001")
        ('jpg', '')
    """
    base = name.rpartition("/")[2]
    stem, dot, last = base.rpartition(".")
    return last.lower() if dot and stem else ""


def is_archive_name(name: str) -> bool:
    """Whether the ending says that the file is an archive, which is not opened inside another."""
    return ending(name) in ARCHIVE_ENDINGS


def may_be_picture(name: str) -> bool:
    """Whether a file may be a picture, judged by its name.

    Formats are recognized by content, so this only decides how folders are understood (a folder
    of documents is not a class); a document inside a class folder is still a row.
    """
    last = ending(name)
    if last:
        return last not in DOCUMENT_ENDINGS and last not in ARCHIVE_ENDINGS
    return name.rpartition("/")[2].lower() not in DOCUMENT_NAMES


def passing_reason(name: str) -> str | None:
    """Why a file or folder with this name is passed over wherever it is, or None.

    Example:
        >>> passing_reason("Thumbs.db"), passing_reason(".git"), passing_reason("cat.jpg")
        ('system leftovers', 'hidden', None)
    """
    if name.lower() in LEFTOVERS:
        return "system leftovers"
    if name.startswith("."):
        return "hidden"
    return None


def part_of(name: str) -> Part | None:
    """The part that a folder or split value with this name means, or None.

    Example:
        >>> part_of("Training"), part_of("val"), part_of("cats")
        ('train', 'validation', None)
    """
    return PARTS.get(name.lower())


def label_of(folder: str) -> str:
    """The label or group that a name gives: printable, in Unicode's composed form.

    Composed, because macOS stores ``é`` in two code points and others in one, and the
    parts of one data set may come from both.
    """
    return unicodedata.normalize("NFC", printable(folder))


_DIGIT = re.compile(r"\d")


def label_in_name(name: str) -> str | None:
    """The label in a file's name: the text before its first number, or None.

    Example:
        >>> label_in_name("cat.0.jpg"), label_in_name("x/great_dane-12.png"), label_in_name("7.jpg")
        ('cat', 'great_dane', None)
    """
    base = name.rpartition("/")[2]
    stem = base[: -len(last) - 1] if (last := ending(base)) and not last.isdigit() else base
    match = _DIGIT.search(stem)
    label = (stem[: match.start()] if match else stem).strip(" ._-([#")
    return label_of(label) if label else None


def quote(name: str) -> str:
    """The name for a message: printable, in quotes, and shortened if long."""
    shown = printable(name)
    return f"'{shown}'" if len(shown) <= 160 else f"'{shown[:100]}…{shown[-50:]}'"


def absolute(path: str) -> str:
    """The absolute path, with links kept and ``..`` removed textually; undecodable bytes stay."""
    return os.path.abspath(path)  # noqa: PTH100 - resolve() would follow links


def few(names: Iterable[str], most: int = 3) -> str:
    """The first few names, printable, for a message."""
    shown = [printable(name)[:80] for name in names]
    return ", ".join(shown[:most]) + (", …" if len(shown) > most else "")
