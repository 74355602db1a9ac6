"""The rows: what is measured, how, and what is to be reached."""

from __future__ import annotations

from benchmarks.rows.accuracy import ACCURACY
from benchmarks.rows.base import Row
from benchmarks.rows.features import FEATURES
from benchmarks.rows.large import LARGE
from benchmarks.rows.scan import SCAN
from benchmarks.rows.start import START
from benchmarks.rows.train import TRAIN, WARM

__all__ = ["ROWS", "Row"]

ROWS: tuple[Row, ...] = (SCAN, FEATURES, TRAIN, WARM, LARGE, START, ACCURACY)
"""All of them, in the order of the table."""
