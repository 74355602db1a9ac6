"""A network as data: layers in a table, shapes worked out from it, no engine in sight.

Who does what: a :class:`Graph` names its layers in order and says which tensors are
outputs; :func:`shapes` walks the table; :mod:`tellapart.graph.onnx_writer` turns table and
NumPy weights into an ONNX file. Any other engine that wants to build the same network
reads the same table. What only training needs (``norm``, ``dropout``) stands in it too, and is
gone from the file: normalization is folded into kernel and bias, dropping is switched off.

Shapes are written channels last, ``(height, width, channels)`` or ``(features,)``, without
the batch; how an engine lays them out in memory is its own affair.

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
"""Rec. 601 luma in 65536ths, as :func:`tellapart.images.luma`; half is added, the rest cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """What every layer has.

    Args:
        name: Its own name and that of the tensor it makes.
        inputs: Names of the tensors it takes; empty for the layer before it.
    """

    name: str
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Luma(Layer):
    """RGB to gray: uint8 ``(h, w, 3)`` to uint8 ``(h, w, 1)``, :func:`tellapart.images.luma`.

    Only the first layer can be this one; it makes the network a gray one.
    """

    name: str


@dataclass(frozen=True, slots=True)
class Scale(Layer):
    """uint8 to float32: ``(x - zero) * scale``.

    Args:
        name: As in :class:`Layer`.
        scale: Factor, one for all channels.
        zero: The level that becomes 0.0, and so what padding looks like.
    """

    name: str
    scale: float = 1 / 255
    zero: int = 0


@dataclass(frozen=True, slots=True)
class Conv(Layer):
    """A 2-D convolution with bias. Weights ``NAME/kernel`` and ``NAME/bias``.

    Args:
        name: As in :class:`Layer`.
        filters: Channels it makes.
        kernel: Side of the square kernel.
        stride: Step in both directions.
        groups: Groups of channels; as many as channels for a depthwise convolution.
        activation: What follows, or None.
        padding: ``"same"`` pads as TensorFlow does: the output has ``ceil(n / stride)``
            rows, and where the padding is odd, the larger half goes below and right.
        norm: Whether batch normalization stands before the activation in training. In
            the weights of a graph it is folded into kernel and bias.
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
        name: As in :class:`Layer`.
        activation: What follows, or None.
    """

    name: str
    activation: Activation | None = None


@dataclass(frozen=True, slots=True)
class MaxPool(Layer):
    """The largest of each square; rows and columns left over are dropped.

    Args:
        name: As in :class:`Layer`.
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
        name: As in :class:`Layer`.
        units: Numbers it makes.
        activation: What follows, or None.
        dropout: Share of its inputs that training leaves out at random, another each step.
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
        size: Height and width of the pictures it takes.
        layers: In an order in which each stands after what it takes.
        outputs: Names of the tensors it gives, all float32 and channels last.
    """

    size: tuple[int, int]
    layers: tuple[Layer, ...]
    outputs: tuple[str, ...]


def wired(graph: Graph) -> list[tuple[Layer, tuple[str, ...]]]:
    """Each layer with the names of the tensors it takes, the implied ones filled in.

    Raises:
        ValueError: If a name occurs twice or is used before it is made, or pixels are
            taken by what does not take pixels.
    """
    before = INPUT
    made, levels = {INPUT}, {INPUT}
    pairs: list[tuple[Layer, tuple[str, ...]]] = []
    for layer in graph.layers:
        inputs = layer.inputs or (before,)
        unknown = [name for name in inputs if name not in made]
        if unknown or layer.name in made:
            raise ValueError(f"layer {layer.name!r} cannot take {unknown} or reuses a name")
        _check_type(layer, inputs, levels)
        made.add(layer.name)
        if isinstance(layer, Luma):
            levels.add(layer.name)
        before = layer.name
        pairs.append((layer, inputs))
    missing = [name for name in graph.outputs if name not in made or name in levels]
    if missing:
        raise ValueError(f"no layer makes the outputs {missing}")
    return pairs


def _check_type(layer: Layer, inputs: tuple[str, ...], levels: set[str]) -> None:
    """Pixels are uint8, all that is computed from them float32; only `Scale` leads across."""
    if isinstance(layer, Luma):
        if inputs != (INPUT,):
            raise ValueError(f"{layer.name!r}: luma is of the picture itself, not of {inputs}")
    elif isinstance(layer, Scale) != (inputs[0] in levels):
        raise ValueError(f"layer {layer.name!r} cannot take {inputs}: pixels are scaled, once")


def is_gray(graph: Graph) -> bool:
    """Whether a network sees the luma of a picture alone."""
    return any(isinstance(layer, Luma) for layer in graph.layers)


def leading_to(graph: Graph, name: str) -> list[tuple[Layer, tuple[str, ...]]]:
    """Those of :func:`wired` that the tensor ``name`` needs, in order.

    Raises:
        ValueError: If no layer makes it.
    """
    wanted, kept = {name}, []
    for layer, inputs in reversed(wired(graph)):
        if layer.name in wanted:
            wanted.update(inputs)
            kept.append((layer, inputs))
    if not kept:
        raise ValueError(f"no layer makes {name!r}")
    return kept[::-1]


def shapes(graph: Graph) -> Mapping[str, Shape]:
    """Shape of every tensor by name, channels last and without the batch.

    Raises:
        ValueError: If the layers do not fit each other.
    """
    known: dict[str, Shape] = {INPUT: (*graph.size, 3)}
    for layer, inputs in wired(graph):
        known[layer.name] = _shape(layer, [known[name] for name in inputs])
    return known


def _shape(layer: Layer, given: list[Shape]) -> Shape:
    first = given[0]
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
            if len(given) != 2 or given[1] != first:
                raise ValueError(f"{layer.name!r}: cannot add shapes {given}")
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
    """Rows of padding before and after, as TensorFlow's ``SAME`` places them."""
    total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
    return total // 2, total - total // 2


def weight_shapes(graph: Graph) -> Mapping[str, Shape]:
    """Shape of every weight the graph wants, by name.

    Convolutions: kernel ``(filters, channels / groups, k, k)``; dense layers: kernel
    ``(inputs, units)``; biases ``(filters,)`` and ``(units,)``. All float32.
    """
    known = shapes(graph)
    wanted: dict[str, Shape] = {}
    for layer, inputs in wired(graph):
        channels = known[inputs[0]][-1]
        if isinstance(layer, Conv):
            kernel = (layer.filters, channels // layer.groups, layer.kernel, layer.kernel)
            wanted[f"{layer.name}/kernel"] = kernel
            wanted[f"{layer.name}/bias"] = (layer.filters,)
        elif isinstance(layer, Dense):
            wanted[f"{layer.name}/kernel"] = (channels, layer.units)
            wanted[f"{layer.name}/bias"] = (layer.units,)
    return wanted
