#!/usr/bin/env bash
# split-folders rounds the share of training and of validation down in each class and gives what is left to
# the test: with 80/10/10 a class of up to 9 pictures has none for validation, and up to 2 for the test.
# Version: split-folders==0.6.1, pillow==13.0.0; Python 3.11, Linux x86-64. Seen 2026-11-27.
# Guess from memory: rounded to the nearest, or at least one picture of each class in each part, or a warning.
# Seen: 9 pictures: 7 training, 0 validation, 2 test; 5 pictures: 4, 0, 1; 20 pictures: 16, 2, 2. No warning.
# Matters: validation knows nothing of the rare classes, which are the ones to watch, and class numbers read
# from the validation folder's subfolders may not be those of training.
set -euo pipefail
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT
python3 -m venv "$T/venv"
"$T/venv/bin/pip" install -q --disable-pip-version-check 'split-folders==0.6.1' 'pillow==13.0.0'
"$T/venv/bin/python" - "$T" <<'PY'
import sys
import warnings
from pathlib import Path

import splitfolders
from PIL import Image

warnings.simplefilter("error")
folder = Path(sys.argv[1])
EXPECTED = {5: [4, 0, 1], 9: [7, 0, 2], 20: [16, 2, 2]}
for count in EXPECTED:
    of_class = folder / "pictures" / f"class-{count}"
    of_class.mkdir(parents=True)
    for number in range(count):
        Image.new("L", (4, 4), number).save(of_class / f"{number}.png")

splitfolders.ratio(str(folder / "pictures"), str(folder / "split"), seed=1, ratio=(0.8, 0.1, 0.1))
for count, expected in EXPECTED.items():
    parts = [folder / "split" / part / f"class-{count}" for part in ("train", "val", "test")]
    seen = [len(list(part.glob("*.png"))) for part in parts]
    print(f"{count} pictures: training {seen[0]}, validation {seen[1]}, test {seen[2]}")
    assert seen == expected
PY
