"""Small networks with random numbers, as model files."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from tellapart.graph import Graph, Layer, to_onnx
from tellapart.graph.layers import (
    Conv,
    Dense,
    Flatten,
    GlobalAveragePool,
    Luma,
    MaxPool,
    Scale,
    Softmax,
    weight_shapes,
)
from tellapart.images.decoder import DECODER
from tellapart.model import Model

CLASSES = ("cats", "dogs", "horses")
SIZE = 26


def opened(
    layers: tuple[Layer, ...],
    outputs: tuple[str, ...] = ("probabilities",),
    *,
    size: int = SIZE,
    biases: float = 1,
) -> Model:
    graph = Graph((size, size), layers, outputs)
    rng = np.random.default_rng(4)
    weights = {
        name: rng.normal(0, (2 / max(1, np.prod(shape[:-1]))) ** 0.5, shape).astype(np.float32)
        for name, shape in weight_shapes(graph).items()
    }
    weights |= {name: biases * one for name, one in weights.items() if name.endswith("/bias")}
    if "logit_map" in outputs:
        weights["logit_map/kernel"] = weights["logits/kernel"].T[:, :, None, None].copy()
        weights["logit_map/bias"] = weights["logits/bias"]
    metadata = {
        "schema": "1",
        "name": "tellapart",
        "classes": json.dumps(CLASSES),
        "size": str(size),
        "fit": "squash",
        "decoder": DECODER,
    }
    return Model.load(to_onnx(graph, weights, metadata=metadata))


@pytest.fixture(scope="session")
def build() -> Callable[..., Model]:
    return opened


@pytest.fixture(scope="session")
def cnn() -> Model:
    """The classic lesson's layers; 26 pixels give maps of odd sides, which pooling cuts off."""
    return opened(
        (
            Scale("scaled"),
            Conv("conv1", filters=4, kernel=3, padding="valid", activation="relu"),
            MaxPool("pool1"),
            Conv("conv2", filters=20, kernel=4, padding="valid", activation="relu"),
            MaxPool("pool2"),
            Flatten("flat"),
            Dense("hidden", units=8, activation="relu6"),
            Dense("logits", units=3),
            Softmax("probabilities"),
        )
    )


@pytest.fixture(scope="session")
def gray_cnn() -> Model:
    return opened(
        (
            Luma("luma"),
            Scale("scaled"),
            Conv("conv1", filters=4, kernel=5, activation="relu"),
            MaxPool("pool1"),
            Flatten("flat"),
            Dense("logits", units=3),
            Softmax("probabilities"),
        )
    )


@pytest.fixture(scope="session")
def pooled() -> Model:
    """A network that ends in global average pooling, with its exact map beside."""
    return opened(
        (
            Scale("scaled"),
            Conv("feature_map", filters=6, kernel=3, stride=2, activation="relu"),
            GlobalAveragePool("features"),
            Dense("logits", units=3),
            Softmax("probabilities"),
            Conv("logit_map", filters=3, inputs=("feature_map",)),
        ),
        ("probabilities", "logit_map"),
    )


@pytest.fixture(scope="session")
def dnn() -> Model:
    return opened(
        (
            Scale("scaled"),
            Flatten("flat"),
            Dense("hidden", units=8, activation="relu"),
            Dense("logits", units=3),
            Softmax("probabilities"),
        )
    )


@pytest.fixture(scope="session")
def pixels() -> np.ndarray:
    return np.random.default_rng(8).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)


@pytest.fixture(scope="session")
def photo(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()
