#!/usr/bin/env bash
# CleanVision calls 16-bit gray PNGs that have nothing in common near duplicates of each other, and all of
# them too light: every value above 255 counts as white, so each hash from ImageHash is that of a white page.
# Version: cleanvision==0.3.7, imagehash==4.3.2, pillow==13.0.0, numpy==2.4.6; Python 3.11, Linux x86-64.
# Seen 2026-11-27.
# Guess from memory: the same findings as for the same pictures with 8 bits.
# Seen: eight different patterns of blobs: with 16 bits 8 near duplicates in one set and 8 light pictures;
# the same with their high bytes alone: 0 and 0. ImageHash's phash gives 1 hash for the 16-bit files, 8 for the others.
# Matters: who removes duplicates from a set of X-rays or micrographs keeps one picture of it.
set -euo pipefail
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT
python3 -m venv "$T/venv"
"$T/venv/bin/pip" install -q --disable-pip-version-check 'cleanvision==0.3.7' 'imagehash==4.3.2' \
  'pillow==13.0.0' 'numpy==2.4.6'
"$T/venv/bin/python" - "$T" <<'PY'
import sys
from pathlib import Path

import imagehash
import numpy as np
from cleanvision import Imagelab
from PIL import Image

random = np.random.default_rng(0)
PATTERNS = []
for _ in range(8):
    coarse = Image.fromarray(random.uniform(500, 60000, (8, 8)).astype(np.float32))
    smooth = np.asarray(coarse.resize((64, 64), Image.Resampling.BICUBIC))
    PATTERNS.append(smooth.clip(500, 65535).astype(np.uint16))

for bits, pictures in ((16, PATTERNS), (8, [(pattern >> 8).astype(np.uint8) for pattern in PATTERNS])):
    folder = Path(sys.argv[1]) / str(bits)
    folder.mkdir()
    for number, picture in enumerate(pictures):
        Image.fromarray(picture).save(folder / f"{number}.png")
    lab = Imagelab(data_path=str(folder))
    lab.find_issues(n_jobs=1, verbose=False)
    counts = dict(zip(lab.issue_summary["issue_type"], lab.issue_summary["num_images"]))
    hashes = len({str(imagehash.phash(Image.open(file))) for file in folder.iterdir()})
    sets = lab.info["near_duplicates"]["sets"]
    print(f"{bits} bits: {counts['near_duplicates']} near duplicates in {len(sets)} sets, "
          f"{counts['light']} light, {hashes} different hashes")
    if bits == 16:
        assert counts["near_duplicates"] == 8 and len(sets) == 1
        assert counts["light"] == 8 and hashes == 1
    else:
        assert counts["near_duplicates"] == 0 and counts["light"] == 0 and hashes == 8
PY
