"""How far a network's file and its Keras model are apart; run as a program for other engines.

``python parity.py NAME…`` prints one JSON object: the engine, and the distance of each case.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import numpy.typing as npt

from tellapart.graph import INPUT, Graph, open_session, to_onnx
from tellapart.graph.layers import is_gray, shapes
from tellapart.images import resizing
from tellapart.networks.loop import backend, initial_weights, keras_model
from tellapart.networks.spec import architectures

CASES = {
    f"{kind}-{color}": architectures.default(
        kind,
        size=size,
        gray=color == "gray",
        classes=3,
        units=units,
        filters=filters,
        blocks=blocks,
    )
    for kind, size, units, filters, blocks in (
        ("linear", 12, None, None, None),
        ("dnn", 12, (16, 8), None, None),
        ("cnn", 31, (16,), (4, 8, 6), None),
        ("resnet", 28, None, (8, 12, 16), (1, 2)),
        ("finetune", 64, None, None, None),
    )
    for color in ("gray", "rgb")
} | {
    # Odd sides and the stem's step of two; the last stage ends in a convolution.
    "resnet-larger": architectures.default(
        "resnet", size=49, gray=False, classes=3, filters=(8, 12, 16), blocks=(1, 0)
    )
}


def pictures(graph: Graph, n: int = 5) -> npt.NDArray[np.uint8]:
    """Random RGB pictures, uint8 ``[n, H, W, 3]``."""
    return np.random.default_rng(3).integers(0, 256, (n, *graph.size, 3), dtype=np.uint8)


def given(graph: Graph, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """What training shows the model: luma where the network is gray."""
    if not is_gray(graph):
        return pixels
    return np.stack([resizing.luma(one) for one in pixels])[..., None]


def trained(spec: architectures.Spec, seed: int = 0) -> tuple[Any, Graph]:
    """A model as training might leave it: pretrained, moved norms, biases that are not zero."""
    graph = spec.graph()
    model = keras_model.build(graph, seed=seed)
    start = initial_weights.pretrained(spec)
    if start is not None:
        keras_model.set_weights(model, graph, start)
    rng = np.random.default_rng(seed)
    for variable in model.variables:
        shape = tuple(variable.shape)
        if variable.path.endswith(("gamma", "moving_variance")):
            variable.assign(rng.uniform(0.5, 2, shape))
        elif variable.path.endswith(("beta", "moving_mean")) or (
            variable.path.endswith("bias") and start is None
        ):
            variable.assign(rng.normal(0, 0.3, shape))
    return model, graph


def distance(spec: architectures.Spec) -> float:
    """The largest difference between file and model, in logits, and in what follows from them."""
    model, graph = trained(spec)
    pixels = pictures(graph)
    weights = keras_model.weights(model, graph)
    told = Graph(graph.size, graph.layers, (*graph.outputs, architectures.LOGITS))
    session = open_session(to_onnx(told, weights))
    found = dict(zip(told.outputs, session.run(list(told.outputs), {INPUT: pixels}), strict=True))
    logits = np.asarray(model.predict_on_batch(given(graph, pixels)), np.float64)
    assert logits.shape == (len(pixels), spec.classes)
    assert np.ptp(logits, 0).min() > 1e-3  # pictures are told apart at all
    powers = np.exp(logits - logits.max(1, keepdims=True))
    differences = [
        np.abs(found[architectures.LOGITS] - logits).max(),
        np.abs(found[architectures.PROBABILITIES] - powers / powers.sum(1, keepdims=True)).max(),
    ]
    if architectures.LOGIT_MAP in graph.outputs:
        assert shapes(graph)[architectures.LOGIT_MAP][2] == spec.classes
        differences.append(np.abs(found[architectures.LOGIT_MAP].mean((1, 2)) - logits).max())
    return float(max(differences))


if __name__ == "__main__":
    backend.start()
    answer = {name: distance(CASES[name]) for name in sys.argv[1:]}
    found = {
        "engine": backend.engine()["engine"],
        "distances": answer,
        "in_vain": [name for name in ("sklearn", "cv2") if sys.modules.get(name)],
    }
    print(json.dumps(found))
