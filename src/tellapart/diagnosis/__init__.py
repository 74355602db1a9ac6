"""What a run's numbers mean: its verdict."""

from tellapart.diagnosis.verdict import CODES, Facts, Verdict, diagnose

__all__ = ["CODES", "Facts", "Verdict", "diagnose"]
