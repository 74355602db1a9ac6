"""Write a model file from a network, or from a linear head on a backbone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np

from tellapart.core.typing import Floats
from tellapart.core.version import __version__
from tellapart.graph import Graph, Weights, to_onnx
from tellapart.graph.layers import Conv, Dense, Softmax, shapes
from tellapart.images.decoder import DECODER
from tellapart.images.resizing import Fit
from tellapart.model.model import FEATURES, LOGIT_MAP, PROBABILITIES, SCHEMA
from tellapart.transfer.backbones import Backbone


def build_probe(
    *,
    backbone: Backbone,
    size: int,
    fit: Fit,
    weights: Floats,
    bias: Floats,
    classes: Sequence[str],
) -> bytes:
    """A linear head on a backbone as one ONNX file; the same arguments give the same bytes.

    Args:
        backbone: The pretrained network.
        size: Side of the input pictures, in pixels.
        fit: How pictures are fitted to squares of this size.
        weights: float32 ``[D, K]``: logits are ``features @ weights + bias``.
        bias: float32 ``[K]``.
        classes: Names, in the order of the columns.

    Returns:
        The file.

    Raises:
        ValueError: If the arrays do not fit classes or backbone, or are not finite.
        WeightsError: If the backbone's weights are missing or changed.
    """
    count = len(classes)
    if weights.shape != (backbone.features, count) or bias.shape != (count,):
        raise ValueError(f"a head of {weights.shape} and {bias.shape} for {count} classes")
    base = backbone.graph(size)
    graph = Graph(
        base.size,
        (
            *base.layers,
            Dense("logits", units=count, inputs=(FEATURES,)),
            Softmax(PROBABILITIES),
            # The head at each place; it is linear, so the mean over places is the logits.
            Conv(LOGIT_MAP, filters=count, inputs=("feature_map",)),
        ),
        (PROBABILITIES, LOGIT_MAP),
    )
    head = {
        "logits/kernel": weights.astype(np.float32),
        "logits/bias": bias.astype(np.float32),
        f"{LOGIT_MAP}/kernel": weights.T[:, :, None, None].astype(np.float32),
        f"{LOGIT_MAP}/bias": bias.astype(np.float32),
    }
    return _file(
        graph,
        {**backbone.load(), **head},
        classes=classes,
        fit=fit,
        notes={"backbone": backbone.key, "features": FEATURES},
    )


def build_network(
    *,
    graph: Graph,
    kind: str,
    weights: Weights,
    classes: Sequence[str],
    fit: Fit,
) -> bytes:
    """A trained network as one ONNX file; the same arguments give the same bytes.

    Args:
        graph: Its layers, on square pictures, with the outputs ``probabilities`` and, where
            it has one, ``logit_map``.
        kind: The kind of network, such as ``"cnn"``; stored in the metadata.
        weights: float32 arrays by the names of :func:`tellapart.graph.layers.weight_shapes`.
        classes: Names, in the order of the columns.
        fit: How pictures are fitted to squares of the graph's size.

    Returns:
        The file.

    Raises:
        ValueError: If graph, weights and classes do not fit together, or are not finite.
    """
    if graph.size[0] != graph.size[1]:
        raise ValueError(f"pictures are squares, not {graph.size}")
    known = shapes(graph)
    for name in graph.outputs:
        if name not in (PROBABILITIES, LOGIT_MAP) or known[name][-1] != len(classes):
            raise ValueError(f"output {name!r} of {known[name]} for {len(classes)} classes")
    if PROBABILITIES not in graph.outputs:
        raise ValueError(f"the network has no output {PROBABILITIES!r}")
    return _file(graph, weights, classes=classes, fit=fit, notes={"network": kind})


def _file(
    graph: Graph,
    weights: Weights,
    *,
    classes: Sequence[str],
    fit: Fit,
    notes: Mapping[str, str],
) -> bytes:
    """The ONNX file with the metadata that :class:`tellapart.model.Model` needs."""
    if len(set(classes)) != len(classes):
        raise ValueError("two classes have one name")
    broken = sorted(name for name, array in weights.items() if not np.isfinite(array).all())
    if broken:
        raise ValueError(f"the weights {broken} hold numbers that are not finite")
    metadata = {
        "schema": str(SCHEMA),
        "name": "tellapart",
        "tellapart": __version__,
        "classes": json.dumps(list(classes), ensure_ascii=True),
        "size": str(graph.size[0]),
        "fit": fit,
        "decoder": DECODER,
        **notes,
    }
    return to_onnx(graph, weights, metadata=metadata)
