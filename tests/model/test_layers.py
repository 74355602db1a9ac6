"""Looking inside model.onnx: layers, what they give, their numbers; and how many at once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tellapart.core.errors import ModelError
from tellapart.graph import Graph, to_onnx
from tellapart.graph.layers import Conv, Dense, Flatten, MaxPool, Scale, Softmax
from tellapart.images.decoder import DECODER
from tellapart.model import Model, writing
from tellapart.model.model import PIXELS_A_CALL, pictures_a_call
from tellapart.transfer import backbones

SIZE = 8
KERNEL = np.zeros((2, 3, 1, 1), np.float32)
KERNEL[0, 0], KERNEL[1, 2] = 255, -255  # the red level, and the blue one below zero
METADATA = {
    "schema": "1",
    "name": "tellapart",
    "classes": json.dumps(["a", "b"]),
    "size": str(SIZE),
    "fit": "squash",
    "decoder": DECODER,
}


@pytest.fixture(scope="module")
def model() -> Model:
    graph = Graph(
        (SIZE, SIZE),
        (
            Scale("scaled"),
            Conv("levels", filters=2, activation="relu"),
            MaxPool("largest"),
            Flatten("flat"),
            Dense("logits", units=2),
            Softmax("probabilities"),
        ),
        ("probabilities",),
    )
    rng = np.random.default_rng(0)
    weights = {
        "levels/kernel": KERNEL,
        "levels/bias": np.zeros(2, np.float32),
        "logits/kernel": rng.normal(0, 0.001, (32, 2)).astype(np.float32),
        "logits/bias": np.zeros(2, np.float32),
    }
    return Model.load(to_onnx(graph, weights, metadata=METADATA))


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    return np.random.default_rng(2).integers(0, 256, (300, SIZE, SIZE, 3), dtype=np.uint8)


def test_its_layers_and_what_they_give(model: Model, pixels: np.ndarray) -> None:
    assert model.layers() == (("levels", (8, 8, 2)), ("largest", (4, 4, 2)))
    found = model.activations(pixels, ["largest", "levels"])
    assert list(found) == ["largest", "levels"]
    levels = found["levels"]
    assert (levels.shape, levels.dtype) == ((300, 8, 8, 2), np.float32)
    assert np.allclose(levels[..., 0], pixels[..., 0], atol=1e-3)
    assert levels[..., 1].max() == 0
    assert np.array_equal(levels.reshape(300, 4, 2, 4, 2, 2).max(axis=(2, 4)), found["largest"])


def test_no_picture_and_no_layer_give_none(model: Model, pixels: np.ndarray) -> None:
    assert model.activations(pixels[:0], ["levels"])["levels"].shape == (0, 8, 8, 2)
    assert model.activations(pixels, []) == {}


def test_its_numbers(model: Model) -> None:
    assert np.array_equal(model.weight("levels/kernel"), KERNEL)
    with pytest.raises(ModelError, match="no weight 'nothing'"):
        model.weight("nothing")


def test_an_unknown_layer_is_refused_with_those_there_are(model: Model, pixels: np.ndarray) -> None:
    with pytest.raises(ModelError, match="'nothing', but levels, largest"):
        model.activations(pixels, ["levels", "nothing"])


def test_pixels_of_another_shape_are_refused(model: Model, pixels: np.ndarray) -> None:
    for wrong in (pixels[:, :4], pixels.astype(np.float32)):
        with pytest.raises(ValueError, match="not 8 squares"):
            model.activations(wrong, ["levels"])
        with pytest.raises(ValueError, match="not 8 squares"):
            model.last_map(wrong)


def test_a_backbones_layers_can_be_looked_at_too() -> None:
    rng = np.random.default_rng(5)
    probe = Model.load(
        writing.build_probe(
            backbone=backbones.get("efficientnet-lite0"),
            size=64,
            fit="squash",
            weights=rng.normal(0, 0.1, (1280, 2)).astype(np.float32),
            bias=np.zeros(2, np.float32),
            classes=("a", "b"),
        )
    )
    layers = probe.layers()
    assert len(layers) == 49
    assert layers[0][1] == (32, 32, 32)
    assert layers[-1] == ("feature_map", (2, 2, 1280))
    tail, maps = probe.last_map(np.zeros((1, 64, 64, 3), np.uint8))
    assert (tail.tensor, maps.shape) == ("feature_map/nchw", (1, 1280, 2, 2))


def test_several_threads_look_inside_at_once(model: Model, pixels: np.ndarray) -> None:
    names = [["levels"], ["largest"], ["levels", "largest"]] * 8
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda asked: model.activations(pixels[:5], asked), names))
    assert [list(one) for one in found] == names


def test_many_small_pictures_go_through_at_once_and_few_large_ones() -> None:
    sizes = (1, 28, 150, 224, 448, 4096)
    assert [pictures_a_call(size) for size in sizes] == [64, 64, 8, 4, 1, 1]
    for size in range(1, 448):
        assert pictures_a_call(size) * size**2 <= PIXELS_A_CALL


def test_the_number_at_once_changes_no_answer(model: Model, pixels: np.ndarray) -> None:
    whole = model.run(pixels)
    assert whole.shape == (300, 2)
    singly = np.concatenate([model.run(pixels[n : n + 1]) for n in range(0, 300, 50)])
    assert np.allclose(whole[::50], singly, atol=1e-6)
