"""Lets test modules import ``jobs_by_hand``, which lies beside them."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
