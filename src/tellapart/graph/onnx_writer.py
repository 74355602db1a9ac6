"""Write a table of layers and its NumPy weights as an ONNX file.

The network takes uint8 pictures and scales them itself. The same table and weights give the same
bytes on every machine.

The file has opset 17 and IR version 8, which every ONNX Runtime since 1.12 reads. Tensors are
channels last at both ends, and channels first in between, as ONNX's operators are.
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
    with_inputs,
)

if TYPE_CHECKING:
    import onnx

OPSET = 17
IR_VERSION = 8

OPERATORS = frozenset(
    {"Add", "Cast", "Clip", "Conv", "DequantizeLinear", "Flatten", "Floor", "Gemm"}
    | {"GlobalAveragePool", "MaxPool", "Relu", "Softmax", "Transpose"}
)
"""The operators written here, and so all that :mod:`tellapart.graph.safety` allows in a file."""

Weights = Mapping[str, npt.NDArray[np.float32]]


def to_onnx(graph: Graph, weights: Weights, *, metadata: Mapping[str, str] | None = None) -> bytes:
    """Build the ONNX file of a network.

    Args:
        graph: The layers.
        weights: By the names and shapes of :func:`tellapart.graph.layers.weight_shapes`.
        metadata: Texts to store in the file.

    Returns:
        The file. Its input is ``image``, uint8 ``[N, H, W, 3]``; its outputs are those of the
        graph, float32, ``[N, h, w, c]`` or ``[N, c]``.

    Raises:
        ValueError: If layers or weights do not fit together.
    """
    from onnx import TensorProto, helper

    _check_weights(graph, weights)
    builder = _Builder(shapes(graph))
    for layer, inputs in with_inputs(graph):
        builder.add(layer, inputs, weights)
    for name in graph.outputs:
        builder.add_output(name)
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


def _check_weights(graph: Graph, weights: Weights) -> None:
    expected = weight_shapes(graph)
    for name, shape in expected.items():
        if name not in weights:
            raise ValueError(f"no weight {name!r}")
        if weights[name].shape != shape:
            raise ValueError(f"weight {name!r} has shape {weights[name].shape}, not {shape}")
    surplus = sorted(set(weights) - set(expected))
    if surplus:
        raise ValueError(f"no layer takes the weights {surplus}")


class _Builder:
    """Collects the nodes and tensors of the file."""

    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        self.shapes = shapes
        self.nodes: list[onnx.NodeProto] = []
        self.tensors: dict[str, onnx.TensorProto] = {}

    def add(self, layer: Layer, names: tuple[str, ...], weights: Weights) -> None:
        """Add the nodes of a layer that takes the tensors ``names``."""
        inputs = [self._inner(name) for name in names]
        output = self._inner(layer.name)
        match layer:
            case Luma():
                self._luma(layer, inputs[0], output)
            case Scale():
                self._scale(layer, inputs[0], output)
            case Conv():
                self._conv(layer, inputs[0], output, self.shapes[names[0]], weights)
            case Add():
                self._activated("Add", inputs, output, layer.activation)
            case MaxPool():
                sides = [layer.size] * 2
                self._node("MaxPool", inputs, output, kernel_shape=sides, strides=sides)
            case Flatten():
                if len(self.shapes[names[0]]) == 3:
                    inputs = [self._node("Transpose", inputs, f"{output}/nhwc", perm=[0, 2, 3, 1])]
                self._node("Flatten", inputs, output)
            case GlobalAveragePool():
                self._node("GlobalAveragePool", inputs, f"{output}/pooled")
                self._node("Flatten", [f"{output}/pooled"], output)
            case Dense():
                parameters = self._parameters(layer, weights)
                self._activated("Gemm", [inputs[0], *parameters], output, layer.activation)
            case Softmax():
                if len(self.shapes[layer.name]) != 1:
                    raise ValueError(f"{layer.name!r}: softmax is for vectors")
                self._node("Softmax", inputs, output, axis=-1)
            case _:
                raise ValueError(f"no ONNX form for {type(layer).__name__}")

    def add_output(self, name: str) -> None:
        """Add the tensor ``name`` of the graph, channels last."""
        if len(self.shapes[name]) == 3:
            self._node("Transpose", [self._inner(name)], name, perm=[0, 2, 3, 1])

    def _luma(self, layer: Luma, image: str, output: str) -> None:
        # Exact in float32: every sum of these products is a whole number of 65536ths below
        # 2 ** 24, in whatever order it is added up.
        from onnx import TensorProto

        weights = np.array(LUMA_WEIGHTS, np.float32).reshape(1, 3, 1, 1)
        constants: dict[str, npt.NDArray[np.generic]] = {
            f"{layer.name}/weights": weights / np.float32(65536),
            f"{layer.name}/half": np.array([0.5], np.float32),
        }
        names = [self._tensor(name, constants) for name in constants]
        self._node("Transpose", [image], f"{output}/levels", perm=[0, 3, 1, 2])
        self._node("Cast", [f"{output}/levels"], f"{output}/float", to=TensorProto.FLOAT)
        self._node("Conv", [f"{output}/float", *names], f"{output}/sum", kernel_shape=[1, 1])
        self._node("Floor", [f"{output}/sum"], f"{output}/whole")
        self._node("Cast", [f"{output}/whole"], output, to=TensorProto.UINT8)

    def _scale(self, layer: Scale, pixels: str, output: str) -> None:
        # One pass over the pixels; Cast, Sub and Mul would give the same numbers in three.
        constants: dict[str, npt.NDArray[np.generic]] = {
            f"{layer.name}/scale": np.array(layer.scale, np.float32),
            f"{layer.name}/zero": np.array(layer.zero, np.uint8),
        }
        names = [self._tensor(name, constants) for name in constants]
        if pixels == INPUT:
            pixels = self._node("Transpose", [pixels], f"{output}/levels", perm=[0, 3, 1, 2])
        self._node("DequantizeLinear", [pixels, *names], output)

    def _conv(self, layer: Conv, source: str, output: str, shape: Shape, weights: Weights) -> None:
        pads = [(0, 0), (0, 0)]
        if layer.padding == "same":
            pads = [same_padding(side, layer.kernel, layer.stride) for side in shape[:2]]
        self._activated(
            "Conv",
            [source, *self._parameters(layer, weights)],
            output,
            layer.activation,
            kernel_shape=[layer.kernel] * 2,
            strides=[layer.stride] * 2,
            pads=[pads[0][0], pads[1][0], pads[0][1], pads[1][1]],
            group=layer.groups,
        )

    def _activated(
        self,
        operator: str,
        inputs: list[str],
        output: str,
        activation: Activation | None,
        **attributes: Any,
    ) -> None:
        if activation is None:
            self._node(operator, inputs, output, **attributes)
            return
        self._node(operator, inputs, f"{output}/linear", **attributes)
        if activation == "relu":
            self._node("Relu", [f"{output}/linear"], output)
        else:
            limits = {"zero": np.array(0, np.float32), "six": np.array(6, np.float32)}
            bounds = [self._tensor(name, limits) for name in limits]
            self._node("Clip", [f"{output}/linear", *bounds], output)

    def _parameters(self, layer: Layer, weights: Weights) -> list[str]:
        return [self._tensor(f"{layer.name}/{part}", weights) for part in ("kernel", "bias")]

    def _tensor(self, name: str, values: Mapping[str, npt.NDArray[np.generic]]) -> str:
        from onnx import numpy_helper

        if name not in self.tensors:
            # Shape kept as it is: ascontiguousarray would make a scalar a vector.
            self.tensors[name] = numpy_helper.from_array(np.asarray(values[name], order="C"), name)
        return name

    def _node(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        from onnx import helper

        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def _inner(self, name: str) -> str:
        """Name of a tensor between the ends of the file, where maps are channels first."""
        return f"{name}/nchw" if len(self.shapes[name]) == 3 and name != INPUT else name
