"""Every data set of the classic lessons, by name; the records are in ``registry.toml``."""

from __future__ import annotations

import difflib
import tomllib
from importlib import resources
from typing import Any

from tellapart.core.errors import SettingsError
from tellapart.datasets.dataset import DataFile, DataSet

__all__ = ["DATA_SETS", "DataFile", "DataSet", "named"]


def _read() -> tuple[DataSet, ...]:
    file = resources.files("tellapart.datasets") / "registry.toml"
    records = tomllib.loads(file.read_text(encoding="utf-8"))["datasets"]
    return tuple(
        DataSet(
            files=tuple(DataFile(**_frozen(one)) for one in record.pop("files", ())),
            **_frozen(record),
        )
        for record in records
    )


def _frozen(record: dict[str, Any]) -> dict[str, Any]:
    return {
        key: tuple(value) if isinstance(value, list) else value for key, value in record.items()
    }


DATA_SETS: tuple[DataSet, ...] = _read()
"""Every data set, small and simple first."""


def named(name: str) -> DataSet:
    """The data set with that name.

    Raises:
        SettingsError: There is none; the message suggests the nearest name.

    Example:
        >>> named("mnist").pictures
        70000
    """
    by_name = {dataset.name: dataset for dataset in DATA_SETS}
    if name in by_name:
        return by_name[name]
    near = difflib.get_close_matches(name, by_name, n=1)
    raise SettingsError(
        f"There is no data set {name!r}." + (f" Did you mean {near[0]!r}?" if near else ""),
        remedy=f"The data sets are: {', '.join(by_name)}.",
        code="unknown_data_set",
    )
