"""What is read back from a file is what was written into it."""

from __future__ import annotations

import numpy as np
import pytest

from tellapart.graph import INPUT, Graph, open_session, to_onnx
from tellapart.graph.layers import (
    Add,
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
from tellapart.graph.reading import extract, map_layers, tail, weight

RESIDUAL = Graph(
    (12, 10),
    (
        Luma("luma"),
        Scale("scaled"),
        Conv("stem", filters=4, kernel=3, activation="relu"),
        MaxPool("pool"),
        Conv("inner", filters=4, kernel=3),
        Add("sum", inputs=("pool", "inner"), activation="relu"),
        GlobalAveragePool("features"),
        Dense("logits", units=3),
        Softmax("probabilities"),
        Conv("logit_map", filters=3, inputs=("sum",)),
    ),
    ("probabilities", "logit_map"),
)


def written(graph: Graph) -> tuple[bytes, dict[str, np.ndarray]]:
    rng = np.random.default_rng(0)
    weights = {
        name: rng.normal(0, 0.5, shape).astype(np.float32)
        for name, shape in weight_shapes(graph).items()
    }
    return to_onnx(graph, weights), weights


@pytest.fixture(scope="module")
def file() -> tuple[bytes, dict[str, np.ndarray]]:
    return written(RESIDUAL)


def test_layers_are_those_on_the_way_and_the_luma_is_none(
    file: tuple[bytes, dict[str, np.ndarray]],
) -> None:
    assert [(one.name, one.shape) for one in map_layers(file[0], "probabilities")] == [
        ("stem", (12, 10, 4)),
        ("pool", (6, 5, 4)),
        ("inner", (6, 5, 4)),
    ]
    assert map_layers(file[0], "logit_map")[-1].name == "logit_map"


def test_numbers_come_back_as_they_were(file: tuple[bytes, dict[str, np.ndarray]]) -> None:
    for name, value in file[1].items():
        found = weight(file[0], name)
        assert found.dtype == np.float32
        assert np.array_equal(found, value)
    with pytest.raises(ValueError, match="no weight 'nothing'"):
        weight(file[0], "nothing")


def test_the_beginning_is_a_file_of_its_own(file: tuple[bytes, dict[str, np.ndarray]]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (2, 12, 10, 3), dtype=np.uint8)
    part = extract(file[0], ["stem/nchw", "pool/nchw"])
    assert len(part) < len(file[0])
    stem, pool = open_session(part).run(None, {INPUT: pixels})
    assert stem.shape == (2, 4, 12, 10)
    assert np.array_equal(stem.reshape(2, 4, 6, 2, 5, 2).max(axis=(3, 5)), pool)
    with pytest.raises(ValueError, match="has no 'nothing'"):
        extract(file[0], ["nothing"])


def test_the_end_is_a_file_of_its_own(file: tuple[bytes, dict[str, np.ndarray]]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (2, 12, 10, 3), dtype=np.uint8)
    whole = open_session(extract(file[0], ["features", "probabilities"]))
    features, wanted = whole.run(None, {INPUT: pixels})
    end = open_session(extract(file[0], ["probabilities"], start="features"))
    assert np.array_equal(end.run(None, {"features": features})[0], wanted)
    with pytest.raises(ValueError, match="cannot be computed from 'features' alone"):
        extract(file[0], ["logit_map"], start="features")


def test_the_tail_begins_behind_the_last_sum(file: tuple[bytes, dict[str, np.ndarray]]) -> None:
    found = tail(file[0], "probabilities")
    assert found.tensor == "sum/nchw"
    assert [node.operator for node in found.nodes] == ["GlobalAveragePool", "Flatten", "Gemm"]
    assert set(found.weights) == {"logits/kernel", "logits/bias"}


def test_the_tail_holds_the_last_pooling() -> None:
    layers = (
        Scale("scaled"),
        Conv("conv", filters=2, kernel=3, activation="relu6"),
        MaxPool("pool"),
        Flatten("flat"),
        Dense("hidden", units=4, activation="relu"),
        Dense("logits", units=2),
        Softmax("probabilities"),
    )
    found = tail(written(Graph((8, 8), layers, ("probabilities",)))[0], "probabilities")
    assert found.tensor == "conv/nchw"
    assert [node.operator for node in found.nodes] == [
        "MaxPool",
        "Transpose",
        "Flatten",
        "Gemm",
        "Relu",
        "Gemm",
    ]


def test_an_output_without_softmax_has_no_tail(
    file: tuple[bytes, dict[str, np.ndarray]],
) -> None:
    for output in ("logit_map", "nothing"):
        with pytest.raises(ValueError, match="no softmax computes"):
            tail(file[0], output)
