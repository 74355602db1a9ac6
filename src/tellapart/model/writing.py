"""Write a model file: a network, or a linear head on a backbone, and what is needed to use it.

Who does what: :func:`build` and :func:`write` are for a head on frozen features,
:func:`build_network` and :func:`write_network` for any table of layers.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tellapart.core.errors import ModelError
from tellapart.core.typing import Floats
from tellapart.core.version import __version__
from tellapart.graph import Conv, Dense, Graph, Softmax, Weights, shapes, to_onnx
from tellapart.images.decoder import DECODER
from tellapart.images.resizing import Fit
from tellapart.model.model import FEATURES, LOGIT_MAP, PROBABILITIES, SCHEMA
from tellapart.transfer.backbones import Backbone


def build(
    *,
    backbone: Backbone,
    size: int,
    fit: Fit,
    weights: Floats,
    bias: Floats,
    classes: Sequence[str],
    run: Mapping[str, str] | None = None,
) -> bytes:
    """A linear head on a backbone as one ONNX file; the same arguments give the same bytes.

    Args:
        backbone: The pretrained network below.
        size: Side of the pictures it takes, in pixels.
        fit: How pictures are brought to squares of this size.
        weights: float32 ``[D, K]``: logits are ``features @ weights + bias``.
        bias: float32 ``[K]``.
        classes: Names, in the order of the columns.
        run: More texts to carry, each under ``run.KEY``.

    Returns:
        The file.

    Raises:
        ValueError: If the arrays do not fit classes or backbone, or are not finite.
        WeightsError: If the backbone's weights are missing or not the known ones.
    """
    count = len(classes)
    if weights.shape != (backbone.features, count) or bias.shape != (count,):
        raise ValueError(f"a head of {weights.shape} and {bias.shape} for {count} classes")
    below = backbone.graph(size)
    graph = Graph(
        below.size,
        (
            *below.layers,
            Dense("logits", units=count, inputs=(FEATURES,)),
            Softmax(PROBABILITIES),
            # The same numbers before the mean as after it: the mean of a linear map.
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
        run=run,
    )


def build_network(
    *,
    graph: Graph,
    kind: str,
    weights: Weights,
    classes: Sequence[str],
    fit: Fit,
    run: Mapping[str, str] | None = None,
) -> bytes:
    """A trained network as one ONNX file; the same arguments give the same bytes.

    Args:
        graph: Its layers, on square pictures, with the outputs ``probabilities`` and, where
            it has one, ``logit_map``.
        kind: What kind of network it is, such as ``"cnn"``; kept in the metadata.
        weights: float32 arrays by the names of :func:`tellapart.graph.weight_shapes`.
        classes: Names, in the order of the columns.
        fit: How pictures are brought to squares of the graph's size.
        run: More texts to carry, each under ``run.KEY``.

    Returns:
        The file.

    Raises:
        ValueError: If graph, weights and classes do not fit each other, or are not finite.
    """
    if graph.size[0] != graph.size[1]:
        raise ValueError(f"pictures are squares, not {graph.size}")
    known = shapes(graph)
    for name in graph.outputs:
        if name not in (PROBABILITIES, LOGIT_MAP) or known[name][-1] != len(classes):
            raise ValueError(f"output {name!r} of {known[name]} for {len(classes)} classes")
    if PROBABILITIES not in graph.outputs:
        raise ValueError(f"the network has no output {PROBABILITIES!r}")
    return _file(graph, weights, classes=classes, fit=fit, notes={"network": kind}, run=run)


def write(
    path: Path | str,
    *,
    backbone: Backbone,
    size: int,
    fit: Fit,
    weights: Floats,
    bias: Floats,
    classes: Sequence[str],
    run: Mapping[str, str] | None = None,
) -> None:
    """Write :func:`build`'s file, whole or not at all.

    Raises:
        ModelError: If it cannot be written.
        ValueError: As :func:`build`.
        WeightsError: As :func:`build`.
    """
    data = build(
        backbone=backbone,
        size=size,
        fit=fit,
        weights=weights,
        bias=bias,
        classes=classes,
        run=run,
    )
    _keep(Path(path), data)


def write_network(
    path: Path | str,
    *,
    graph: Graph,
    kind: str,
    weights: Weights,
    classes: Sequence[str],
    fit: Fit,
    run: Mapping[str, str] | None = None,
) -> None:
    """Write :func:`build_network`'s file, whole or not at all.

    Raises:
        ModelError: If it cannot be written.
        ValueError: As :func:`build_network`.
    """
    data = build_network(graph=graph, kind=kind, weights=weights, classes=classes, fit=fit, run=run)
    _keep(Path(path), data)


def _file(
    graph: Graph,
    weights: Weights,
    *,
    classes: Sequence[str],
    fit: Fit,
    notes: Mapping[str, str],
    run: Mapping[str, str] | None,
) -> bytes:
    """The ONNX file with all that :class:`tellapart.model.Model` asks of its metadata."""
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
        **{f"run.{key}": value for key, value in sorted((run or {}).items())},
    }
    return to_onnx(graph, weights, metadata=metadata)


def _keep(path: Path, data: bytes) -> None:
    partial: Path | None = None
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".partial")
        partial = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        partial.chmod(0o644)
        partial.replace(path)
    except OSError as error:
        raise ModelError(
            f"The model cannot be written: {path}: {error.strerror or error}.",
            remedy="Make room there, or choose another folder.",
        ) from error
    finally:
        if partial is not None:
            partial.unlink(missing_ok=True)
