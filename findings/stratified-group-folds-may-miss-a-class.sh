#!/usr/bin/env bash
# scikit-learn's StratifiedGroupKFold may make a fold without one of the classes where folds with every class
# exist: it places the groups greedily, one by one, and says nothing about the class that is missing.
# Version: scikit-learn==1.9.1, numpy==2.4.6; Python 3.11, Linux x86-64. Seen 2026-11-27.
# Guess from memory: if every class can be in every fold, it is ("stratified"); or there is a warning, as
# StratifiedKFold gives for a class with fewer members than folds.
# Seen: four patients with 17+0, 21+14, 0+27 and 3+18 pictures of classes 0 and 1, three folds: one fold has
# no picture of class 1, though {1st and 3rd}, {2nd}, {4th} has both classes everywhere. No warning.
# Matters: recall and AUC of that fold are undefined or 0, and the mean over folds is quietly wrong.
set -euo pipefail
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT
python3 -m venv "$T/venv"
"$T/venv/bin/pip" install -q --disable-pip-version-check 'scikit-learn==1.9.1' 'numpy==2.4.6'
"$T/venv/bin/python" - <<'PY'
import warnings

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

warnings.simplefilter("error")
PATIENTS = [(17, 0), (21, 14), (0, 27), (3, 18)]  # pictures of class 0, of class 1
labels = np.concatenate([np.repeat([0, 1], counts) for counts in PATIENTS])
groups = np.repeat(range(4), [sum(counts) for counts in PATIENTS])

possible = [{0, 2}, {1}, {3}]
assert all(set(labels[np.isin(groups, list(fold))]) == {0, 1} for fold in possible)

incomplete = 0
for _, fold in StratifiedGroupKFold(3).split(labels[:, None], labels, groups):
    counts = np.bincount(labels[fold], minlength=2)
    print(f"patients {sorted(set(groups[fold].tolist()))}: pictures per class {counts.tolist()}")
    incomplete += (counts == 0).any()
assert incomplete == 1
PY
