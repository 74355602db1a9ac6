"""Write a model file: a linear head on a backbone, and what is needed to use it."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tellapart import __version__
from tellapart.artifact.model import FEATURES, LOGIT_MAP, PROBABILITIES, SCHEMA
from tellapart.backbones import Backbone
from tellapart.errors import ModelError
from tellapart.graphs import Conv, Dense, Graph, Softmax, to_onnx
from tellapart.images import DECODER, Fit

Floats = npt.NDArray[np.float32]


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
    if not (np.isfinite(weights).all() and np.isfinite(bias).all()):
        raise ValueError("the head holds numbers that are not finite")
    if len(set(classes)) != count:
        raise ValueError("two classes have one name")
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
    metadata = {
        "schema": str(SCHEMA),
        "name": "tellapart",
        "tellapart": __version__,
        "classes": json.dumps(list(classes), ensure_ascii=True),
        "size": str(size),
        "fit": fit,
        "decoder": DECODER,
        "backbone": backbone.key,
        "features": FEATURES,
        **{f"run.{key}": value for key, value in sorted((run or {}).items())},
    }
    return to_onnx(graph, {**backbone.load(), **head}, metadata=metadata)


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
    path = Path(path)
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
