"""Files of a multipart form, taken out of a body that is in memory.

Starlette's own parser writes larger files to the disk; here no picture ever leaves the memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from tellapart.serve.faults import Fault

_HEADER = 8 * 1024
"""Bytes of one part's headers at most."""


@dataclass
class Part:
    """One part of a form.

    Attributes:
        name: The field's name.
        filename: What the client calls the file, or None for a plain field.
        data: Its content.
    """

    name: str = ""
    filename: str | None = None
    data: bytes = b""
    _start: int = -1
    _headers: dict[bytes, bytes] = field(default_factory=dict)


def parts_of(body: bytes, content_type: str, *, most: int) -> Sequence[Part]:
    """The parts of a multipart body.

    Args:
        body: The body.
        content_type: The request's ``Content-Type``, which names the boundary.
        most: Most parts that are read.

    Raises:
        Fault: If it is no whole form (400), or has more parts (413).
    """
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if not boundary or len(boundary) > 256:
        raise _broken("its Content-Type names no boundary")
    reader = _Reader(body, most)
    try:
        parser = MultipartParser(boundary, reader.callbacks())  # type: ignore[arg-type]
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise _broken(str(error)[:100]) from None
    if not reader.ended:
        raise _broken("its end is missing")
    return reader.parts


class _Reader:
    """Collects parts; their data is cut out of the body once, where it lies in one piece."""

    def __init__(self, body: bytes, most: int) -> None:
        self.parts: list[Part] = []
        self.ended = False
        self._most = most
        self._part = Part()
        self._pieces: list[bytes] = []
        self._name, self._value = b"", b""

    def callbacks(self) -> dict[str, object]:
        return {
            "on_part_begin": self._begin,
            "on_part_data": self._data,
            "on_part_end": self._end_part,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        if len(self.parts) >= self._most:
            raise Fault(
                413, "too_many", f"The form has more than {self._most} parts.",
                "Send fewer pictures at once.",
            )  # fmt: skip
        self._part, self._pieces = Part(), []

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._pieces.append(data[start:end])

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]
        if len(self._value) > _HEADER:
            raise _broken("a header of a part is too long")

    def _header_end(self) -> None:
        self._part._headers[self._name.lower()] = self._value
        self._name, self._value = b"", b""

    def _headers_finished(self) -> None:
        disposition = self._part._headers.get(b"content-disposition", b"")
        kind, options = parse_options_header(disposition)
        if kind != b"form-data" or b"name" not in options:
            raise _broken("a part has no name")
        self._part.name = options[b"name"].decode("utf-8", "replace")
        if b"filename" in options:
            self._part.filename = options[b"filename"].decode("utf-8", "replace")

    def _end_part(self) -> None:
        self._part.data = b"".join(self._pieces)
        self._pieces = []
        self.parts.append(self._part)

    def _end(self) -> None:
        self.ended = True


def _broken(why: str) -> Fault:
    return Fault(400, "form", f"The body is no whole multipart form: {why}.")
