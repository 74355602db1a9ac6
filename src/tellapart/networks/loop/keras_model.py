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
from tellapart.graph import (
    INPUT,
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
    Weights,
    is_gray,
    leading_to,
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
    gray = is_gray(graph)
    image = keras.Input((*graph.size, 1 if gray else 3), dtype="uint8", name=INPUT)
    made: dict[str, Any] = {INPUT: image}
    for layer, inputs in leading_to(graph, LOGITS):
        channels = known[inputs[0]][-1]
        made[layer.name] = _apply(keras, layer, [made[name] for name in inputs], channels, seed)
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
        float32 arrays by the names and shapes of :func:`tellapart.graph.weight_shapes`.
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
        weights: By the names and shapes of :func:`tellapart.graph.weight_shapes`. Those of
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
    return [layer for layer, _ in leading_to(graph, LOGITS) if isinstance(layer, Conv | Dense)]


def _normalized(layer: Layer) -> bool:
    return isinstance(layer, Conv) and layer.norm


def _apply(keras: Any, layer: Layer, given: list[Any], channels: int, seed: int) -> Any:
    """One layer of the table on Keras tensors."""
    made, name = given[0], layer_name(layer.name)
    match layer:
        case Luma():
            return made
        case Scale():
            offset = -layer.zero * layer.scale
            return keras.layers.Rescaling(layer.scale, offset=offset, name=name)(made)
        case Conv():
            return _conv(keras, layer, made, channels)
        case Add():
            made = keras.layers.Add(name=name)(given)
            return _activated(keras, layer.activation, made, name)
        case MaxPool():
            return keras.layers.MaxPooling2D(layer.size, data_format="channels_last", name=name)(
                made
            )
        case Flatten():
            return keras.layers.Flatten(data_format="channels_last", name=name)(made)
        case GlobalAveragePool():
            # A sum over many places: in float32, whatever the policy is.
            return keras.layers.GlobalAveragePooling2D(
                data_format="channels_last", dtype="float32", name=name
            )(made)
        case Dense():
            return _dense(keras, layer, made, seed)
        case _:
            raise ValueError(f"Keras has no layer for {type(layer).__name__}")


def _conv(keras: Any, layer: Conv, given: Any, channels: int) -> Any:
    name = layer_name(layer.name)
    common = {
        "strides": layer.stride,
        "padding": layer.padding,
        "data_format": "channels_last",
        "use_bias": not layer.norm,
        "activation": None if layer.norm else layer.activation,
        "name": name,
    }
    if _is_depthwise(layer, channels):
        made = keras.layers.DepthwiseConv2D(
            layer.kernel,
            depth_multiplier=layer.filters // channels,
            depthwise_initializer="zeros",
            **common,
        )(given)
    else:
        made = keras.layers.Conv2D(
            layer.filters,
            layer.kernel,
            groups=layer.groups,
            kernel_initializer="zeros",
            **common,
        )(given)
    if not layer.norm:
        return made
    made = keras.layers.BatchNormalization(
        axis=-1, momentum=MOMENTUM, epsilon=EPSILON, name=f"{name}_norm"
    )(made)
    return _activated(keras, layer.activation, made, name)


def _dense(keras: Any, layer: Dense, given: Any, seed: int) -> Any:
    name = layer_name(layer.name)
    dtype = "float32" if layer.name == LOGITS else None  # None: what the policy says
    if layer.dropout:
        drawn = layer_seed(seed, f"{layer.name}/dropout")
        given = keras.layers.Dropout(
            layer.dropout, seed=drawn, dtype=dtype, name=f"{name}_dropout"
        )(given)
    return keras.layers.Dense(
        layer.units,
        activation=layer.activation,
        kernel_initializer="zeros",
        dtype=dtype,
        name=name,
    )(given)


def _activated(keras: Any, activation: str | None, made: Any, name: str) -> Any:
    if activation is None:
        return made
    return keras.layers.Activation(activation, name=f"{name}_{activation}")(made)


def _is_depthwise(layer: Conv, channels: int) -> bool:
    return 1 < layer.groups == channels


def _read(model: Any, layer: Conv | Dense) -> tuple[NDArray[Any], NDArray[Any]]:
    """Kernel and bias as the file has them, normalization folded in; float32 or float64."""
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
