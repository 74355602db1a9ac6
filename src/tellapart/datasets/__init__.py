"""The data sets of the lessons: find, download, unpack."""

from tellapart.datasets.retrieval import get
from tellapart.datasets.search import find

__all__ = ["find", "get"]
