"""The verdict of a run: what its numbers mean and what to do next."""

from tellapart.diagnosis.verdict import CODES, QUOTED, Facts, Verdict, diagnose, fill, plain
from tellapart.diagnosis.weakest import weakest

__all__ = ["CODES", "QUOTED", "Facts", "Verdict", "diagnose", "fill", "plain", "weakest"]
