"""Every data set of the classic lessons, by name.

Nothing in the records is invented: a size or a checksum stands there because the provider, or
a list that compares downloads with it, publishes it, or because it was computed on a copy.
Where there is none, whoever uses the file is told.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from urllib.parse import urlsplit

from tellapart.core.errors import SettingsError
from tellapart.datasets import arrays, photographs
from tellapart.datasets.dataset import DataFile, DataSet

__all__ = ["DATA_SETS", "DataFile", "DataSet", "named", "plain_hosts"]

DATA_SETS: tuple[DataSet, ...] = (
    arrays.DIGITS,
    arrays.MNIST,
    arrays.FASHION,
    photographs.HAPPY_OR_SAD,
    photographs.HORSES_OR_HUMANS,
    photographs.HORSES_100PX,
    photographs.CATS_DOGS_3K,
    photographs.CATS_AND_DOGS_FILTERED,
    photographs.CATS_DOGS_KAGGLE,
    photographs.CATS_DOGS_25K,
    photographs.CATS_DOGS_180PX,
)
"""Every data set, small and simple first."""


def named(name: str) -> DataSet:
    """The data set of that name.

    Raises:
        SettingsError: There is none; the message names the nearest.

    Example:
        >>> named("mnist").pictures
        70000
    """
    for dataset in DATA_SETS:
        if dataset.name == name:
            return dataset
    names = [dataset.name for dataset in DATA_SETS]
    near = difflib.get_close_matches(name, names, n=1)
    raise SettingsError(
        f"There is no data set {name!r}." + (f" Did you mean {near[0]!r}?" if near else ""),
        remedy=f"The data sets are: {', '.join(names)}.",
        code="unknown_data_set",
    )


def plain_hosts(datasets: Iterable[DataSet] = DATA_SETS) -> frozenset[str]:
    """The hosts that the records themselves name with ``http``, without encryption."""
    urls = (url for dataset in datasets for file in dataset.files for url in file.urls)
    parts = map(urlsplit, urls)
    return frozenset(part.hostname or "" for part in parts if part.scheme == "http")
