#!/usr/bin/env bash
# OpenVINO accepts ONNX's Resize with antialias=1 and resizes without antialiasing, without an error.
# Version: openvino==2026.4.1, onnx==1.23.2, onnxruntime==1.32.0, numpy==2.4.6; Python 3.11,
# Linux x86-64. Seen 2026-11-27.
# Guess from memory: it antialiases, or refuses a model with an attribute that it does not support.
# Seen: noise of 96x96 made 24x24, float32, levels from 0 to 255: with antialias=1 OpenVINO's output is,
# number for number, its output with antialias=0, for linear and for cubic; ONNX Runtime's differs from
# it by 95.7 (linear) and 123.7 (cubic) levels. With antialias=0 the two differ by less than 1 level.
# Matters: a network exported with its own resize answers differently on OpenVINO for every picture
# that is much larger than the network's input.
set -euo pipefail
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT
python3 -m venv "$T/venv"
"$T/venv/bin/pip" install -q --disable-pip-version-check 'openvino==2026.4.1' 'onnx==1.23.2' \
  'onnxruntime==1.32.0' 'numpy==2.4.6'
"$T/venv/bin/python" - <<'PY'
import numpy as np
import onnx
import onnxruntime
import openvino
from onnx import TensorProto, helper

picture = np.random.default_rng(0).integers(0, 256, (1, 3, 96, 96)).astype(np.float32)
core = openvino.Core()


def outputs(mode, antialias):
    """What OpenVINO and ONNX Runtime make of the picture, each float32 [1, 3, 24, 24]."""
    sizes = helper.make_tensor("sizes", TensorProto.INT64, [4], [1, 3, 24, 24])
    node = helper.make_node(
        "Resize", ["x", "", "", "sizes"], ["y"], mode=mode, antialias=antialias, cubic_coeff_a=-0.5,
        coordinate_transformation_mode="half_pixel",
    )
    graph = helper.make_graph(
        [node],
        "resize",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 96, 96])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3, 24, 24])],
        [sizes],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    data = model.SerializeToString()
    exact = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    compiled = core.compile_model(core.read_model(data), "CPU", exact)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    return compiled({"x": picture})[0], session.run(None, {"x": picture})[0]


for mode in ("linear", "cubic"):
    plain, plain_ort = outputs(mode, 0)
    smooth, smooth_ort = outputs(mode, 1)
    print(f"{mode}: OpenVINO with and without antialias differ by {abs(smooth - plain).max():.3f} levels; "
          f"OpenVINO and ONNX Runtime by {abs(plain - plain_ort).max():.1f} without "
          f"and {abs(smooth - smooth_ort).max():.1f} with it")
    assert (smooth == plain).all()
    assert abs(plain - plain_ort).max() < 1
    assert abs(smooth - smooth_ort).max() > 80
PY
