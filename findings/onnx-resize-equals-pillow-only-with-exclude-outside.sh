#!/usr/bin/env bash
# ONNX's Resize of uint8 with antialias=1 and cubic_coeff_a=-0.5 is Pillow's BICUBIC, bit for bit, in
# ONNX Runtime, but only with exclude_outside=1; with the default of 0 the border pixels differ.
# The same holds for linear and Pillow's BILINEAR, where exclude_outside seems to have no place.
# Version: onnxruntime==1.32.0, onnx==1.23.2, pillow==13.0.0, numpy==2.4.6; Python 3.11, Linux x86-64.
# Seen 2026-11-27.
# Guess from memory: antialias=1 alone gives Pillow's result, or nothing gives its exact bytes.
# Seen: noise of 96x96 made 24x24: with exclude_outside=1 no byte differs from Pillow's; with 0 the
# largest difference is 7 levels (cubic) and 9 (linear), all of it within two pixels of the border.
# Matters: who puts the resize that a classifier was trained with into its ONNX file.
set -euo pipefail
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT
python3 -m venv "$T/venv"
"$T/venv/bin/pip" install -q --disable-pip-version-check 'onnxruntime==1.32.0' 'onnx==1.23.2' \
  'pillow==13.0.0' 'numpy==2.4.6'
"$T/venv/bin/python" - <<'PY'
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from PIL import Image

picture = np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)


def resized(mode, exclude_outside):
    """ONNX Runtime's uint8 [24, 24, 3] of the picture."""
    sizes = helper.make_tensor("sizes", TensorProto.INT64, [4], [1, 3, 24, 24])
    node = helper.make_node(
        "Resize", ["x", "", "", "sizes"], ["y"], mode=mode, antialias=1, cubic_coeff_a=-0.5,
        exclude_outside=exclude_outside, coordinate_transformation_mode="half_pixel",
    )
    graph = helper.make_graph(
        [node],
        "resize",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, [1, 3, 96, 96])],
        [helper.make_tensor_value_info("y", TensorProto.UINT8, [1, 3, 24, 24])],
        [sizes],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    output = session.run(None, {"x": picture.transpose(2, 0, 1)[None].copy()})[0]
    return output[0].transpose(1, 2, 0).astype(int)


for mode, pillow_filter in (("cubic", Image.Resampling.BICUBIC), ("linear", Image.Resampling.BILINEAR)):
    expected = np.asarray(Image.fromarray(picture).resize((24, 24), pillow_filter)).astype(int)
    with_it = abs(resized(mode, 1) - expected)
    without = abs(resized(mode, 0) - expected)
    print(f"{mode}: exclude_outside=1 differs by {with_it.max()}, exclude_outside=0 by {without.max()} levels, "
          f"away from the border by {without[2:-2, 2:-2].max()}")
    assert with_it.max() == 0
    assert without.max() >= 5
    assert without[2:-2, 2:-2].max() == 0
PY
