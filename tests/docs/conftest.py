"""Lets the test modules import the helpers in this folder, such as ``shown`` and ``tour``."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
