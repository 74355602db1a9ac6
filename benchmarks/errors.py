"""What goes wrong while measuring."""

from __future__ import annotations


class BenchmarkError(Exception):
    """Something is missing or a measured process failed; the message says what to do."""
