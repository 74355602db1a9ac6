#!/usr/bin/env bash
# OpenCV 4's dnn reads a uint8 input of DequantizeLinear with the zero point moved by 128: every
# value comes out 128 steps of the scale too high. Without a zero point, as int8, or written as
# Cast, Sub and Mul, the same arithmetic is right. It raises and logs nothing.
# Version: opencv-python-headless==4.14.0.94, onnx==1.23.2, onnxruntime==1.32.0, numpy==2.4.6;
# Python 3.11, Linux x86-64. Seen 2026-11-27. OpenCV 5.0.0.93 is right.
# Guess from memory: (x - zero point) * scale, for uint8 as for int8, as in ONNX Runtime.
# Seen: with scale 1/255 and zero point 0, pixel 200 becomes 1.286 and not 0.784; at every zero
# point tried, all values are 128/255 too high. int8, no zero point, and Cast/Sub/Mul: no difference.
# Matters: who puts "uint8 picture in" into an ONNX file and classifies with OpenCV's dnn: the
# network sees every picture brighter by half of its range and answers with confidence.
set -euo pipefail
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT
python3 -m venv "$T/venv"
"$T/venv/bin/pip" install -q --disable-pip-version-check 'opencv-python-headless==4.14.0.94' \
  'onnx==1.23.2' 'onnxruntime==1.32.0' 'numpy==2.4.6'
"$T/venv/bin/python" - <<'PY'
import cv2
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

cv2.setNumThreads(1)
SCALE = 1 / 255
PIXELS = np.arange(0, 256, 4).astype(np.uint8).reshape(1, 1, 8, 8)


def difference(nodes, constants, x, kind):
    """The largest and the smallest of OpenCV's values minus ONNX Runtime's."""
    graph = helper.make_graph(
        nodes,
        "dequantize",
        [helper.make_tensor_value_info("x", kind, x.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, x.shape)],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    data = model.SerializeToString()
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    expected = session.run(None, {"x": x})[0]
    net = cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8))
    net.setInput(x)
    seen = net.forward()
    return float((seen - expected).min()), float((seen - expected).max()), seen, expected


scale = helper.make_tensor("scale", TensorProto.FLOAT, [], [SCALE])
for zero_point in (0, 3, 128, 200):
    zero = helper.make_tensor("zero", TensorProto.UINT8, [], [zero_point])
    node = helper.make_node("DequantizeLinear", ["x", "scale", "zero"], ["y"])
    low, high, seen, expected = difference([node], [scale, zero], PIXELS, TensorProto.UINT8)
    at = int(np.flatnonzero(PIXELS == 200)[0])
    print(f"uint8, zero point {zero_point}: pixel 200 is {seen.flat[at]:.3f}, "
          f"not {expected.flat[at]:.3f}; all are {low * 255:.2f} to {high * 255:.2f} steps too high")
    assert abs(low * 255 - 128) < 0.01 and abs(high * 255 - 128) < 0.01

    zero = helper.make_tensor("zero", TensorProto.FLOAT, [], [float(zero_point)])
    by_hand = [
        helper.make_node("Cast", ["x"], ["real"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["real", "zero"], ["moved"]),
        helper.make_node("Mul", ["moved", "scale"], ["y"]),
    ]
    low, high, _, _ = difference(by_hand, [scale, zero], PIXELS, TensorProto.UINT8)
    print(f"uint8, the same as Cast, Sub, Mul: {low * 255:.2f} to {high * 255:.2f}")
    assert max(abs(low), abs(high)) < 1e-5

node = helper.make_node("DequantizeLinear", ["x", "scale"], ["y"])
low, high, _, _ = difference([node], [scale], PIXELS, TensorProto.UINT8)
print(f"uint8, no zero point: {low * 255:.2f} to {high * 255:.2f}")
assert max(abs(low), abs(high)) < 1e-5

zero = helper.make_tensor("zero", TensorProto.INT8, [], [-10])
node = helper.make_node("DequantizeLinear", ["x", "scale", "zero"], ["y"])
signed = (PIXELS.astype(np.int16) - 128).astype(np.int8)
low, high, _, _ = difference([node], [scale, zero], signed, TensorProto.INT8)
print(f"int8, zero point -10: {low * 255:.2f} to {high * 255:.2f}")
assert max(abs(low), abs(high)) < 1e-5
PY
