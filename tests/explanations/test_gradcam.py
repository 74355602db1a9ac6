"""Gradients written by hand are gradients; both maps account for the lead as they say."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from tellapart.explanations import gradcam
from tellapart.explanations.evidence import direction, evidence
from tellapart.graph.layers import Conv, Dense, Flatten, MaxPool, Scale, Softmax
from tellapart.model import Model


def lead(model: Model, pixels: np.ndarray, target: int) -> float:
    logs = np.log(model.run(pixels[None]).astype(np.float64))
    return float(evidence(logs, target)[0])


def test_forward_again_gives_the_files_own_answer(
    cnn: Model, pooled: Model, gray_cnn: Model, pixels: np.ndarray
) -> None:
    for model in (cnn, pooled, gray_cnn):
        tail, maps = model.last_map(pixels[None])
        logits, _ = gradcam.forward(tail, maps)
        powers = np.exp(logits - logits.max())
        assert np.allclose(powers / powers.sum(), model.run(pixels[None]), atol=1e-6)


@pytest.mark.parametrize("network", ["cnn", "pooled", "gray_cnn"])
def test_gradients_are_those_of_finite_differences(
    network: str, request: pytest.FixtureRequest, pixels: np.ndarray
) -> None:
    model: Model = request.getfixturevalue(network)
    tail, maps = model.last_map(pixels[None])
    tail = dataclasses.replace(
        tail, weights={name: value.astype(np.float64) for name, value in tail.weights.items()}
    )
    maps = maps.astype(np.float64)
    score = direction(3, 1).astype(np.float64)
    gradient = gradcam.forward(tail, maps)[1](score[None])
    assert gradient.shape == maps.shape
    assert np.count_nonzero(gradient) > 20
    step = 1e-6
    rng = np.random.default_rng(0)
    places = [tuple(rng.integers(0, side) for side in maps.shape) for _ in range(150)]
    for place in places + [tuple(at) for at in np.argwhere(gradient)[:50]]:
        above, below = maps.copy(), maps.copy()
        above[place] += step
        below[place] -= step
        up, down = (float((gradcam.forward(tail, m)[0] @ score)[0]) for m in (above, below))
        if maps[place] == 0:  # among equals, a step up wins its window and a step down does not
            continue
        assert (up - down) / (2 * step) == pytest.approx(gradient[place], abs=1e-6)


def test_of_equal_numbers_in_a_window_the_first_has_the_gradient(
    cnn: Model, pixels: np.ndarray
) -> None:
    tail, maps = cnn.last_map(pixels[None])
    pooling = dataclasses.replace(tail, nodes=tail.nodes[:1])
    made, back = gradcam.forward(pooling, np.ones_like(maps))
    gradient = back(np.ones_like(made))
    assert gradient.sum() == made.size
    assert np.all(gradient[:, :, 0:8:2, 0:8:2] == 1)
    assert gradient[0, :, 8:].sum() == 0  # an odd row is in no window


def test_place_by_place_adds_up_to_the_lead(
    build: Callable[..., Model], pixels: np.ndarray
) -> None:
    model = build(
        (
            Scale("scaled"),
            Conv("conv", filters=5, kernel=3, activation="relu"),
            MaxPool("pool"),
            Flatten("flat"),
            Dense("hidden", units=8, activation="relu"),
            Dense("logits", units=3),
            Softmax("probabilities"),
        ),
        biases=0.0,  # the lead is all the map's then
    )
    for target in range(3):
        heat = gradcam.hirescam(model, pixels, target)
        assert (heat.shape, heat.dtype) == ((13, 13), np.float32)
        assert heat.mean() == pytest.approx(lead(model, pixels, target), abs=1e-3)


def test_both_are_the_exact_evidence_where_the_network_ends_in_a_mean(
    pooled: Model, pixels: np.ndarray
) -> None:
    bias = pooled.weight("logits/bias")
    for target in range(3):
        exact = evidence(pooled.run_with_map(pixels[None])[1][0], target)
        less = exact - float(bias @ direction(3, target))
        for heat in (gradcam.gradcam, gradcam.hirescam):
            assert np.allclose(heat(pooled, pixels, target), less, atol=1e-4)
        assert exact.mean() == pytest.approx(lead(pooled, pixels, target), abs=1e-4)


def test_gradcam_is_as_fine_as_the_last_convolution(cnn: Model, pixels: np.ndarray) -> None:
    heat = gradcam.gradcam(cnn, pixels, 0)
    assert (heat.shape, heat.dtype) == ((9, 9), np.float32)
    tail, maps = cnn.last_map(pixels[None])
    weights = gradcam.forward(tail, maps)[1](direction(3, 0)[None]).sum(axis=(0, 2, 3))
    assert np.allclose(heat, np.tensordot(weights, maps[0], 1), rtol=1e-4, atol=1e-5)


def test_other_kinds_of_the_same_operations_are_refused(cnn: Model, pixels: np.ndarray) -> None:
    tail, maps = cnn.last_map(pixels[None])
    changes = {
        "MaxPool": {"kernel_shape": [3, 3], "strides": [2, 2]},
        "Gemm": {"transB": 1},
        "Flatten": {"axis": 2},
    }
    for operator, attributes in changes.items():
        nodes = tuple(
            dataclasses.replace(node, attributes=attributes) if node.operator == operator else node
            for node in tail.nodes
        )
        with pytest.raises(ValueError, match=r"another kind|flattens"):
            gradcam.forward(dataclasses.replace(tail, nodes=nodes), maps)
