#!/usr/bin/env bash
# Pillow's rotate and transform with BILINEAR or BICUBIC garble a 16-bit gray picture (mode I;16): they
# return a picture of the same mode whose values are nearly all below 256. NEAREST is right, resize is right.
# Version: pillow==13.0.0, numpy==2.4.6; Python 3.11, Linux x86-64. Seen 2026-11-27.
# Guess from memory: the same as for mode F up to rounding, or an error, as filter() gives for this mode.
# Seen: a square of 40000 on 0, turned by 30 degrees with BILINEAR: in mode F the brightest pixel is 40000
# and the mean 10,000; in mode I;16 no pixel is above 255. BICUBIC: the same. NEAREST: no pixel differs.
# Matters: who varies 16-bit X-rays or micrographs for training, or straightens a scan, trains on black.
set -euo pipefail
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT
python3 -m venv "$T/venv"
"$T/venv/bin/pip" install -q --disable-pip-version-check 'pillow==13.0.0' 'numpy==2.4.6'
"$T/venv/bin/python" - <<'PY'
import numpy as np
from PIL import Image

pixels = np.zeros((64, 64), np.uint16)
pixels[16:48, 16:48] = 40000
gray16 = Image.fromarray(pixels)
real = Image.fromarray(pixels.astype(np.float32))
assert gray16.mode == "I;16" and real.mode == "F"

for name in ("NEAREST", "BILINEAR", "BICUBIC"):
    how = Image.Resampling[name]
    turned = gray16.rotate(30, how)
    expected = np.asarray(real.rotate(30, how))
    seen = np.asarray(turned)
    print(f"{name}: mode F: mean {expected.mean():.0f}, highest {expected.max():.0f}; "
          f"mode {turned.mode}: mean {seen.mean():.0f}, highest {seen.max()}")
    assert turned.mode == "I;16"
    if name == "NEAREST":
        assert (seen == expected).all()
    else:
        assert expected.mean() > 9_000
        assert seen.max() < 256
PY
