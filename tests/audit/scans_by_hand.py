"""Scans made by hand: columns with sensible values, and thumbnails, without files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import polars as pl

from tellapart.data.catalog import Catalog
from tellapart.images.decoder import Picture
from tellapart.scanning.facts import measure, schema
from tellapart.scanning.scanner import Scan

CATALOG: dict[str, tuple[Any, Any]] = {
    "label": ("cats", pl.String),
    "part": (None, pl.String),
    "group": (None, pl.String),
    "bytes": (1_000, pl.Int64),
}
# A good picture; of facts that are not named here, what a plain gray one has.
PLAIN = Picture(np.full((150, 200, 3), 120, np.uint8), "JPEG", "RGB", 8, 1, 1, False, False, False)
GOOD = measure(PLAIN)[0] | {"contrast": 50.0, "sharpness": 500.0, "dhash": None}
DEFAULTS = CATALOG | {
    name: (GOOD.get(name), dtype) for name, dtype in schema().items() if name != "content"
}
FACTS = tuple(name for name in DEFAULTS if name not in (*CATALOG, "error_message"))


@dataclass(frozen=True)
class NoSource:
    """A source that must not be read: audits look at columns alone."""

    name: str = "made by hand"
    location: str = "/nowhere"

    def read(self, row: int) -> bytes:
        raise AssertionError("an audit never reads a file again")

    def identity(self, row: int) -> tuple[str, int, int, int]:
        raise AssertionError("an audit never asks for identities")

    def close(self) -> None:
        pass


def make_scan(
    rows: Sequence[Mapping[str, Any]],
    *,
    thumbs: np.ndarray | None = None,
    passed_over: Mapping[str, int] | None = None,
    noted: Mapping[str, int] | None = None,
    classes: tuple[str, ...] | None = None,
) -> Scan:
    """A scan of the given rows; what a row does not say gets a sensible value.

    Paths are ``a/0000.jpg`` and so on, contents differ, hashes are far apart, unless given.
    """
    rng = np.random.default_rng(99)
    columns: dict[str, pl.Series] = {}
    paths = [row.get("path", f"a/{number:04d}.jpg") for number, row in enumerate(rows)]
    contents = [row.get("content", f"content {number}") for number, row in enumerate(rows)]
    columns["path"] = pl.Series("path", paths, pl.String)
    columns["content"] = pl.Series("content", contents, pl.String)
    for name, (default, dtype) in DEFAULTS.items():
        values = [
            None
            if row.get("error") and name in FACTS and name != "error"
            else row.get(name, default)
            for row in rows
        ]
        columns[name] = pl.Series(name, values, dtype)
    if not any("dhash" in row for row in rows):
        hashes = rng.integers(0, 2**64, len(rows), dtype=np.uint64).tolist()
        values = [None if row.get("error") else h for row, h in zip(rows, hashes, strict=True)]
        columns["dhash"] = pl.Series("dhash", values, pl.UInt64)
    frame = pl.DataFrame(list(columns.values()))
    if thumbs is None:
        thumbs = rng.integers(0, 256, (len(rows), 64, 64), dtype=np.uint8)
    labels = tuple(sorted(set(frame["label"].drop_nulls())))
    catalog = Catalog(
        columns={"path_bytes": [None] * len(frame)}
        | frame.select("path", "label", "part", "group", "bytes").to_dict(as_series=False),
        source=cast(Any, NoSource()),
        layout="folders",
        passed_over=passed_over or {},
        classes=labels if classes is None else classes,
        noted=noted or {},
    )
    return Scan(catalog=catalog, frame=frame, thumbs=thumbs, answers={}, decoded=0, seconds=0.0)


def two_classes(n: int, **values: Any) -> list[dict[str, Any]]:
    """``n`` good pictures of cats and as many of dogs."""
    return [
        {"path": f"{label}/{number:04d}.jpg", "label": label, **values}
        for label in ("cats", "dogs")
        for number in range(n)
    ]
