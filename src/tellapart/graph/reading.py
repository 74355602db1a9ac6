"""Read a network back from its ONNX file: its layers, its weights, and parts of it.

Nothing but the file is needed, so this works whichever engine trained the network. The functions
expect a file that :func:`tellapart.graph.safety.check_safe` has accepted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import onnx

_MAP_OPERATORS = frozenset({"Conv", "MaxPool"})
_ACTIVATIONS = frozenset({"Relu", "Clip"})
# Operators between the last feature map and the logits, and those of them that output maps.
_TAIL_OPERATORS = frozenset(
    {"Clip", "Flatten", "Gemm", "GlobalAveragePool", "MaxPool", "Relu", "Transpose"}
)
_TAIL_MAP_OPERATORS = frozenset({"GlobalAveragePool", "MaxPool", "Transpose"})


@dataclass(frozen=True, slots=True)
class MapLayer:
    """A convolution or a pooling that an output depends on.

    Args:
        name: Name of the layer.
        tensor: Name of its output in the file, channels first, after its activation.
        shape: Height, width and channels.
    """

    name: str
    tensor: str
    shape: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Node:
    """One operation of the file.

    Args:
        operator: Its name in ONNX.
        inputs: Names of its input tensors, weights among them.
        output: Name of its output tensor.
        attributes: Integers, floats and lists of integers by name.
    """

    operator: str
    inputs: tuple[str, ...]
    output: str
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of a network, from its last feature map to its logits.

    Args:
        tensor: Name of the map in the file, float32 ``[N, c, h, w]``.
        nodes: A chain: the first takes the map, each other the output of the one before.
        weights: The other inputs of the nodes, by name.
    """

    tensor: str
    nodes: tuple[Node, ...]
    weights: Mapping[str, npt.NDArray[np.float32]]


def map_layers(data: bytes, output: str) -> tuple[MapLayer, ...]:
    """The convolutions and poolings that an output depends on, in order.

    Operations before the pixels are scaled, such as a gray network's luma, do not count.

    Raises:
        ValueError: If there is no such output.
    """
    graph, shapes = _opened(data)
    nodes = _needed_for(graph, [output])
    consumers: dict[str, list[onnx.NodeProto]] = {}
    for node in nodes:
        for name in node.input:
            consumers.setdefault(name, []).append(node)
    scaled: set[str] = set()
    found: list[MapLayer] = []
    for node in nodes:
        if node.op_type == "DequantizeLinear" or scaled.intersection(node.input):
            scaled.update(node.output)
            if node.op_type in _MAP_OPERATORS:
                found.append(_layer(node.output[0], consumers, shapes))
    return tuple(found)


def weight(data: bytes, name: str) -> npt.NDArray[np.float32]:
    """A weight, by its name in :func:`tellapart.graph.layers.weight_shapes`.

    Raises:
        ValueError: If there is none of this name.
    """
    from onnx import load_model_from_string

    for one in load_model_from_string(data).graph.initializer:
        if one.name == name:
            return _array(one)
    raise ValueError(f"it has no weight {name!r}")


def extract(data: bytes, outputs: Sequence[str], *, start: str | None = None) -> bytes:
    """The part of a network that computes some of its tensors, as a file of its own.

    Args:
        data: The file.
        outputs: Names of float32 tensors in the file; they are the outputs of the part.
        start: Name of a float32 tensor ``[N, D]`` in the file that is the input of the part; the
            pixels unless given.

    Raises:
        ValueError: If there is no such output, or if it depends on more than ``start``.
    """
    from onnx import TensorProto, helper, load_model_from_string

    model = load_model_from_string(data)
    nodes = _needed_for(model.graph, outputs, start)
    inputs = list(model.graph.input)
    if start is not None:
        inputs = [helper.make_tensor_value_info(start, TensorProto.FLOAT, ["N", None])]
    used = {name for node in nodes for name in node.input}
    weights = [one for one in model.graph.initializer if one.name in used]
    known = {one.name for one in (*inputs, *weights)}
    if used - known - {name for node in nodes for name in node.output}:
        raise ValueError(f"{list(outputs)} cannot be computed from {start!r} alone")
    graph = helper.make_graph(
        nodes,
        "part",
        inputs,
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        weights,
    )
    part = helper.make_model(
        graph, opset_imports=list(model.opset_import), ir_version=model.ir_version
    )
    return bytes(part.SerializeToString(deterministic=True))


def tail(data: bytes, output: str) -> Tail:
    """The operations from the last feature map of a network to the logits.

    The map is that of the last convolution or sum, after its activation. Poolings after it belong
    to the tail.

    Args:
        data: The file.
        output: Name of the output, which a softmax computes.

    Raises:
        ValueError: If there are other operations in between than tellapart writes there.
    """
    graph, shapes = _opened(data)
    makers = {name: node for node in graph.node for name in node.output}
    if output not in makers or makers[output].op_type != "Softmax":
        raise ValueError(f"no softmax computes {output!r}")
    name = makers[output].input[0]
    nodes: list[Node] = []
    while len(shapes.get(name, ())) != 4 or makers[name].op_type in _TAIL_MAP_OPERATORS:
        if name not in makers or makers[name].op_type not in _TAIL_OPERATORS:
            raise ValueError(f"the operations from its last map to {name!r} are unknown")
        nodes.append(_node(makers[name]))
        name = makers[name].input[0]
    used = {one for node in nodes for one in node.inputs[1:]}
    weights = {one.name: _array(one) for one in graph.initializer if one.name in used}
    return Tail(name, tuple(reversed(nodes)), weights)


def _opened(data: bytes) -> tuple[onnx.GraphProto, dict[str, tuple[int, ...]]]:
    """The network, and the shape of each tensor in it; a side of any length is 0."""
    from onnx import load_model_from_string, shape_inference

    graph = shape_inference.infer_shapes(load_model_from_string(data)).graph
    shapes = {
        info.name: tuple(side.dim_value for side in info.type.tensor_type.shape.dim)
        for info in (*graph.input, *graph.value_info, *graph.output)
    }
    return graph, shapes


def _needed_for(
    graph: onnx.GraphProto, outputs: Sequence[str], start: str | None = None
) -> list[onnx.NodeProto]:
    """The nodes that compute some tensors, from ``start`` on, in the file's order."""
    makers = {name: index for index, node in enumerate(graph.node) for name in node.output}
    unknown = [name for name in outputs if name not in makers]
    if unknown:
        raise ValueError(f"it has no {unknown[0]!r}")
    pending, needed = list(outputs), set[int]()
    while pending:
        name = pending.pop()
        index = makers.get(name)
        if index is not None and index not in needed and name != start:
            needed.add(index)
            pending.extend(graph.node[index].input)
    return [graph.node[index] for index in sorted(needed)]


def _layer(
    tensor: str,
    consumers: Mapping[str, list[onnx.NodeProto]],
    shapes: Mapping[str, tuple[int, ...]],
) -> MapLayer:
    following = consumers.get(tensor, [])
    if len(following) == 1 and following[0].op_type in _ACTIVATIONS:
        tensor = following[0].output[0]
    _, channels, height, width = shapes[tensor]
    return MapLayer(tensor.removesuffix("/nchw"), tensor, (height, width, channels))


def _node(node: onnx.NodeProto) -> Node:
    from onnx import helper

    attributes = {one.name: helper.get_attribute_value(one) for one in node.attribute}
    return Node(node.op_type, tuple(node.input), node.output[0], attributes)


def _array(tensor: onnx.TensorProto) -> npt.NDArray[np.float32]:
    from onnx import numpy_helper

    return np.asarray(numpy_helper.to_array(tensor), np.float32)
