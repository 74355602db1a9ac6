from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest

from tellapart.serve.api.errors import RequestError
from tellapart.serve.api.tensors import Tensor, inputs_of, pack, split


def read(inputs: list[dict[str, Any]], behind: bytes = b"") -> list[Tensor]:
    head = json.dumps({"inputs": inputs}).encode()
    document, rest = split(head + behind, str(len(head)))
    return inputs_of(document, rest, most=8)


def binary(datatype: str, shape: list[int], size: int) -> dict[str, Any]:
    return {
        "name": "x",
        "datatype": datatype,
        "shape": shape,
        "parameters": {"binary_data_size": size},
    }


def test_numbers_and_files_come_as_bytes_or_as_json() -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 2, 2, 3)
    files = [b"first", b"", b"\xff\xd8"]
    packed = b"".join(len(one).to_bytes(4, "little") + one for one in files)
    both = read(
        [binary("UINT8", [2, 2, 2, 3], 24), binary("BYTES", [3], len(packed))],
        pixels.tobytes() + packed,
    )
    np.testing.assert_array_equal(both[0].data, pixels)
    assert both[1].data == files
    for data in (pixels.tolist(), pixels.ravel().tolist()):
        [one] = read([{"name": "x", "datatype": "UINT8", "shape": [2, 2, 2, 3], "data": data}])
        np.testing.assert_array_equal(one.data, pixels)
    for encode in (base64.b64encode, base64.encodebytes):  # the other breaks it into lines
        encoded = [encode(one).decode() for one in files]
        [one] = read([{"name": "x", "datatype": "BYTES", "shape": [3], "data": encoded}])
        assert one.data == files


@pytest.mark.parametrize(
    ("inputs", "behind"),
    [
        ([], b""),
        ([[]], b""),
        ([{"name": "x", "datatype": "UINT8", "shape": [2], "data": [1]}], b""),
        ([{"name": "x", "datatype": "UINT8", "shape": [1], "data": [256]}], b""),
        ([{"name": "x", "datatype": "UINT8", "shape": [1], "data": [True]}], b""),
        ([{"name": "x", "datatype": "UINT8", "shape": [2], "data": [[1], 2]}], b""),
        ([{"name": "x", "datatype": "UINT8", "shape": [-1], "data": [1]}], b""),
        ([{"name": "x", "datatype": "UINT8", "shape": [2**39, 2**39], "data": [1]}], b""),
        ([{"name": "x", "datatype": "FP32", "shape": [1], "data": [1]}], b""),
        ([{"name": "x", "datatype": "BYTES", "shape": [1], "data": ["?"]}], b""),
        ([{"name": "x", "datatype": "BYTES", "shape": [1], "data": [7]}], b""),
        ([{"name": "x", "shape": [1], "data": [7]}], b""),
        ([binary("UINT8", [4], 4)], b"123"),
        ([binary("UINT8", [4], 3)], b"123"),
        ([binary("UINT8", [3], 3)], b"1234"),
        ([binary("FP32", [1], 4)], b"1234"),
        ([binary("BYTES", [1], 5)], b"\xff\0\0\0x"),
        ([binary("BYTES", [2], 5)], b"\1\0\0\0x"),
        ([binary("BYTES", [1], -5)], b""),
        ([binary("BYTES", [9], 36)], b"\0" * 36),
        ([binary("BYTES", [3, 3], 36)], b"\0" * 36),
        ([binary("UINT8", [9, 1], 9)], b"\0" * 9),
        ([{"name": "x", "datatype": "BYTES", "shape": [9], "data": [""] * 9}], b""),
    ],
)
def test_what_does_not_fit_is_refused(inputs: list[dict[str, Any]], behind: bytes) -> None:
    with pytest.raises(RequestError) as fault:
        read(inputs, behind)
    assert fault.value.status == 400


@pytest.mark.parametrize("header", ["", "-1", "1e3", "99", "9" * 40, "\u0663"])
def test_a_length_that_is_none_is_refused(header: str) -> None:
    with pytest.raises(RequestError):
        split(b'{"inputs": []}', header)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"[" * 100_000, b"\xff\xfe", b"null"])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(RequestError):
        split(body, None)


def test_an_answer_holds_bytes_behind_its_json_only_where_asked_for() -> None:
    numbers = Tensor("p", "FP32", (1, 2), np.array([[0.25, 0.75]], np.float32))
    labels = Tensor("l", "BYTES", (1,), ["é".encode()])
    body, length = pack([(numbers, False), (labels, False)], {"id": "7"})
    assert length == 0
    told = json.loads(body)
    assert told["id"] == "7"
    assert told["outputs"][0]["data"] == [0.25, 0.75]
    assert told["outputs"][1]["data"] == ["é"]
    body, length = pack([(numbers, True), (labels, True)], {})
    assert json.loads(body[:length])["outputs"][0]["parameters"] == {"binary_data_size": 8}
    assert body[length:] == np.array([0.25, 0.75], "<f4").tobytes() + b"\2\0\0\0" + "é".encode()
