#!/usr/bin/env bash
# A gray TIFF may say that 0 is white (PhotometricInterpretation 0). Pillow inverts such a picture of
# 8 bits, so that it looks right, and does not invert the same picture of 16 bits.
# Version: pillow==13.0.0, tifffile==2026.3.3, numpy==2.4.6; Python 3.11, Linux x86-64. Seen 2026-11-27.
# Guess from memory: Pillow honors the tag at every depth, or at none.
# Seen: the ramp 0, 64, 128, 255 comes out as 255, 191, 127, 0; the ramp 0, 16448, 32896, 65535 as it was
# stored. The tag is in both files (image.tag_v2[262] == 0), and neither has a note in image.info.
# Matters: a folder of X-rays or scanned pages with both depths holds positives and negatives of the same
# kind of picture, and a classifier learns the depth.
set -euo pipefail
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT
python3 -m venv "$T/venv"
"$T/venv/bin/pip" install -q --disable-pip-version-check 'pillow==13.0.0' 'tifffile==2026.3.3' 'numpy==2.4.6'
"$T/venv/bin/python" - <<'PY'
import io

import numpy as np
import tifffile
from PIL import Image

ramp = np.array([[0, 64, 128, 255]], np.uint8)
for stored, inverted in ((ramp, True), (ramp.astype(np.uint16) * 257, False)):
    file = io.BytesIO()
    tifffile.imwrite(file, stored, photometric="miniswhite")
    image = Image.open(file)
    seen = np.asarray(image)
    print(f"{stored.dtype}: stored {stored[0].tolist()}, Pillow reads {seen[0].tolist()} as {image.mode}")
    assert image.tag_v2[262] == 0
    highest = np.iinfo(stored.dtype).max
    assert (seen == (highest - stored if inverted else stored)).all()
PY
