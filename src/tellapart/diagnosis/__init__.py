"""The verdict of a run: what its numbers mean and what to do next."""

from tellapart.diagnosis.verdict import CODES, QUOTED, Facts, Verdict, diagnose, fill, plain

__all__ = ["CODES", "QUOTED", "Facts", "Verdict", "diagnose", "fill", "plain"]
