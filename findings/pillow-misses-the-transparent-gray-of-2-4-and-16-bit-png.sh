#!/usr/bin/env bash
# A gray PNG may name one gray as transparent (tRNS). Pillow looks for it among the values that it has
# already spread to 8 bits, or cut down from 16: at 2 and 4 bits no pixel becomes transparent, and at
# 16 bits the wrong one does. At 1 and 8 bits it is right.
# Version: pillow==13.0.0, pyvips==3.2.0, pyvips-binary==8.18.7, numpy==2.4.6; Python 3.11, Linux x86-64.
# Seen 2026-11-27.
# Guess from memory: convert("RGBA") makes the pixels transparent that the file names, at every depth.
# Seen: 4 bits, all 16 grays, gray 8 transparent: Pillow finds none, libvips pixel 8. 2 bits: the same for
# gray 2. 16 bits, gray 32769 transparent: Pillow keeps that pixel opaque and makes gray 1 transparent.
# Matters: drawings and masks pasted onto a background, and pictures flattened before training, keep a
# background that other programs take away.
set -euo pipefail
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT
python3 -m venv "$T/venv"
"$T/venv/bin/pip" install -q --disable-pip-version-check 'pillow==13.0.0' 'pyvips==3.2.0' \
  'pyvips-binary==8.18.7' 'numpy==2.4.6'
"$T/venv/bin/python" - <<'PY'
import io
import struct
import zlib

import numpy as np
import pyvips
from PIL import Image


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def gray_png(bits, values, transparent):
    """A PNG of one row, gray, with one transparent gray."""
    row = "".join(format(value, f"0{bits}b") for value in values)
    packed = int(row, 2).to_bytes(len(row) // 8, "big")
    return b"".join([
        b"\x89PNG\r\n\x1a\n",
        chunk(b"IHDR", struct.pack(">IIBBBBB", len(values), 1, bits, 0, 0, 0, 0)),
        chunk(b"tRNS", struct.pack(">H", transparent)),
        chunk(b"IDAT", zlib.compress(b"\0" + packed)),
        chunk(b"IEND", b""),
    ])


CASES = [  # bits, grays of the pixels, transparent gray, pixels that Pillow makes transparent
    (1, [0, 1, 0, 1, 0, 0, 0, 0], 1, [1, 3]),
    (2, [0, 1, 2, 3], 2, []),
    (4, list(range(16)), 8, []),
    (8, [0, 127, 128, 129, 255], 128, [2]),
    (16, [0, 1, 32768, 32769, 32770, 65535], 32769, [1]),
]
for bits, values, transparent, expected in CASES:
    file = gray_png(bits, values, transparent)
    alpha = np.asarray(Image.open(io.BytesIO(file)).convert("RGBA"))[0, :, 3]
    pillow = np.flatnonzero(alpha == 0).tolist()
    vips = np.flatnonzero(pyvips.Image.new_from_buffer(file, "").numpy()[0, :, -1] == 0).tolist()
    print(f"{bits} bits, transparent gray {transparent}: Pillow finds pixels {pillow}, libvips {vips}")
    assert vips == [place for place, value in enumerate(values) if value == transparent]
    assert pillow == expected
PY
