"""The verdict of a run: what its numbers mean and what to do next."""

from tellapart.diagnosis.verdict import CODES, Facts, Verdict, diagnose, fill

__all__ = ["CODES", "Facts", "Verdict", "diagnose", "fill"]
