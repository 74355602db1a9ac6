"""A network as data: layers in a table, shapes worked out from it, no engine in sight.

Who does what: a :class:`Graph` names its layers in order and says which tensors are
outputs; :func:`shapes` walks the table; :mod:`tellapart.graphs.onnx_writer` turns table and
NumPy weights into an ONNX file. Any other engine that wants to build the same network
reads the same table.

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
from typing import Literal

Activation = Literal["relu", "relu6"]
Shape = tuple[int, ...]

INPUT = "image"
"""Name of every graph's input: uint8 ``[N, H, W, 3]``, RGB."""


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
    """

    name: str
    filters: int = 1
    kernel: int = 1
    stride: int = 1
    groups: int = 1
    activation: Activation | None = None
    padding: Literal["same", "valid"] = "same"


@dataclass(frozen=True, slots=True)
class Add(Layer):
    """The sum of two tensors of one shape: a residual connection."""

    name: str


@dataclass(frozen=True, slots=True)
class GlobalAveragePool(Layer):
    """The mean over height and width: ``(h, w, c)`` to ``(c,)``."""

    name: str


@dataclass(frozen=True, slots=True)
class Dense(Layer):
    """``x @ kernel + bias``. Weights ``NAME/kernel`` and ``NAME/bias``."""

    name: str
    units: int = 1
    activation: Activation | None = None


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
        ValueError: If a name occurs twice or is used before it is made.
    """
    before = INPUT
    made = {INPUT}
    pairs: list[tuple[Layer, tuple[str, ...]]] = []
    for layer in graph.layers:
        inputs = layer.inputs or (before,)
        unknown = [name for name in inputs if name not in made]
        if unknown or layer.name in made:
            raise ValueError(f"layer {layer.name!r} cannot take {unknown} or reuses a name")
        made.add(layer.name)
        before = layer.name
        pairs.append((layer, inputs))
    missing = [name for name in graph.outputs if name not in made]
    if missing:
        raise ValueError(f"no layer makes the outputs {missing}")
    return pairs


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
