"""The files of a multipart form, taken from a body in memory.

Starlette's own parser writes larger files to the disk; here, pictures stay in memory. The size of a
body is limited before it comes here, so it can be searched for its boundary as a whole (RFC 2046,
section 5.1.1) instead of piece by piece.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from python_multipart.multipart import parse_options_header

from tellapart.serve.api.errors import RequestError

_MOST_HEADERS = 8 * 1024
"""Bytes of one part's headers."""
_MOST_BOUNDARY = 70  # RFC 2046
_BOUNDARY = re.compile(r"""boundary=(?:"([^"\\]+)"|([^\s";,]+))\s*(?:;|$)""", re.IGNORECASE)
_EXTENDED = re.compile(rb"filename\*=utf-8'[^';]*'([^;\s]+)", re.IGNORECASE)
_PLAIN = re.compile(rb'form-data; name="([^"\\]*)"(?:; filename="([^"\\]*)")?')


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a form.

    Attributes:
        name: The field's name.
        filename: What the client calls the file, or None for a plain field.
        data: Its content.
    """

    name: str
    filename: str | None
    data: bytes


def parts_of(body: bytes, content_type: str, *, most: int) -> Sequence[Part]:
    """The parts of a multipart body.

    Args:
        body: The whole body.
        content_type: The request's ``Content-Type``, which names the boundary.
        most: Maximum number of parts.

    Raises:
        RequestError: If the form is not complete (400), or has more parts (422).
    """
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise _broken("its Content-Type names no boundary")
    boundary = (found[1] or found[2]).encode("utf-8", "replace")
    if len(boundary) > _MOST_BOUNDARY:
        raise _broken("its boundary is too long")
    delimiter = b"--" + boundary
    if not body.startswith(delimiter):
        at = body.find(b"\r\n" + delimiter)  # a preamble is not a part
        if at < 0:
            raise _broken("it does not begin with its boundary")
        at += 2 + len(delimiter)
    else:
        at = len(delimiter)
    delimiter = b"\r\n" + delimiter
    parts: list[Part] = []
    while not body.startswith(b"--", at):
        start = body.find(b"\r\n", at, at + 64)  # blanks may follow a boundary
        if start < 0 or body[at:start].strip(b" \t"):
            raise _broken("a boundary is followed by something else")
        if len(parts) >= most:
            raise RequestError(
                422, "too_many", f"The form has more than {most} parts.",
                "Send fewer pictures at once.",
            )  # fmt: skip
        blank = body.find(b"\r\n\r\n", start, start + 2 + _MOST_HEADERS)
        if blank < 0:
            raise _broken("the headers of a part have no end")
        end = body.find(delimiter, blank + 2)
        if end < 0:
            raise _broken("its end is missing")
        name, filename = _names(body[start + 2 : blank])
        parts.append(Part(name, filename, body[blank + 4 : end]))
        at = end + len(delimiter)
    return parts


def _names(headers: bytes) -> tuple[str, str | None]:
    """The name of a part, and of its file."""
    for line in headers.split(b"\r\n"):
        title, _, value = line.partition(b":")
        if title.strip().lower() != b"content-disposition":
            continue
        if plain := _PLAIN.fullmatch(value.strip()):  # as nearly all clients write it
            name, filename = plain[1], plain[2]
        else:
            kind, options = parse_options_header(value.strip())
            if kind != b"form-data" or b"name" not in options:
                break
            name, filename = options[b"name"], options.get(b"filename", None)
            if filename is None and (found := _EXTENDED.search(value)):  # as older clients write it
                filename = unquote_to_bytes(found[1])
        return _text(name), None if filename is None else _text(filename)
    raise _broken("a part has no name")


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")


def _broken(why: str) -> RequestError:
    return RequestError(400, "form", f"The body is not a complete multipart form: {why}.")
