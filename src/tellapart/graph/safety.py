"""Safety check of ONNX files: refuse what :mod:`tellapart.graph.onnx_writer` would not write.

ONNX allows tensors in other files, functions, control flow and operators of any vendor. Files that
tellapart writes have none of these. A model file may come from a stranger, so its bytes are checked
before an engine opens it. The check reads the protobuf wire format (``onnx.proto``, field numbers
below) without the ``onnx`` package, whose import takes longer than the check.
"""

from __future__ import annotations

from collections.abc import Iterator

from tellapart.graph.onnx_writer import OPERATORS

_ALLOWED = OPERATORS | {"QuantizeLinear"}  # ``export --to onnx-int8`` adds it

_MODEL_GRAPH = 7
_MODEL_REFUSED = {20: "training information", 25: "functions"}
_GRAPH_NODE, _GRAPH_TENSOR = 1, 5
_GRAPH_REFUSED = {15: "sparse tensors"}
_NODE_OPERATOR, _NODE_ATTRIBUTE, _NODE_DOMAIN = 4, 5, 7
_ATTRIBUTE_REFUSED = {
    5: "a tensor attribute",
    6: "a nested graph",
    10: "tensor attributes",
    11: "nested graphs",
    22: "a sparse attribute",
    23: "sparse attributes",
}
_TENSOR_REFUSED = {13: "tensors in other files", 14: "tensors in other files"}


def check_safe(data: bytes) -> None:
    """Check that an ONNX file holds only plain layers and their weights.

    Raises:
        ValueError: If it is no ONNX file, is cut off, or holds anything else.
    """
    view = memoryview(data)
    graphs = 0
    for field, _, graph in _fields(view, _MODEL_REFUSED):
        if field != _MODEL_GRAPH:
            continue
        graphs += 1
        for inner, _, part in _fields(_whole(graph), _GRAPH_REFUSED):
            if inner == _GRAPH_NODE:
                _check_node(_whole(part))
            elif inner == _GRAPH_TENSOR:
                # Field 14 tells where the numbers are; the value for "here" is never written.
                for _ in _fields(_whole(part), _TENSOR_REFUSED):
                    pass
    if graphs != 1:
        raise ValueError("it holds no network")


def _check_node(node: memoryview) -> None:
    for field, _, part in _fields(node, {}):
        if field == _NODE_OPERATOR:
            operator = bytes(_whole(part)).decode("utf-8", "replace")
            if operator not in _ALLOWED:
                raise ValueError(f"it holds the operator {operator[:40]!r}")
        elif field == _NODE_DOMAIN and len(_whole(part)):
            raise ValueError("it holds operators of a vendor")
        elif field == _NODE_ATTRIBUTE:
            for _ in _fields(_whole(part), _ATTRIBUTE_REFUSED):
                pass


def _whole(value: memoryview | None) -> memoryview:
    if value is None:
        raise ValueError("a field has the wrong type")
    return value


def _fields(
    message: memoryview, refused: dict[int, str]
) -> Iterator[tuple[int, int, memoryview | None]]:
    """The fields: number, wire type and, if it has a length, its bytes."""
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        field, wire = tag >> 3, tag & 7
        if field in refused:
            raise ValueError(f"it holds {refused[field]}")
        part: memoryview | None = None
        if wire == 0:
            _, position = _varint(message, position)
        elif wire in (1, 5):
            position += 8 if wire == 1 else 4
        elif wire == 2:
            length, position = _varint(message, position)
            part = message[position : position + length]
            position += length
        else:
            raise ValueError("it is not an ONNX file")
        if position > len(message):
            raise ValueError("it is cut off")
        yield field, wire, part


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(message):
            raise ValueError("it is cut off")
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError("it is not an ONNX file")
