"""The weights that training starts from: random, or pretrained.

Random weights are drawn with NumPy, so that a seed gives the same weights on every engine. (An
engine that compiles, such as JAX, would also take seconds for each new shape.)
"""

from __future__ import annotations

import zlib
from math import prod, sqrt

import numpy as np

from tellapart.core.typing import Floats
from tellapart.graph import Graph
from tellapart.graph.layers import Conv, Dense, needed_for, weight_shapes
from tellapart.networks.spec.architectures import Spec
from tellapart.networks.spec.layer_tables import BACKBONE
from tellapart.transfer import backbones


def random_kernels(graph: Graph, last: str, *, seed: int) -> dict[str, Floats]:
    """A kernel for each layer that leads to ``last``, in the layout of ``model.onnx``.

    Before a ReLU or a normalization: normal, variance ``2 / inputs`` (He et al., 2015). Others:
    uniform, variance ``2 / (inputs + outputs)`` (Glorot and Bengio, 2010). Each is drawn from
    the seed and the name of its layer.

    Args:
        graph: The layers.
        last: Name of the last layer that counts.
        seed: Any whole number, 0 or more.

    Returns:
        float32 arrays by the names of :func:`tellapart.graph.layers.weight_shapes`.
    """
    shapes = weight_shapes(graph)
    kernels: dict[str, Floats] = {}
    for layer, _ in needed_for(graph, last):
        if not isinstance(layer, Conv | Dense):
            continue
        name = f"{layer.name}/kernel"
        shape = shapes[name]
        # (inputs, units) or (filters, channels, k, k): what one output is the sum of.
        inputs = shape[0] if isinstance(layer, Dense) else prod(shape[1:])
        outputs = shape[1] if isinstance(layer, Dense) else shape[0] * prod(shape[2:])
        rng = np.random.default_rng(layer_seed(seed, layer.name))
        if layer.activation is not None or (isinstance(layer, Conv) and layer.norm):
            kernels[name] = rng.standard_normal(shape, np.float32) * np.float32(sqrt(2 / inputs))
        else:
            limit = np.float32(sqrt(6 / (inputs + outputs)))
            kernels[name] = (rng.random(shape, np.float32) * 2 - 1) * limit
    return kernels


def layer_seed(seed: int, name: str) -> int:
    """A separate seed for each layer, 31 bits, which every engine accepts."""
    mixed = np.random.SeedSequence([seed, zlib.crc32(name.encode())])
    return int(mixed.generate_state(1)[0] >> 1)


def pretrained(spec: Spec) -> dict[str, Floats] | None:
    """The ImageNet weights of ``finetune``; None for a network that starts from random ones.

    The first kernel of a gray network is the sum over the colors, so that it computes for a gray
    picture what the pretrained kernel computes for three equal channels.

    Returns:
        float32 arrays by the names of :func:`tellapart.graph.layers.weight_shapes`.

    Raises:
        WeightsError: If they are missing or not the known ones.
    """
    if spec.kind != "finetune":
        return None
    weights = dict(backbones.get(BACKBONE).load())
    if spec.gray:
        weights["stem/kernel"] = weights["stem/kernel"].sum(1, keepdims=True, dtype=np.float32)
    return weights
