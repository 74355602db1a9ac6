"""A model file may hold layers and numbers, and nothing that reaches out of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from tellapart.graph import Graph, check_safe, to_onnx
from tellapart.graph.layers import Conv, Scale

GRAPH = Graph((8, 8), (Scale("scaled"), Conv("a", filters=4, activation="relu6")), ("a",))
GOOD = to_onnx(
    GRAPH,
    {"a/kernel": np.ones((4, 3, 1, 1), np.float32), "a/bias": np.zeros(4, np.float32)},
    metadata={"note": "x" * 300},
)


def test_what_we_write_is_contained() -> None:
    check_safe(GOOD)


def external(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")


def external_without_a_flag(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].external_data.add(key="location", value="/etc/passwd")


def constant_node(model: onnx.ModelProto) -> None:
    value = numpy_helper.from_array(np.zeros(1, np.float32))
    model.graph.node.append(helper.make_node("Constant", [], ["c"], value=value))


def tensor_attribute(model: onnx.ModelProto) -> None:
    value = numpy_helper.from_array(np.zeros(1, np.float32))
    model.graph.node[0].attribute.append(helper.make_attribute("value", value))


def nested_graph(model: onnx.ModelProto) -> None:
    inner = helper.make_graph([], "inner", [], [])
    model.graph.node[0].attribute.append(helper.make_attribute("body", inner))


def vendor(model: onnx.ModelProto) -> None:
    model.graph.node[0].domain = "com.microsoft"


def sparse(model: onnx.ModelProto) -> None:
    model.graph.sparse_initializer.add()


def function(model: onnx.ModelProto) -> None:
    model.functions.add(name="Conv", domain="")


def training(model: onnx.ModelProto) -> None:
    model.training_info.add()


def no_network(model: onnx.ModelProto) -> None:
    model.ClearField("graph")


@pytest.mark.parametrize(
    "change",
    [
        external,
        external_without_a_flag,
        constant_node,
        tensor_attribute,
        nested_graph,
        vendor,
        sparse,
        function,
        training,
        no_network,
    ],
)
def test_anything_else_is_refused(change: Callable[[onnx.ModelProto], None]) -> None:
    model = onnx.load_model_from_string(GOOD)
    change(model)
    with pytest.raises(ValueError, match="it holds"):
        check_safe(model.SerializeToString())


def test_a_second_network_in_the_file_is_refused() -> None:
    # Protobuf merges the two on reading, so checking only one would not do.
    with pytest.raises(ValueError):
        check_safe(GOOD + GOOD)


@pytest.mark.parametrize("data", [b"", b"\xff" * 40, b"not a model", GOOD[: len(GOOD) // 2]])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        check_safe(data)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_make_it_fail_otherwise(data: bytes) -> None:
    with pytest.raises(ValueError):
        check_safe(data)
