"""The Keras model of a table of layers: it trains, and ``model.onnx`` runs.

Who does what: :func:`build` makes the model; :func:`weights` reads its weights for
:func:`tellapart.graph.to_onnx`, so that the file needs no engine's exporter; :func:`set_weights`
does the reverse. Tests check that model and file agree below 1e-4.

The model differs from the file in three ways. It ends at ``logits``: softmax and ``logit_map``
follow from them. A gray network takes luma, ``[N, H, W, 1]``, computed once before training,
while the file computes it from RGB. And normalization is a separate layer.

Only Keras's own layers are used, so that a saved ``model.keras`` loads without this package.

Example:
    >>> spec = architectures.default("cnn", size=28, gray=True, classes=10)  # doctest: +SKIP
    >>> graph = spec.graph()  # doctest: +SKIP
    >>> model = build(graph)  # doctest: +SKIP
    >>> file = to_onnx(graph, weights(model, graph))  # doctest: +SKIP
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.core.typing import Floats
from tellapart.graph import INPUT, Graph, Layer, Weights
from tellapart.graph.layers import (
    Add,
    Conv,
    Dense,
    Flatten,
    GlobalAveragePool,
    Luma,
    MaxPool,
    Scale,
    is_gray,
    needed_for,
    shapes,
    weight_shapes,
)
from tellapart.networks.loop import backend
from tellapart.networks.loop.initial_weights import layer_seed, random_kernels
from tellapart.networks.spec.architectures import LOGIT_MAP, LOGITS

MOMENTUM, EPSILON = 0.9, 1e-3
"""Of batch normalization. The running means follow within some tens of steps, which suits training
from scratch on a few thousand pictures; Keras's 0.99 suits millions."""


def build(graph: Graph, *, seed: int = 0) -> Any:
    """The Keras model of a graph with its initial weights.

    Kernels come from :func:`.random_kernels`, the same on every engine; biases are 0. Keras's
    global seed is neither used nor changed.

    Args:
        graph: With a layer ``logits``.
        seed: For the kernels and for dropout.

    Returns:
        A ``keras.Model`` from uint8 ``[N, H, W, 3]``, or ``[N, H, W, 1]`` (luma) for a gray
        network, to logits, float32 ``[N, K]`` under every dtype policy.

    Raises:
        SettingsError: If Keras or its engine is missing.
        ValueError: If the graph has no ``logits``, or a layer that Keras does not have.
    """
    keras = backend.keras()
    known = shapes(graph)
    channels = 1 if is_gray(graph) else 3
    image = keras.Input((*graph.size, channels), dtype="uint8", name=INPUT)
    made: dict[str, Any] = {INPUT: image}
    for layer, inputs in needed_for(graph, LOGITS):
        channels = known[inputs[0]][-1]
        given = [made[name] for name in inputs]
        made[layer.name] = _apply(keras.layers, layer, given, channels, seed)
    model = keras.Model(image, made[LOGITS], name="tellapart")
    kernels = random_kernels(graph, LOGITS, seed=seed)
    for layer in _weighted(graph):
        _write_kernel(model, layer, kernels[f"{layer.name}/kernel"])
    return model


def layer_name(name: str) -> str:
    """A layer's name in Keras, which allows no slash."""
    return name.replace("/", "_")


def weights(model: Any, graph: Graph) -> dict[str, Floats]:
    """The model's weights in the layout of the file.

    Normalization is folded into kernel and bias in double precision, so that folding adds
    nothing to float32's own rounding; ``logit_map`` gets the weights of ``logits``.

    Args:
        model: From :func:`build` on the same graph.
        graph: Its table.

    Returns:
        float32 arrays by the names and shapes of :func:`tellapart.graph.layers.weight_shapes`.
    """
    made: dict[str, Floats] = {}
    for layer in _weighted(graph):
        kernel, bias = _read(model, layer)
        made[f"{layer.name}/kernel"] = np.ascontiguousarray(kernel, np.float32)
        made[f"{layer.name}/bias"] = bias.astype(np.float32)
    wanted = weight_shapes(graph)
    if f"{LOGIT_MAP}/kernel" in wanted:
        kernel = made[f"{LOGITS}/kernel"].T[:, :, None, None]
        made[f"{LOGIT_MAP}/kernel"] = np.ascontiguousarray(kernel)
        made[f"{LOGIT_MAP}/bias"] = made[f"{LOGITS}/bias"].copy()
    return {name: made[name] for name in wanted}


def set_weights(model: Any, graph: Graph, weights: Weights) -> None:
    """Give a model weights, or some of them; the others stay as they are.

    Args:
        model: From :func:`build` on the same graph.
        graph: Its table.
        weights: By the names and shapes of :func:`tellapart.graph.layers.weight_shapes`. Those of
            ``logit_map`` are ignored. A layer with normalization needs both kernel and bias, and
            its normalization then changes nothing (mean 0, variance 1).

    Raises:
        ValueError: If a name is unknown or a shape differs; nothing is changed then.
    """
    wanted = weight_shapes(graph)
    for name, array in weights.items():
        if name not in wanted:
            raise ValueError(f"no layer takes the weights {name!r}")
        if array.shape != wanted[name]:
            raise ValueError(f"weight {name!r} has shape {array.shape}, not {wanted[name]}")
    layers = _weighted(graph)
    for layer in layers:
        given = [f"{layer.name}/{part}" in weights for part in ("kernel", "bias")]
        if _normalized(layer) and any(given) and not all(given):
            raise ValueError(f"{layer.name!r} is normalized: give kernel and bias together")
    for layer in layers:
        if (kernel := weights.get(f"{layer.name}/kernel")) is not None:
            _write_kernel(model, layer, kernel)
        if (bias := weights.get(f"{layer.name}/bias")) is not None:
            _write_bias(model, layer, bias)


def _weighted(graph: Graph) -> list[Conv | Dense]:
    """The layers with weights that the model has."""
    return [layer for layer, _ in needed_for(graph, LOGITS) if isinstance(layer, Conv | Dense)]


def _normalized(layer: Layer) -> bool:
    return isinstance(layer, Conv) and layer.norm


def _apply(layers: Any, layer: Layer, given: list[Any], channels: int, seed: int) -> Any:
    """One layer of the table on Keras tensors."""
    first, name = given[0], layer_name(layer.name)
    last = {"data_format": "channels_last", "name": name}
    match layer:
        case Luma():
            return first
        case Scale():
            offset = -layer.zero * layer.scale
            return layers.Rescaling(layer.scale, offset=offset, name=name)(first)
        case Conv():
            return _conv(layers, layer, first, channels)
        case Add():
            return _activated(layers, layer.activation, layers.Add(name=name)(given), name)
        case MaxPool():
            return layers.MaxPooling2D(layer.size, **last)(first)
        case Flatten():
            return layers.Flatten(**last)(first)
        case GlobalAveragePool():
            # A sum over many places: in float32 under every dtype policy.
            return layers.GlobalAveragePooling2D(dtype="float32", **last)(first)
        case Dense():
            return _dense(layers, layer, first, seed)
        case _:
            raise ValueError(f"Keras has no layer for {type(layer).__name__}")


def _conv(layers: Any, layer: Conv, given: Any, channels: int) -> Any:
    name = layer_name(layer.name)
    options = {
        "kernel_size": layer.kernel,
        "strides": layer.stride,
        "padding": layer.padding,
        "data_format": "channels_last",
        "use_bias": not layer.norm,
        "activation": None if layer.norm else layer.activation,
        "name": name,
    }
    if 1 < layer.groups == channels:
        options |= {"depth_multiplier": layer.filters // channels}
        made = layers.DepthwiseConv2D(depthwise_initializer="zeros", **options)(given)
    else:
        options |= {"filters": layer.filters, "groups": layer.groups}
        made = layers.Conv2D(kernel_initializer="zeros", **options)(given)
    if not layer.norm:
        return made
    norm = layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON, name=f"{name}_norm")
    return _activated(layers, layer.activation, norm(made), name)


def _dense(layers: Any, layer: Dense, given: Any, seed: int) -> Any:
    name = layer_name(layer.name)
    dtype = "float32" if layer.name == LOGITS else None  # None: by the dtype policy
    if layer.dropout:
        own = layer_seed(seed, f"{layer.name}/dropout")
        dropout = layers.Dropout(layer.dropout, seed=own, dtype=dtype, name=f"{name}_dropout")
        given = dropout(given)
    options = {"activation": layer.activation, "dtype": dtype, "name": name}
    return layers.Dense(layer.units, kernel_initializer="zeros", **options)(given)


def _activated(layers: Any, activation: str | None, given: Any, name: str) -> Any:
    if activation is None:
        return given
    return layers.Activation(activation, name=f"{name}_{activation}")(given)


def _read(model: Any, layer: Conv | Dense) -> tuple[NDArray[Any], NDArray[Any]]:
    """Kernel and bias in the layout of the file, normalization folded in; float32 or float64."""
    keras = backend.keras()

    def numbers(variable: Any) -> Floats:
        return np.asarray(keras.ops.convert_to_numpy(variable), np.float32)

    part = model.get_layer(layer_name(layer.name))
    kernel = numbers(part.kernel)
    if isinstance(layer, Dense):
        return kernel, numbers(part.bias)
    kernel = _to_file(kernel, depthwise=isinstance(part, keras.layers.DepthwiseConv2D))
    if not layer.norm:
        return kernel, numbers(part.bias)
    norm = model.get_layer(f"{part.name}_norm")
    gamma, beta, mean, variance = (
        numbers(one).astype(np.float64)
        for one in (norm.gamma, norm.beta, norm.moving_mean, norm.moving_variance)
    )
    factor = gamma / np.sqrt(variance + norm.epsilon)
    return kernel * factor[:, None, None, None], beta - mean * factor


def _write_kernel(model: Any, layer: Conv | Dense, kernel: Floats) -> None:
    keras = backend.keras()
    part = model.get_layer(layer_name(layer.name))
    if isinstance(layer, Conv):
        depthwise = isinstance(part, keras.layers.DepthwiseConv2D)
        kernel = _from_file(kernel, part.kernel.shape, depthwise=depthwise)
    part.kernel.assign(kernel)


def _write_bias(model: Any, layer: Conv | Dense, bias: Floats) -> None:
    part = model.get_layer(layer_name(layer.name))
    if not _normalized(layer):
        part.bias.assign(bias)
        return
    norm = model.get_layer(f"{part.name}_norm")
    norm.gamma.assign(np.full(bias.shape, np.sqrt(1 + norm.epsilon), np.float32))
    norm.beta.assign(bias)
    norm.moving_mean.assign(np.zeros_like(bias))
    norm.moving_variance.assign(np.ones_like(bias))


def _to_file(kernel: Floats, *, depthwise: bool) -> Floats:
    """Keras's ``(k, k, in, out)``, depthwise ``(k, k, in, each)``, as ``(out, in, k, k)``."""
    if not depthwise:
        return kernel.transpose(3, 2, 0, 1)
    side = kernel.shape[0]
    return kernel.transpose(2, 3, 0, 1).reshape(-1, 1, side, side)


def _from_file(kernel: Floats, shape: tuple[int, ...], *, depthwise: bool) -> Floats:
    if not depthwise:
        return kernel.transpose(2, 3, 1, 0)
    side, _, channels, each = shape
    return kernel.reshape(channels, each, side, side).transpose(2, 3, 0, 1)
