#!/usr/bin/env bash
# Pillow garbles an uncompressed 16-bit RGB TIFF whose channels are stored one after the other
# (PlanarConfiguration 2). The same pixels compressed, or stored pixel by pixel, are read right.
# Version: pillow==13.0.0, tifffile==2026.3.3, imagecodecs==2026.3.6, pyvips==3.2.0,
# pyvips-binary==8.18.7, numpy==2.4.6; Python 3.11, Linux x86-64. Seen 2026-11-27.
# Guess from memory: the high byte of every value, as for all other 16-bit RGB files, or an error.
# Seen: a 48x32 ramp: deflate, LZW and pixel-by-pixel files equal the high bytes exactly; the
# uncompressed planar file opens without a word as RGB, and 99.9 % of its pixels are wrong, by 66 levels
# on average. libvips and tifffile read all of them right.
# Matters: pictures from microscopes, scanners and satellites are labelled, hashed and trained on as noise
# of the right size.
set -euo pipefail
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT
python3 -m venv "$T/venv"
"$T/venv/bin/pip" install -q --disable-pip-version-check 'pillow==13.0.0' 'tifffile==2026.3.3' \
  'imagecodecs==2026.3.6' 'pyvips==3.2.0' 'pyvips-binary==8.18.7' 'numpy==2.4.6'
"$T/venv/bin/python" - <<'PY'
import io

import numpy as np
import pyvips
import tifffile
from PIL import Image

row, column = np.mgrid[:32, :48]
picture = np.stack([column * 1300, row * 2000, (row + column) * 800], -1).astype(np.uint16)
high_bytes = (picture >> 8).astype(int)

for compression in (None, "zlib", "lzw"):
    for layout in ("contig", "separate"):
        file = io.BytesIO()
        stored = picture if layout == "contig" else np.moveaxis(picture, -1, 0).copy()
        tifffile.imwrite(file, stored, photometric="rgb", planarconfig=layout, compression=compression)
        assert (tifffile.imread(io.BytesIO(file.getvalue())) == stored).all()
        assert (pyvips.Image.new_from_buffer(file.getvalue(), "").numpy() == picture).all()
        image = Image.open(file)
        difference = abs(np.asarray(image).astype(int) - high_bytes)
        wrong = (difference > 1).any(-1).mean()
        print(f"{compression or 'uncompressed'}, {layout}: {image.mode}, {wrong:.1%} of the pixels wrong, "
              f"by {difference.mean():.1f} levels on average")
        if compression is None and layout == "separate":
            assert image.mode == "RGB" and wrong > 0.99 and difference.mean() > 50
        else:
            assert difference.max() == 0
PY
