"""The Keras model of a table and the file of the same table are one network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from parity import CASES, distance, given, pictures, trained

from tellapart.graph import INPUT, Graph, open_session, to_onnx
from tellapart.graph.layers import Conv, Dense, GlobalAveragePool, Scale
from tellapart.networks.loop import backend, initial_weights, keras_model
from tellapart.networks.spec.architectures import default
from tellapart.transfer import backbones

keras = backend.keras()


# ------------------------------------------------------------------ one network


@pytest.mark.parametrize("name", CASES)
def test_file_and_model_agree(name: str) -> None:
    assert distance(CASES[name]) < 1e-4


def test_file_and_model_agree_on_jax() -> None:
    pytest.importorskip("jax")
    names = ["linear-gray", "dnn-rgb", "cnn-gray", "resnet-gray", "finetune-rgb"]
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("parity.py")), *names],
        env=os.environ | {"KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["engine"] == "jax"
    assert answer["in_vain"] == []  # what a process that trains starts without
    assert list(answer["distances"]) == names
    assert max(answer["distances"].values()) < 1e-4


@pytest.mark.parametrize("color", ["gray", "rgb"])
def test_the_pretrained_model_has_the_features_of_the_backbone(color: str) -> None:
    spec = CASES[f"finetune-{color}"]
    graph = spec.graph()
    model = keras_model.build(graph)
    start = initial_weights.pretrained(spec)
    assert start is not None
    keras_model.set_weights(model, graph, start)
    features = keras.Model(model.input, model.get_layer("features").output)
    pixels = pictures(graph)
    shown = given(graph, pixels)
    # What predicting shows the backbone for a gray picture: three equal channels.
    alike = shown.repeat(3, axis=3) if color == "gray" else pixels
    onnx = backbones.get("efficientnet-lite0").onnx(spec.size)
    wanted = open_session(onnx).run(["features"], {INPUT: alike})[0]
    np.testing.assert_allclose(features.predict_on_batch(shown), wanted, atol=1e-4)
    assert np.ptp(wanted, 0).max() > 0.5


def test_depthwise_convolutions_agree() -> None:
    graph = Graph(
        (9, 8),
        (
            Scale("scaled"),
            Conv("wide", filters=6, kernel=3, norm=True, activation="relu6"),
            Conv("deep", filters=12, kernel=5, stride=2, groups=6, norm=True, activation="relu"),
            GlobalAveragePool("pooled"),
            Dense("logits", units=4),
        ),
        ("logits",),
    )
    model = keras_model.build(graph)
    pixels = np.random.default_rng(1).integers(0, 256, (3, 9, 8, 3), dtype=np.uint8)
    session = open_session(to_onnx(graph, keras_model.weights(model, graph)))
    wanted = session.run(["logits"], {INPUT: pixels})[0]
    np.testing.assert_allclose(model.predict_on_batch(pixels), wanted, atol=1e-5)


# ------------------------------------------------------------------ the model


def test_a_gray_model_takes_luma_and_gives_logits() -> None:
    for gray, channels in ((True, 1), (False, 3)):
        model = keras_model.build(default("dnn", size=5, gray=gray, classes=4, units=(3,)).graph())
        assert model.input.shape == (None, 5, 5, channels)
        assert model.input.dtype == "uint8"
        assert model.output.shape == (None, 4)
        assert model.output.dtype == "float32"


@pytest.mark.parametrize(
    "name", ["linear-rgb", "dnn-gray", "cnn-rgb", "resnet-gray", "finetune-rgb"]
)
def test_the_parameters_are_those_that_train(name: str) -> None:
    model = keras_model.build(CASES[name].graph())
    assert sum(int(np.prod(one.shape)) for one in model.trainable_variables) == (
        CASES[name].parameters()
    )


@pytest.fixture
def mixed() -> Iterator[None]:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_dtype_policy(before)


@pytest.mark.parametrize("name", ["dnn-gray", "resnet-rgb"])
def test_logits_are_float32_under_a_mixed_policy(mixed: None, name: str) -> None:
    model, graph = trained(CASES[name])
    assert any(layer.compute_dtype == "bfloat16" for layer in model.layers)
    logits = model.predict_on_batch(given(graph, pictures(graph)))
    assert logits.dtype == np.float32
    assert all(array.dtype == np.float32 for array in keras_model.weights(model, graph).values())
    assert distance(CASES[name]) < 0.5  # bfloat16 has 8 bits


def test_a_saved_model_opens_with_keras_alone(tmp_path: Path) -> None:
    model, graph = trained(CASES["resnet-gray"])
    model.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        config = archive.read("config.json").decode()
    assert "tellapart." not in config
    assert '"registered_name": null' in config
    again = keras.models.load_model(tmp_path / "model.keras")
    shown = given(graph, pictures(graph))
    wanted = model.predict_on_batch(shown)
    np.testing.assert_allclose(again.predict_on_batch(shown), wanted, atol=1e-6)


def test_it_learns() -> None:
    spec = default("resnet", size=16, gray=True, classes=2, filters=(8, 16), blocks=(1,))
    rng = np.random.default_rng(0)
    labels = np.arange(64) % 2
    pixels = rng.integers(0, 128, (64, 16, 16, 1), dtype=np.uint8)
    pixels[labels == 1, 4:8, 4:8] += 100
    graph = spec.graph()
    model = keras_model.build(graph)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-2), loss, metrics=["accuracy"])
    model.fit(pixels, labels, batch_size=16, epochs=8, shuffle=False, verbose=0)
    session = open_session(to_onnx(graph, keras_model.weights(model, graph)))
    found = session.run(["probabilities"], {INPUT: pixels.repeat(3, axis=3)})[0]
    assert (found.argmax(1) == labels).mean() > 0.95


def test_only_what_has_a_form_is_built() -> None:
    with pytest.raises(ValueError, match="logits"):
        keras_model.build(Graph((4, 4), (Scale("scaled"),), ("scaled",)))


# ------------------------------------------------------------------ weights in, weights out


@pytest.mark.parametrize("name", ["cnn-gray", "resnet-rgb", "finetune-gray"])
def test_weights_go_out_and_in_again(name: str) -> None:
    model, graph = trained(CASES[name])
    weights = keras_model.weights(model, graph)
    other = keras_model.build(graph, seed=9)
    keras_model.set_weights(other, graph, weights)
    for key, array in keras_model.weights(other, graph).items():
        np.testing.assert_allclose(array, weights[key], rtol=1e-5, atol=1e-6)
    shown = given(graph, pictures(graph))
    np.testing.assert_allclose(
        other.predict_on_batch(shown), model.predict_on_batch(shown), atol=1e-4
    )


def test_some_weights_leave_the_others() -> None:
    model, graph = trained(CASES["cnn-gray"])
    before = keras_model.weights(model, graph)
    keras_model.set_weights(model, graph, {"conv2/bias": np.full(8, 2, np.float32)})
    after = keras_model.weights(model, graph)
    assert [name for name in before if (before[name] != after[name]).any()] == ["conv2/bias"]


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"nothing/bias": np.zeros(3, np.float32)}, "nothing/bias"),
        ({"logits/bias": np.zeros(4, np.float32)}, "logits/bias"),
        ({"stem/bias": np.zeros(8, np.float32)}, "stem"),
    ],
)
def test_weights_that_do_not_fit_change_nothing(wrong: dict[str, Any], match: str) -> None:
    model, graph = trained(CASES["resnet-gray"])
    before = keras_model.weights(model, graph)
    with pytest.raises(ValueError, match=match):
        keras_model.set_weights(
            model, graph, {"logits/kernel": np.ones((16, 3), np.float32), **wrong}
        )
    for name, array in keras_model.weights(model, graph).items():
        np.testing.assert_array_equal(array, before[name])
