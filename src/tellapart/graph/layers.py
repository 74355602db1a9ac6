"""A network as a table of layers, independent of any engine.

A :class:`Graph` lists layers in order and names its outputs. :mod:`tellapart.graph.onnx_writer`
writes table and NumPy weights as an ONNX file; ``networks`` builds a Keras model from the same
table. ``norm`` and ``dropout`` are for training only: the file has normalization folded into kernel
and bias, and no dropout.

Shapes are channels last, ``(height, width, channels)`` or ``(features,)``, without the batch.

Example:
    >>> graph = Graph(
    ...     size=(8, 8),
    ...     layers=(
    ...         Scale("scaled", scale=1 / 255),
    ...         Conv("edges", filters=4, kernel=3, activation="relu"),
    ...         GlobalAveragePool("pooled"),
    ...         Dense("logits", units=2),
    ...         Softmax("probabilities"),
    ...     ),
    ...     outputs=("probabilities",),
    ... )
    >>> shapes(graph)["edges"]
    (8, 8, 4)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Literal

Activation = Literal["relu", "relu6"]
Shape = tuple[int, ...]

INPUT = "image"
"""Name of every graph's input: uint8 ``[N, H, W, 3]``, RGB."""

LUMA_WEIGHTS = (19595, 38470, 7471)
"""Rec. 601 luma in 65536ths, as :func:`tellapart.images.luma`, which rounds to nearest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """Base of all layers.

    Args:
        name: Name of the layer and of its output tensor.
        inputs: Names of its input tensors; if empty, the output of the layer before it.
    """

    name: str
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Luma(Layer):
    """RGB to gray: uint8 ``(h, w, 3)`` to uint8 ``(h, w, 1)``, :func:`tellapart.images.luma`.

    Can only be the first layer; it makes the network a gray one.
    """

    name: str


@dataclass(frozen=True, slots=True)
class Scale(Layer):
    """uint8 to float32: ``(x - zero) * scale``.

    Args:
        scale: Factor, one for all channels.
        zero: The level that becomes 0.0; padding looks like it.
    """

    name: str
    scale: float = 1 / 255
    zero: int = 0


@dataclass(frozen=True, slots=True)
class Conv(Layer):
    """A 2-D convolution with bias. Weights ``NAME/kernel`` and ``NAME/bias``.

    Args:
        filters: Channels of the output.
        kernel: Side of the square kernel.
        stride: Step in both directions.
        groups: Groups of channels; as many as channels for a depthwise convolution.
        activation: Applied to the output.
        padding: ``"same"`` pads as TensorFlow does: the output has ``ceil(n / stride)`` rows,
            and the larger half of an odd padding goes below and right.
        norm: Whether training has batch normalization before the activation. In the weights of
            a graph it is folded into kernel and bias.
    """

    name: str
    filters: int = 1
    kernel: int = 1
    stride: int = 1
    groups: int = 1
    activation: Activation | None = None
    padding: Literal["same", "valid"] = "same"
    norm: bool = False


@dataclass(frozen=True, slots=True)
class Add(Layer):
    """The sum of two tensors of one shape: a residual connection.

    Args:
        activation: Applied to the sum.
    """

    name: str
    activation: Activation | None = None


@dataclass(frozen=True, slots=True)
class MaxPool(Layer):
    """The maximum of each square; rows and columns left over are dropped.

    Args:
        size: Side of the square, and step.
    """

    name: str
    size: int = 2


@dataclass(frozen=True, slots=True)
class Flatten(Layer):
    """A map as one vector: ``(h, w, c)`` to ``(h * w * c,)``, channels changing fastest."""

    name: str


@dataclass(frozen=True, slots=True)
class GlobalAveragePool(Layer):
    """The mean over height and width: ``(h, w, c)`` to ``(c,)``."""

    name: str


@dataclass(frozen=True, slots=True)
class Dense(Layer):
    """``x @ kernel + bias``. Weights ``NAME/kernel`` and ``NAME/bias``.

    Args:
        units: Length of the output.
        activation: Applied to the output.
        dropout: Share of its inputs that training sets to zero, drawn anew at each step.
    """

    name: str
    units: int = 1
    activation: Activation | None = None
    dropout: float = 0.0


@dataclass(frozen=True, slots=True)
class Softmax(Layer):
    """Logits to probabilities, over the last axis."""

    name: str


@dataclass(frozen=True, slots=True)
class Graph:
    """A whole network.

    Args:
        size: Height and width of the input pictures.
        layers: Each comes after the layers that it takes its inputs from.
        outputs: Names of the output tensors, all float32 and channels last.
    """

    size: tuple[int, int]
    layers: tuple[Layer, ...]
    outputs: tuple[str, ...]


def with_inputs(graph: Graph) -> list[tuple[Layer, tuple[str, ...]]]:
    """Each layer with the names of its input tensors, also where the table leaves them out.

    Raises:
        ValueError: If a name occurs twice or is used before its layer, or a layer has inputs of
            the wrong type.
    """
    before = INPUT
    known, uint8 = {INPUT}, {INPUT}
    pairs: list[tuple[Layer, tuple[str, ...]]] = []
    for layer in graph.layers:
        inputs = layer.inputs or (before,)
        unknown = [name for name in inputs if name not in known]
        if unknown or layer.name in known:
            raise ValueError(f"layer {layer.name!r} cannot take {unknown} or reuses a name")
        if isinstance(layer, Luma):
            if inputs != (INPUT,):
                raise ValueError(f"{layer.name!r}: luma is of the picture itself, not of {inputs}")
            uint8.add(layer.name)
        elif isinstance(layer, Scale) != (inputs[0] in uint8):
            raise ValueError(f"layer {layer.name!r} cannot take {inputs}: pixels are scaled, once")
        known.add(layer.name)
        before = layer.name
        pairs.append((layer, inputs))
    missing = [name for name in graph.outputs if name not in known or name in uint8]
    if missing:
        raise ValueError(f"no layer has the outputs {missing}")
    return pairs


def is_gray(graph: Graph) -> bool:
    """Whether a network sees only the luma of a picture."""
    return any(isinstance(layer, Luma) for layer in graph.layers)


def needed_for(graph: Graph, name: str) -> list[tuple[Layer, tuple[str, ...]]]:
    """The pairs of :func:`with_inputs` that the tensor ``name`` depends on, in order.

    Raises:
        ValueError: If there is no layer of that name.
    """
    needed, kept = {name}, []
    for layer, inputs in reversed(with_inputs(graph)):
        if layer.name in needed:
            needed.update(inputs)
            kept.append((layer, inputs))
    if not kept:
        raise ValueError(f"no layer is called {name!r}")
    return kept[::-1]


def shapes(graph: Graph) -> Mapping[str, Shape]:
    """Shape of every tensor by name, channels last and without the batch.

    Raises:
        ValueError: If the layers do not fit each other.
    """
    known: dict[str, Shape] = {INPUT: (*graph.size, 3)}
    for layer, inputs in with_inputs(graph):
        known[layer.name] = _shape(layer, [known[name] for name in inputs])
    return known


def _shape(layer: Layer, inputs: list[Shape]) -> Shape:
    first = inputs[0]
    match layer:
        case Luma():
            return (*first[:2], 1)
        case MaxPool():
            rows, columns = first[0] // layer.size, first[1] // layer.size
            if rows < 1 or columns < 1:
                raise ValueError(f"{layer.name!r}: a {first[0]}x{first[1]} map is too small")
            return (rows, columns, first[2])
        case Flatten():
            return (prod(first),)
        case Conv():
            height, width, channels = first
            if channels % layer.groups or layer.filters % layer.groups:
                raise ValueError(f"{layer.name!r}: {layer.groups} groups do not fit {channels}")
            rows, columns = (
                -(-side // layer.stride)
                if layer.padding == "same"
                else (side - layer.kernel) // layer.stride + 1
                for side in (height, width)
            )
            if rows < 1 or columns < 1:
                raise ValueError(f"{layer.name!r}: a {height}x{width} map is too small")
            return (rows, columns, layer.filters)
        case Add():
            if len(inputs) != 2 or inputs[1] != first:
                raise ValueError(f"{layer.name!r}: cannot add shapes {inputs}")
            return first
        case GlobalAveragePool():
            return (first[2],)
        case Dense():
            if len(first) != 1:
                raise ValueError(f"{layer.name!r}: a dense layer takes a vector, not {first}")
            return (layer.units,)
        case _:
            return first


def same_padding(side: int, kernel: int, stride: int) -> tuple[int, int]:
    """Rows of padding before and after, as TensorFlow's ``SAME`` pads."""
    total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
    return total // 2, total - total // 2


def weight_shapes(graph: Graph) -> Mapping[str, Shape]:
    """Shape of every weight of a graph, by name.

    Convolutions: kernel ``(filters, channels / groups, k, k)``; dense layers: kernel
    ``(inputs, units)``; biases ``(filters,)`` and ``(units,)``. All float32.
    """
    known = shapes(graph)
    weights: dict[str, Shape] = {}
    for layer, inputs in with_inputs(graph):
        channels = known[inputs[0]][-1]
        if isinstance(layer, Conv):
            kernel = (layer.filters, channels // layer.groups, layer.kernel, layer.kernel)
            weights[f"{layer.name}/kernel"] = kernel
            weights[f"{layer.name}/bias"] = (layer.filters,)
        elif isinstance(layer, Dense):
            weights[f"{layer.name}/kernel"] = (channels, layer.units)
            weights[f"{layer.name}/bias"] = (layer.units,)
    return weights
