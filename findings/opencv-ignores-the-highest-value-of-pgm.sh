#!/usr/bin/env bash
# A PGM file names its highest value. Pillow spreads the values so that this one becomes white (255 or
# 65535); OpenCV ignores it and returns the values as stored, so that white of a 12-bit picture is dark gray.
# Version: opencv-python-headless==5.0.0.93, pillow==13.0.0, numpy==2.4.6; Python 3.11, Linux x86-64.
# Seen 2026-11-27.
# Guess from memory: both read the same picture from the same valid file of the simplest format there is.
# Seen: highest value 100: black, middle, white are 0, 128, 255 in Pillow and 0, 50, 100 in OpenCV; highest
# value 4095: 0, 32776, 65535 and 0, 2048, 4095. With 255 and 65535 both agree.
# Matters: who labels PGM of 10- and 12-bit cameras in one program and measures or classifies in the other:
# OpenCV shows white at a sixteenth of full brightness, Pillow does not return the sensor's numbers.
set -euo pipefail
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT
python3 -m venv "$T/venv"
"$T/venv/bin/pip" install -q --disable-pip-version-check 'opencv-python-headless==5.0.0.93' 'pillow==13.0.0' \
  'numpy==2.4.6'
"$T/venv/bin/python" - <<'PY'
import io

import cv2
import numpy as np
from PIL import Image

CASES = [  # highest value, values, what Pillow reads
    (100, [0, 50, 100], [0, 128, 255]),
    (255, [0, 50, 255], [0, 50, 255]),
    (4095, [0, 2048, 4095], [0, 32776, 65535]),
    (65535, [0, 2048, 65535], [0, 2048, 65535]),
]
for highest, values, expected in CASES:
    kind = np.uint8 if highest < 256 else np.dtype(">u2")
    file = b"P5\n3 1\n%d\n" % highest + np.array(values, kind).tobytes()
    pillow = np.asarray(Image.open(io.BytesIO(file)))[0].tolist()
    opencv = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_UNCHANGED)
    print(f"highest value {highest}, stored {values}: Pillow {pillow}, OpenCV {opencv[0].tolist()} as {opencv.dtype}")
    assert opencv[0].tolist() == values and pillow == expected
PY
