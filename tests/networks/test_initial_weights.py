"""Initial weights: random, the same on every engine, or pretrained."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from tellapart.graph.layers import weight_shapes
from tellapart.networks.loop import backend, initial_weights, keras_model
from tellapart.networks.spec.architectures import default

keras = backend.keras()


def kernels(model: Any) -> dict[str, np.ndarray]:
    return {
        one.path: keras.ops.convert_to_numpy(one)
        for one in model.variables
        if one.path.endswith("kernel")
    }


def normals() -> np.ndarray:
    """Three numbers of Keras's global generator."""
    return keras.ops.convert_to_numpy(keras.random.normal((3,)))


def test_the_seed_decides_and_no_global_one_is_touched() -> None:
    graph = default("dnn", size=6, gray=True, classes=3, units=(32, 32, 32)).graph()
    keras.utils.set_random_seed(1)
    first = keras_model.build(graph, seed=5)
    drawn = (random.random(), float(np.random.random()), normals())
    keras.utils.set_random_seed(2)
    again, other = keras_model.build(graph, seed=5), keras_model.build(graph, seed=6)
    for name, kernel in kernels(first).items():
        np.testing.assert_array_equal(kernel, kernels(again)[name])
        assert (kernel != kernels(other)[name]).any()
    assert (kernels(first)["dense2/kernel"] != kernels(first)["dense3/kernel"]).any()
    keras.utils.set_random_seed(1)
    assert (random.random(), float(np.random.random())) == drawn[:2]
    np.testing.assert_array_equal(normals(), drawn[2])


def test_kernels_before_a_relu_keep_the_variance() -> None:
    graph = default("cnn", size=40, gray=False, classes=2, filters=(64, 64), units=(256,)).graph()
    found = {name: kernel.std() for name, kernel in kernels(keras_model.build(graph)).items()}
    assert found["conv1/kernel"] == pytest.approx((2 / 27) ** 0.5, rel=0.05)
    assert found["conv2/kernel"] == pytest.approx((2 / 576) ** 0.5, rel=0.05)
    assert found["dense1/kernel"] == pytest.approx((2 / 4096) ** 0.5, rel=0.05)
    assert found["logits/kernel"] == pytest.approx((2 / 258) ** 0.5, rel=0.1)


def test_only_one_kind_starts_from_pretrained_weights() -> None:
    assert initial_weights.pretrained(default("resnet", size=64, gray=False, classes=3)) is None
    for gray in (False, True):
        spec = default("finetune", size=32, gray=gray, classes=3)
        wanted = weight_shapes(spec.graph())
        found = initial_weights.pretrained(spec)
        assert found is not None
        assert {name: array.shape for name, array in found.items()} == {
            name: shape for name, shape in wanted.items() if not name.startswith("logit")
        }
