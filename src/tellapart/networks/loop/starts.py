"""The weights that training starts from: drawn, or pretrained.

They are drawn with NumPy, so that a seed gives the same start on every engine (and since an
engine that compiles, such as JAX, takes seconds for each shape it has not drawn before).
"""

from __future__ import annotations

import zlib
from math import prod, sqrt

import numpy as np
import numpy.typing as npt

from tellapart.graph import Conv, Dense, Graph, leading_to, weight_shapes
from tellapart.networks.spec.tables import BACKBONE
from tellapart.transfer import backbones

Floats = npt.NDArray[np.float32]


def kernels(graph: Graph, last: str, *, seed: int) -> dict[str, Floats]:
    """A kernel for each layer that leads to ``last``, in the layout of the file.

    Before a ReLU, or normalized: normal, variance ``2 / inputs`` (He et al., 2015). Others:
    uniform, variance ``2 / (inputs + outputs)`` (Glorot and Bengio, 2010). Each is drawn from
    the seed and its layer's name.

    Args:
        graph: The layers.
        last: Name of the last layer that counts.
        seed: Any whole number, 0 or more.

    Returns:
        float32 arrays by the names of :func:`tellapart.graph.weight_shapes`.
    """
    wanted = weight_shapes(graph)
    made: dict[str, Floats] = {}
    for layer, _ in leading_to(graph, last):
        if not isinstance(layer, Conv | Dense):
            continue
        name = f"{layer.name}/kernel"
        shape = wanted[name]
        # (inputs, units) or (filters, channels, k, k): what one output is the sum of.
        inputs = shape[0] if isinstance(layer, Dense) else prod(shape[1:])
        outputs = shape[1] if isinstance(layer, Dense) else shape[0] * prod(shape[2:])
        rng = np.random.default_rng(layer_seed(seed, layer.name))
        if layer.activation is not None or (isinstance(layer, Conv) and layer.norm):
            made[name] = rng.standard_normal(shape, np.float32) * np.float32(sqrt(2 / inputs))
        else:
            limit = np.float32(sqrt(6 / (inputs + outputs)))
            made[name] = (rng.random(shape, np.float32) * 2 - 1) * limit
    return made


def layer_seed(seed: int, name: str) -> int:
    """A seed of its own for each layer, 31 bits, as every engine takes them."""
    mixed = np.random.SeedSequence([seed, zlib.crc32(name.encode())])
    return int(mixed.generate_state(1)[0] >> 1)


def pretrained(*, gray: bool) -> dict[str, Floats]:
    """The ImageNet weights of ``finetune``.

    A gray network's first kernel is the sum over the colors: for gray pictures it computes
    what three equal channels do.

    Raises:
        WeightsError: If they are missing or not the known ones.
    """
    made = dict(backbones.get(BACKBONE).load())
    if gray:
        made["stem/kernel"] = made["stem/kernel"].sum(1, keepdims=True, dtype=np.float32)
    return made
