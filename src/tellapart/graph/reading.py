"""Read a network back from its ONNX file: its maps, its numbers, and the way to its answer.

The file alone is asked, so what is found holds for every file that
:mod:`tellapart.graph.onnx_writer` wrote, whichever engine trained it. Only files that
:func:`tellapart.graph.containment.check_contained` let pass are given to these functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import onnx

_MAKES_MAPS = frozenset({"Conv", "MaxPool"})
_ACTIVATIONS = frozenset({"Relu", "Clip"})
# What may stand between the last map and the logits, and what of it takes and gives maps.
_IN_TAILS = frozenset(
    {"Clip", "Flatten", "Gemm", "GlobalAveragePool", "MaxPool", "Relu", "Transpose"}
)
_PASSED = frozenset({"GlobalAveragePool", "MaxPool", "Transpose"})


@dataclass(frozen=True, slots=True)
class MapLayer:
    """A convolution or a pooling on the way to an output.

    Args:
        name: The layer's.
        tensor: Name of its output inside the file, channels first, behind its activation.
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
        taken: Names of the tensors it takes, numbers of the file among them.
        made: Name of the tensor it makes.
        attributes: Integers, floats and lists of integers by name.
    """

    operator: str
    taken: tuple[str, ...]
    made: str
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of a network, from its last map to its logits.

    Args:
        tensor: Name of the map inside the file, float32 ``[N, c, h, w]``.
        nodes: From the map on, each taking what the one before made.
        numbers: What the nodes take besides, by name.
    """

    tensor: str
    nodes: tuple[Node, ...]
    numbers: Mapping[str, npt.NDArray[np.float32]]


def map_layers(data: bytes, output: str) -> tuple[MapLayer, ...]:
    """The convolutions and poolings that an output follows from, in order.

    What stands before the pixels are scaled, such as a grey network's luma, is no layer of it.

    Args:
        data: The file.
        output: Name of one of its outputs.

    Raises:
        ValueError: If there is no such output.
    """
    graph, shapes = _opened(data)
    nodes = _behind(graph, [output])
    takers: dict[str, list[onnx.NodeProto]] = {}
    for node in nodes:
        for name in node.input:
            takers.setdefault(name, []).append(node)
    scaled: set[str] = set()
    found: list[MapLayer] = []
    for node in nodes:
        if node.op_type == "DequantizeLinear" or scaled.intersection(node.input):
            scaled.update(node.output)
            if node.op_type in _MAKES_MAPS:
                found.append(_layer(node.output[0], takers, shapes))
    return tuple(found)


def number(data: bytes, name: str) -> npt.NDArray[np.float32]:
    """One of the file's weights, by the name it has in the graph's table.

    Raises:
        ValueError: If there is none of this name.
    """
    from onnx import load_model_from_string

    for one in load_model_from_string(data).graph.initializer:
        if one.name == name:
            return _array(one)
    raise ValueError(f"it holds no numbers called {name!r}")


def giving(data: bytes, tensors: Sequence[str]) -> bytes:
    """The beginning of a network, as a file that gives some tensors from inside it.

    Args:
        data: The file.
        tensors: Names of float32 tensors inside it: the outputs of what is returned.

    Raises:
        ValueError: If it makes no such tensor.
    """
    from onnx import TensorProto, helper, load_model_from_string

    model = load_model_from_string(data)
    nodes = _behind(model.graph, tensors)
    taken = {name for node in nodes for name in node.input}
    graph = helper.make_graph(
        nodes,
        "beginning",
        list(model.graph.input),
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in tensors],
        [one for one in model.graph.initializer if one.name in taken],
    )
    part = helper.make_model(
        graph, opset_imports=list(model.opset_import), ir_version=model.ir_version
    )
    return bytes(part.SerializeToString(deterministic=True))


def tail(data: bytes, output: str) -> Tail:
    """What follows the last map of a network, up to what its softmax takes.

    The map is that of the last convolution or sum, behind its activation; poolings behind it
    belong to the tail.

    Args:
        data: The file.
        output: Name of the output that a softmax makes.

    Raises:
        ValueError: If something else than dense layers stands between.
    """
    graph, shapes = _opened(data)
    makers = {name: node for node in graph.node for name in node.output}
    if output not in makers or makers[output].op_type != "Softmax":
        raise ValueError(f"no softmax makes {output!r}")
    name = makers[output].input[0]
    nodes: list[Node] = []
    while len(shapes.get(name, ())) != 4 or makers[name].op_type in _PASSED:
        if name not in makers or makers[name].op_type not in _IN_TAILS:
            raise ValueError(f"the way from its last map to {name!r} is unknown")
        nodes.append(_node(makers[name]))
        name = makers[name].input[0]
    taken = {one for node in nodes for one in node.taken[1:]}
    numbers = {one.name: _array(one) for one in graph.initializer if one.name in taken}
    return Tail(name, tuple(reversed(nodes)), numbers)


def _opened(data: bytes) -> tuple[onnx.GraphProto, dict[str, tuple[int, ...]]]:
    """The network, and the shape of each tensor in it, with 0 for what is not fixed."""
    from onnx import load_model_from_string, shape_inference

    graph = shape_inference.infer_shapes(load_model_from_string(data)).graph
    shapes = {
        info.name: tuple(side.dim_value for side in info.type.tensor_type.shape.dim)
        for info in (*graph.input, *graph.value_info, *graph.output)
    }
    return graph, shapes


def _behind(graph: onnx.GraphProto, outputs: Iterable[str]) -> list[onnx.NodeProto]:
    """The nodes that some tensors follow from, in the file's order."""
    makers = {name: place for place, node in enumerate(graph.node) for name in node.output}
    wanted, places = list(outputs), set[int]()
    for name in wanted:
        if name not in makers:
            raise ValueError(f"it makes no {name!r}")
    while wanted:
        place = makers.get(wanted.pop())
        if place is not None and place not in places:
            places.add(place)
            wanted.extend(graph.node[place].input)
    return [graph.node[place] for place in sorted(places)]


def _layer(
    tensor: str,
    takers: Mapping[str, list[onnx.NodeProto]],
    shapes: Mapping[str, tuple[int, ...]],
) -> MapLayer:
    following = takers.get(tensor, [])
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
