"""Lets test modules import ``small_jobs``, which lies beside them, and makes a GPU exact.

A graphics card multiplies in TensorFloat-32, adds up in whatever order it finishes, and belongs to
the first process that takes it. Tests compare with a processor to 1e-4, weights to the bit, and
start processes. So where there is a card it computes in whole float32, in one order, and is shared.
Where there is none, this changes nothing.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

for _name, _value in {
    "NVIDIA_TF32_OVERRIDE": "0",
    "JAX_DEFAULT_MATMUL_PRECISION": "highest",
    "XLA_FLAGS": "--xla_gpu_deterministic_ops=true",
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
}.items():
    os.environ.setdefault(_name, _value)
