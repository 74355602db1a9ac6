"""Grad-CAM and HiResCAM: where the last feature map has evidence for a class.

Both methods combine the last feature map of a convolutional network with the gradient of the
evidence for a class with respect to that map.

*Grad-CAM* weights each channel with the sum of its gradient over all places. Source: R. Selvaraju
et al., Grad-CAM: visual explanations from deep networks via gradient-based localization, ICCV 2017.
If dense layers treat each place differently, as in a network that flattens its last map, this mixes
up places: the heat map can be against a class that the network is sure of. *HiResCAM* multiplies
gradient and map place by place, so it shows at a place the evidence that comes from there. Source:
R. Draelos and L. Carin, Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional
neural networks, 2020.

For a network that ends in global average pooling and one dense layer both are the same: the
evidence in its ``logit_map``, less the biases.

Differences from the papers: the score is the evidence (:mod:`.evidence`) instead of the logit, to
which a constant could be added without changing any probability. Evidence against the class stays
in the map as negative numbers, which the paper on Grad-CAM sets to zero. The numbers are scaled so
that their mean over the places compares with the evidence; HiResCAM's mean is the evidence less
what the biases add.

Grad-CAM uses the map of the last convolution, after its activation, even if a pooling follows: each
pooled value comes from one place of it, so the channels' weights are the same for both maps, and
the convolution's map is twice as fine. HiResCAM uses the pooled map, which the dense layers see;
most places of the other have no gradient.

The few operations after that map are computed here in NumPy, forward and backward, with the weights
of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tellapart.core.typing import Floats
from tellapart.explanations.evidence import direction

if TYPE_CHECKING:
    from tellapart.graph.reading import Node, Tail
    from tellapart.model import Model

Array = npt.NDArray[np.floating[Any]]
Back = Callable[[Array], Array]
"""Turns the gradient by a node's output into the gradient by its input."""


def gradcam(model: Model, pixels: npt.NDArray[np.uint8], target: int) -> Floats:
    """The Grad-CAM map of one picture.

    Args:
        model: A model with a convolution.
        pixels: uint8 ``[S, S, 3]``, the square that the network sees.
        target: The class, ``0 .. K - 1``.

    Returns:
        float32 ``[h, w]``, the size of the last convolution's map; positive is evidence for the
        class.

    Raises:
        ModelError: If the network ends in operations that tellapart does not write.
    """
    tail, maps = model.last_map(pixels[None])
    gradient = _gradient(model, tail, maps, target)
    heat = (gradient.sum(axis=(2, 3), keepdims=True) * maps).sum(axis=1)[0]
    return np.asarray(heat, np.float32)


def hirescam(model: Model, pixels: npt.NDArray[np.uint8], target: int) -> Floats:
    """The HiResCAM map of one picture.

    Args:
        model: A model with a convolution.
        pixels: uint8 ``[S, S, 3]``, the square that the network sees.
        target: The class, ``0 .. K - 1``.

    Returns:
        float32 ``[h, w]``, the size of the last map after its pooling. Its mean is the evidence
        less what the biases after the map add.

    Raises:
        ModelError: If the network ends in operations that tellapart does not write.
    """
    tail, maps = model.last_map(pixels[None])
    value: Array = maps
    nodes = tail.nodes
    while nodes and nodes[0].operator == "MaxPool":
        value, _ = _max_pool(nodes[0], value, tail.weights)
        nodes = nodes[1:]
    rest = replace(tail, tensor=nodes[0].inputs[0], nodes=nodes)
    places = value.shape[2] * value.shape[3]
    heat = places * (_gradient(model, rest, value, target) * value).sum(axis=1)[0]
    return np.asarray(heat, np.float32)


def _gradient(model: Model, tail: Tail, maps: Array, target: int) -> Array:
    """The gradient of the evidence for a class with respect to the map, float ``[n, c, h, w]``."""
    _, back = forward(tail, maps)
    return back(direction(len(model.classes), target)[None])


def forward(tail: Tail, maps: Array) -> tuple[Array, Back]:
    """Compute the logits from the last map, and prepare the backward pass.

    Args:
        tail: The end of a network.
        maps: float ``[n, c, h, w]``.

    Returns:
        Logits float ``[n, K]``, and a function that turns the gradient of a scalar by the logits,
        float ``[n, K]``, into its gradient by the maps, float ``[n, c, h, w]``.

    Raises:
        ValueError: If an operation is used in a way that tellapart does not write.
    """
    steps: list[Back] = []
    value = maps
    for node in tail.nodes:
        value, step = _OPERATIONS[node.operator](node, value, tail.weights)
        steps.append(step)

    def back(gradient: Array) -> Array:
        for step in reversed(steps):
            gradient = step(gradient)
        return gradient

    return value, back


Weights = Mapping[str, Floats]


def _gemm(node: Node, x: Array, weights: Weights) -> tuple[Array, Back]:
    known = {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0}
    if any(known.get(name) != value for name, value in node.attributes.items()):
        raise ValueError(f"the dense layer {node.output!r} is of another kind")
    kernel = weights[node.inputs[1]]
    output = x @ kernel
    if len(node.inputs) > 2:
        output = output + weights[node.inputs[2]]
    return output, lambda gradient: gradient @ kernel.T


def _relu(node: Node, x: Array, weights: Weights) -> tuple[Array, Back]:
    return np.maximum(x, 0), lambda gradient: gradient * (x > 0)


def _clip(node: Node, x: Array, weights: Weights) -> tuple[Array, Back]:
    low, high = (weights[name] for name in node.inputs[1:3])
    return np.clip(x, low, high), lambda gradient: gradient * ((x > low) & (x < high))


def _flatten(node: Node, x: Array, weights: Weights) -> tuple[Array, Back]:
    if node.attributes.get("axis", 1) != 1:
        raise ValueError(f"{node.output!r} flattens the pictures into one")
    return x.reshape(len(x), -1), lambda gradient: gradient.reshape(x.shape)


def _transpose(node: Node, x: Array, weights: Weights) -> tuple[Array, Back]:
    order = node.attributes["perm"]
    return x.transpose(order), lambda gradient: gradient.transpose(np.argsort(order))


def _global_mean(node: Node, x: Array, weights: Weights) -> tuple[Array, Back]:
    places = x.shape[2] * x.shape[3]
    output = x.mean(axis=(2, 3), keepdims=True)
    return output, lambda gradient: np.broadcast_to(gradient / places, x.shape)


def _max_pool(node: Node, x: Array, weights: Weights) -> tuple[Array, Back]:
    """The maximum of each window; its gradient goes to the first place that has it."""
    side = node.attributes["kernel_shape"][0]
    allowed = {"kernel_shape": [side, side], "strides": [side, side]}
    if any(node.attributes.get(name) != value for name, value in allowed.items()) or any(
        node.attributes.get("pads", ())
    ):
        raise ValueError(f"the pooling {node.output!r} is of another kind")
    n, channels, height, width = x.shape
    rows, columns = height // side, width // side
    windows = (
        x[:, :, : rows * side, : columns * side]
        .reshape(n, channels, rows, side, columns, side)
        .swapaxes(3, 4)
        .reshape(n, channels, rows, columns, side * side)
    )
    first = windows.argmax(axis=-1)[..., None]

    def back(gradient: Array) -> Array:
        spread = np.zeros_like(windows)
        np.put_along_axis(spread, first, gradient[..., None].astype(x.dtype), axis=-1)
        whole = np.zeros_like(x)
        whole[:, :, : rows * side, : columns * side] = (
            spread.reshape(n, channels, rows, columns, side, side)
            .swapaxes(3, 4)
            .reshape(n, channels, rows * side, columns * side)
        )
        return whole

    return np.take_along_axis(windows, first, axis=-1)[..., 0], back


_OPERATIONS: Mapping[str, Callable[[Node, Array, Weights], tuple[Array, Back]]] = {
    "Clip": _clip,
    "Flatten": _flatten,
    "Gemm": _gemm,
    "GlobalAveragePool": _global_mean,
    "MaxPool": _max_pool,
    "Relu": _relu,
    "Transpose": _transpose,
}
