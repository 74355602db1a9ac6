"""A graph table and its NumPy weights, written as an ONNX file.

The file says everything itself: it takes the uint8 pictures and scales them inside. The
same table and weights give the same bytes, on every machine and at any time.

Conventions kept throughout: opset 17 and IR version 8, which every ONNX Runtime since 1.12
reads; channels first inside, since its kernels want that, and channels last at both ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tellapart.graph.layers import (
    INPUT,
    LUMA_WEIGHTS,
    Activation,
    Add,
    Conv,
    Dense,
    Flatten,
    GlobalAveragePool,
    Graph,
    Layer,
    Luma,
    MaxPool,
    Scale,
    Shape,
    Softmax,
    same_padding,
    shapes,
    weight_shapes,
    wired,
)

if TYPE_CHECKING:
    import onnx

OPSET = 17
IR_VERSION = 8

OPERATORS = frozenset(
    {"Add", "Cast", "Clip", "Conv", "DequantizeLinear", "Flatten", "Floor", "Gemm"}
    | {"GlobalAveragePool", "MaxPool", "Relu", "Softmax", "Transpose"}
)
"""All that is ever written here, and so all that a file is allowed to hold when it is read."""

Weights = Mapping[str, npt.NDArray[np.float32]]


def to_onnx(graph: Graph, weights: Weights, *, metadata: Mapping[str, str] | None = None) -> bytes:
    """Build the ONNX file of a network.

    Args:
        graph: The layers.
        weights: By the names and shapes of :func:`tellapart.graph.layers.weight_shapes`.
        metadata: Texts to carry in the file.

    Returns:
        The file. Its input is ``image``, uint8 ``[N, H, W, 3]``; its outputs are those of the
        graph, float32, ``[N, h, w, c]`` or ``[N, c]``.

    Raises:
        ValueError: If layers or weights do not fit each other.
    """
    from onnx import TensorProto, helper

    _check(graph, weights)
    builder = _Builder(shapes(graph))
    for layer, inputs in wired(graph):
        builder.add(layer, inputs, weights)
    for name in graph.outputs:
        builder.give(name)
    height, width = graph.size
    model = helper.make_model(
        helper.make_graph(
            builder.nodes,
            "tellapart",
            [helper.make_tensor_value_info(INPUT, TensorProto.UINT8, ["N", height, width, 3])],
            [
                helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", *builder.shapes[name]])
                for name in graph.outputs
            ],
            list(builder.tensors.values()),
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="tellapart",
    )
    if metadata:
        helper.set_model_props(model, dict(metadata))
    return bytes(model.SerializeToString(deterministic=True))


def _check(graph: Graph, weights: Weights) -> None:
    wanted = weight_shapes(graph)
    for name, shape in wanted.items():
        if name not in weights:
            raise ValueError(f"no weight {name!r}")
        if weights[name].shape != shape:
            raise ValueError(f"weight {name!r} has shape {weights[name].shape}, not {shape}")
    surplus = sorted(set(weights) - set(wanted))
    if surplus:
        raise ValueError(f"no layer takes the weights {surplus}")


class _Builder:
    """Collects nodes and tensors; a graph output is the channels-first tensor, renamed."""

    def __init__(self, known: Mapping[str, Shape]) -> None:
        self.shapes = known
        self.nodes: list[onnx.NodeProto] = []
        self.tensors: dict[str, onnx.TensorProto] = {}

    def add(self, layer: Layer, inputs: tuple[str, ...], weights: Weights) -> None:
        taken = [_inner(name, self.shapes) for name in inputs]
        made = _inner(layer.name, self.shapes)
        match layer:
            case Luma():
                self._luma(layer, taken[0], made)
            case Scale():
                self._scale(layer, taken[0], made)
            case Conv():
                self._conv(layer, taken[0], made, self.shapes[inputs[0]], weights)
            case Add():
                self._activated("Add", taken, made, layer.activation)
            case MaxPool():
                sides = [layer.size] * 2
                self._node("MaxPool", taken, made, kernel_shape=sides, strides=sides)
            case Flatten():
                last = taken[0]
                if len(self.shapes[inputs[0]]) == 3:
                    last = self._node("Transpose", taken, f"{made}/nhwc", perm=[0, 2, 3, 1])
                self._node("Flatten", [last], made)
            case GlobalAveragePool():
                self._node("GlobalAveragePool", taken, f"{made}/pooled")
                self._node("Flatten", [f"{made}/pooled"], made)
            case Dense():
                names = [self._tensor(f"{layer.name}/{part}", weights) for part in _PARTS]
                self._activated("Gemm", [taken[0], *names], made, layer.activation)
            case Softmax():
                if len(self.shapes[layer.name]) != 1:
                    raise ValueError(f"{layer.name!r}: softmax is for vectors")
                self._node("Softmax", taken, made, axis=-1)
            case _:
                raise ValueError(f"no ONNX form for {type(layer).__name__}")

    def give(self, name: str) -> None:
        """Make the tensor ``name`` as a caller wants it: channels last."""
        if len(self.shapes[name]) == 3:
            self._node("Transpose", [_inner(name, self.shapes)], name, perm=[0, 2, 3, 1])

    def _luma(self, layer: Luma, taken: str, made: str) -> None:
        # Exact in float32: every sum of these products is a whole number of 65536ths below
        # 2 ** 24, in whatever order it is added up.
        from onnx import TensorProto

        weights = np.array(LUMA_WEIGHTS, np.float32).reshape(1, 3, 1, 1)
        constants: dict[str, npt.NDArray[np.generic]] = {
            f"{layer.name}/weights": weights / np.float32(65536),
            f"{layer.name}/half": np.array([0.5], np.float32),
        }
        names = [self._tensor(name, constants) for name in constants]
        self._node("Transpose", [taken], f"{made}/levels", perm=[0, 3, 1, 2])
        self._node("Cast", [f"{made}/levels"], f"{made}/float", to=TensorProto.FLOAT)
        self._node("Conv", [f"{made}/float", *names], f"{made}/sum", kernel_shape=[1, 1])
        self._node("Floor", [f"{made}/sum"], f"{made}/whole")
        self._node("Cast", [f"{made}/whole"], made, to=TensorProto.UINT8)

    def _scale(self, layer: Scale, taken: str, made: str) -> None:
        # One pass over the pixels; cast, subtraction and division as nodes of their own give the
        # same numbers in three.
        constants: dict[str, npt.NDArray[np.generic]] = {
            f"{layer.name}/scale": np.array(layer.scale, np.float32),
            f"{layer.name}/zero": np.array(layer.zero, np.uint8),
        }
        names = [self._tensor(name, constants) for name in constants]
        if taken == INPUT:
            taken = self._node("Transpose", [taken], f"{made}/levels", perm=[0, 3, 1, 2])
        self._node("DequantizeLinear", [taken, *names], made)

    def _conv(self, layer: Conv, taken: str, made: str, shape: Shape, weights: Weights) -> None:
        pads = [(0, 0), (0, 0)]
        if layer.padding == "same":
            pads = [same_padding(side, layer.kernel, layer.stride) for side in shape[:2]]
        names = [self._tensor(f"{layer.name}/{part}", weights) for part in _PARTS]
        self._activated(
            "Conv",
            [taken, *names],
            made,
            layer.activation,
            kernel_shape=[layer.kernel] * 2,
            strides=[layer.stride] * 2,
            pads=[pads[0][0], pads[1][0], pads[0][1], pads[1][1]],
            group=layer.groups,
        )

    def _activated(
        self,
        operator: str,
        taken: list[str],
        made: str,
        activation: Activation | None,
        **attributes: Any,
    ) -> None:
        if activation is None:
            self._node(operator, taken, made, **attributes)
            return
        self._node(operator, taken, f"{made}/linear", **attributes)
        if activation == "relu":
            self._node("Relu", [f"{made}/linear"], made)
        else:
            limits = {"zero": np.array(0, np.float32), "six": np.array(6, np.float32)}
            bounds = [self._tensor(name, limits) for name in limits]
            self._node("Clip", [f"{made}/linear", *bounds], made)

    def _tensor(self, name: str, values: Mapping[str, npt.NDArray[np.generic]]) -> str:
        from onnx import numpy_helper

        if name not in self.tensors:
            # Shape kept as it is: ascontiguousarray would make a scalar a vector.
            self.tensors[name] = numpy_helper.from_array(np.asarray(values[name], order="C"), name)
        return name

    def _node(self, operator: str, taken: list[str], made: str, **attributes: Any) -> str:
        from onnx import helper

        self.nodes.append(helper.make_node(operator, taken, [made], name=made, **attributes))
        return made


_PARTS = ("kernel", "bias")


def _inner(name: str, known: Mapping[str, Shape]) -> str:
    """Name of a tensor inside the file: maps are channels first there, so they differ."""
    return f"{name}/nchw" if len(known[name]) == 3 and name != INPUT else name
