"""Tensors of the Open Inference Protocol: as JSON, and as bytes after the JSON.

The binary extension: a request's JSON has ``Inference-Header-Content-Length`` bytes, and each
input whose parameters give a ``binary_data_size`` has that many bytes after the JSON, in order. An
element of ``BYTES`` is its length as a little-endian uint32, and its content.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tellapart.serve.api.errors import RequestError
from tellapart.serve.api.messages import from_base64

HEADER = "inference-header-content-length"
_MOST_DIMENSIONS = 8


@dataclass(frozen=True)
class Tensor:
    """An input or output.

    Attributes:
        name: Its name.
        datatype: ``UINT8``, ``FP32`` or ``BYTES``.
        shape: Its shape.
        data: An array for numbers, a list of ``bytes`` for ``BYTES``.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]
    data: npt.NDArray[Any] | list[bytes]


def split(body: bytes, header: str | None) -> tuple[Any, bytes]:
    """The JSON of a request, and the bytes after it.

    Raises:
        RequestError: If the header is not a length within the body, or the JSON cannot be read.
    """
    length = len(body)
    if header is not None:
        if not header.isascii() or not header.isdigit() or len(header) > 15:
            raise _wrong("Inference-Header-Content-Length is not a number")
        length = int(header)
        if length > len(body):
            raise _wrong("Inference-Header-Content-Length is larger than the body")
    try:
        document = json.loads(body[:length])
    except (ValueError, RecursionError):
        raise _wrong("the body is not a JSON document", code="json") from None
    if not isinstance(document, dict):
        raise _wrong("the body is not a JSON object")
    return document, body[length:]


def inputs_of(document: dict[str, Any], behind: bytes, *, most: int) -> list[Tensor]:
    """The inputs of a request.

    Args:
        document: Its JSON.
        behind: The bytes after it.
        most: Most pictures that an input may hold, refused before they are taken apart.

    Raises:
        RequestError: If one is malformed, its bytes do not fit what it says, or it holds too many.
    """
    given = document.get("inputs")
    if not isinstance(given, list) or not given or len(given) > 16:
        raise _wrong("'inputs' is not a list of inputs")
    found = []
    at = 0
    for one in given:
        if not isinstance(one, dict):
            raise _wrong("an input is not an object")
        _check_count(one, most)
        size = _parameters(one).get("binary_data_size")
        if size is None:
            found.append(_from_json(one))
            continue
        if not _is_count(size) or at + size > len(behind):
            raise _wrong("a binary_data_size does not fit the body")
        found.append(_from_bytes(one, behind[at : at + size]))
        at += size
    if at != len(behind):
        raise _wrong("there are bytes left after the inputs")
    return found


def pack(outputs: Sequence[tuple[Tensor, bool]], document: dict[str, Any]) -> tuple[bytes, int]:
    """The body of an answer.

    Args:
        outputs: Each with whether it goes after the JSON.
        document: The rest of the answer's JSON.

    Returns:
        The body, and the length of its JSON if bytes follow it, else 0.
    """
    told, behind = [], []
    for tensor, is_binary in outputs:
        entry: dict[str, Any] = {
            "name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.shape)
        }  # fmt: skip
        if is_binary:
            content = _to_bytes(tensor)
            entry["parameters"] = {"binary_data_size": len(content)}
            behind.append(content)
        else:
            entry["data"] = _to_json(tensor)
        told.append(entry)
    text = json.dumps({**document, "outputs": told}, allow_nan=False, separators=(",", ":"))
    head = text.encode("ascii")
    return b"".join((head, *behind)), len(head) if behind else 0


def _head(one: dict[str, Any]) -> tuple[str, str, tuple[int, ...], int]:
    name, datatype, shape = one.get("name"), one.get("datatype"), one.get("shape")
    if not isinstance(name, str) or not isinstance(datatype, str):
        raise _wrong("an input lacks its name or datatype")
    if (
        not isinstance(shape, list)
        or not 1 <= len(shape) <= _MOST_DIMENSIONS
        or not all(_is_count(side) for side in shape)
    ):
        raise _wrong("the shape of an input is not a list of counts")
    return name, datatype, tuple(shape), math.prod(shape)


def _check_count(one: dict[str, Any], most: int) -> None:
    """Refuse an input of too many pictures before each becomes an object of its own."""
    _, datatype, shape, count = _head(one)
    pictures = count if datatype == "BYTES" else shape[0]
    if pictures > most:
        raise RequestError(
            400, "too_many", f"The request holds {pictures:,} pictures.",
            f"Send at most {most} at once, or raise --max-pictures.",
        )  # fmt: skip


def _from_json(one: dict[str, Any]) -> Tensor:
    name, datatype, shape, count = _head(one)
    data = one.get("data")
    if not isinstance(data, list):
        raise _wrong("an input has no data")
    flat = _flat(data, most=count)
    if len(flat) != count:
        raise _wrong(f"an input does not have the {count:,} elements of its shape")
    if datatype == "BYTES":
        return Tensor(name, datatype, shape, [_decoded(item) for item in flat])
    if datatype != "UINT8":
        raise _unsupported(datatype)
    if not all(type(item) is int and 0 <= item <= 255 for item in flat):
        raise _wrong("an element of a UINT8 input is not a number from 0 to 255")
    return Tensor(name, datatype, shape, np.array(flat, np.uint8).reshape(shape))


def _from_bytes(one: dict[str, Any], content: bytes) -> Tensor:
    name, datatype, shape, count = _head(one)
    if datatype == "BYTES":
        items: list[bytes] = []
        at = 0
        while at < len(content) and len(items) <= count:
            length = int.from_bytes(content[at : at + 4], "little")
            if at + 4 + length > len(content):
                raise _wrong("an element of a BYTES input is cut off")
            items.append(content[at + 4 : at + 4 + length])
            at += 4 + length
        if len(items) != count:
            raise _wrong(f"an input does not have the {count:,} elements of its shape")
        return Tensor(name, datatype, shape, items)
    if datatype != "UINT8":
        raise _unsupported(datatype)
    if len(content) != count:
        raise _wrong(f"an input does not have the {count:,} elements of its shape")
    return Tensor(name, datatype, shape, np.frombuffer(content, np.uint8).reshape(shape))


def _flat(data: list[Any], *, most: int) -> list[Any]:
    """Nested lists as one, no more of it than is asked for."""
    for _ in range(_MOST_DIMENSIONS):
        if not data or not isinstance(data[0], list):
            break
        if not all(isinstance(part, list) for part in data):
            raise _wrong("the data of an input is nested unevenly")
        data = [item for part in data for item in part]
        if len(data) > most:
            break
    return data


def _decoded(item: Any) -> bytes:
    """A picture in JSON, as base64."""
    if not isinstance(item, str):
        raise _wrong("an element of a BYTES input is not a string")
    try:
        return from_base64(item)
    except ValueError:
        raise _wrong("an element of a BYTES input in JSON is not base64") from None


def _to_json(tensor: Tensor) -> list[Any]:
    if isinstance(tensor.data, list):
        return [item.decode("utf-8", "replace") for item in tensor.data]
    return [float(value) for value in tensor.data.ravel()]


def _to_bytes(tensor: Tensor) -> bytes:
    if isinstance(tensor.data, list):
        return b"".join(struct.pack("<I", len(item)) + item for item in tensor.data)
    return np.ascontiguousarray(tensor.data, "<f4").tobytes()


def _parameters(one: dict[str, Any]) -> dict[str, Any]:
    found = one.get("parameters", {})
    if not isinstance(found, dict):
        raise _wrong("'parameters' is not an object")
    return found


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**40


def _wrong(why: str, *, code: str = "request") -> RequestError:
    return RequestError(400, code, f"The request cannot be read: {why}.")


def _unsupported(datatype: str) -> RequestError:
    return _wrong(f"the datatype {datatype[:20]!r} is neither UINT8 nor BYTES")
