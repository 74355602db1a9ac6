#!/usr/bin/env bash
# Pillow multiplies the values of a 12-bit gray JPEG 2000 file by 16, and of a 10-bit one by 64, so that they
# fill 16 bits. OpenCV and imagecodecs return the values as stored; so does Pillow at 16 bits and for TIFF.
# Version: pillow==13.0.0, opencv-python-headless==5.0.0.93, imagecodecs==2026.3.6, tifffile==2026.3.3,
# numpy==2.4.6; Python 3.11, Linux x86-64. Seen 2026-11-27.
# Guess from memory: lossless means that the stored numbers come back, with 12 bits from 0 to 4095.
# Seen: 12 bits, stored 0, 1, 100, 2048, 4095: Pillow 0, 16, 1600, 32768, 65520; OpenCV and imagecodecs as
# stored. As a 16-bit TIFF the same numbers come back from Pillow as stored.
# Matters: densities measured in medical JPEG 2000 are 16 times too high in one program and right in another,
# and a classifier trained through one reader is asked through the other.
set -euo pipefail
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT
python3 -m venv "$T/venv"
"$T/venv/bin/pip" install -q --disable-pip-version-check 'pillow==13.0.0' 'opencv-python-headless==5.0.0.93' \
  'imagecodecs==2026.3.6' 'tifffile==2026.3.3' 'numpy==2.4.6'
"$T/venv/bin/python" - <<'PY'
import io

import cv2
import imagecodecs
import numpy as np
import tifffile
from PIL import Image

for bits in (10, 12, 16):
    values = [0, 1, 100, 2 ** (bits - 1), 2**bits - 1]
    stored = np.array([values] * 8, np.uint16)
    file = imagecodecs.jpeg2k_encode(stored, level=0, bitspersample=bits, codecformat="jp2")
    assert (imagecodecs.jpeg2k_decode(file) == stored).all()
    assert (cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_UNCHANGED) == stored).all()
    image = Image.open(io.BytesIO(file))
    seen = np.asarray(image)
    print(f"{bits} bits: stored {values}, Pillow reads {seen[0].tolist()} as {image.mode}")
    assert image.mode == "I;16"
    assert (seen == stored.astype(int) * 2 ** (16 - bits)).all()

    tiff = io.BytesIO()
    tifffile.imwrite(tiff, stored, photometric="minisblack")
    assert (np.asarray(Image.open(tiff)) == stored).all()
PY
