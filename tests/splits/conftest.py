"""Lets test modules import ``scans_by_hand`` of the audit's tests."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "audit"))
