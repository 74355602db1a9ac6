#!/usr/bin/env bash
# Pillow reads a TIFF of signed 8-bit numbers as unsigned and a TIFF of unsigned 32-bit numbers as signed:
# -1 becomes 255, and 4294967295 becomes -1. Signed 16- and 32-bit numbers are right.
# Version: pillow==13.0.0, tifffile==2026.3.3, numpy==2.4.6; Python 3.11, Linux x86-64. Seen 2026-11-27.
# Guess from memory: right, or an error "cannot identify image file", which float16 and float64 get.
# Seen: int8 -128, -1, 0, 127 comes out as 128, 255, 0, 127 in mode L; uint32 0, 65536, 2147483648,
# 4294967295 as 0, 65536, -2147483648, -1 in mode I; int16 and int32 come out as they are stored.
# Matters: difference images, elevations and label maps with large ids are measured and masked wrongly.
set -euo pipefail
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT
python3 -m venv "$T/venv"
"$T/venv/bin/pip" install -q --disable-pip-version-check 'pillow==13.0.0' 'tifffile==2026.3.3' 'numpy==2.4.6'
"$T/venv/bin/python" - <<'PY'
import io

import numpy as np
import tifffile
from PIL import Image

CASES = [
    (np.int8, [-128, -1, 0, 127], "L", [128, 255, 0, 127]),
    (np.uint32, [0, 65536, 2147483648, 4294967295], "I", [0, 65536, -2147483648, -1]),
    (np.int16, [-32768, -1, 0, 32767], "I", [-32768, -1, 0, 32767]),
    (np.int32, [-2147483648, -1, 0, 2147483647], "I", [-2147483648, -1, 0, 2147483647]),
]
for kind, values, mode, expected in CASES:
    file = io.BytesIO()
    tifffile.imwrite(file, np.array([values], kind), photometric="minisblack")
    assert tifffile.imread(io.BytesIO(file.getvalue()))[0].tolist() == values
    image = Image.open(file)
    seen = np.asarray(image)[0].tolist()
    print(f"{np.dtype(kind)}: stored {values}, Pillow reads {seen} as {image.mode}")
    assert image.mode == mode and seen == expected
PY
