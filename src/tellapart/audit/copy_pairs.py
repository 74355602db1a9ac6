"""Which pictures are copies or near-copies of each other.

Exact copies have the same hash of their bytes. :mod:`.hashing` proposes near-copies (the same
view, re-encoded, resized, brighter), and, if there are features, :mod:`.neighbors` proposes more
(crops and mirrored pictures). :mod:`.alignment` confirms every proposal on pixels. Pairs are
never chained: a~b and b~c does not make a~c.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tellapart.audit.alignment import MIN_CONTRAST, same_view, shared_view
from tellapart.audit.findings import Pair
from tellapart.audit.hashing import near_hashes
from tellapart.audit.neighbors import close_features
from tellapart.scanning.scanner import Scan

Features = NDArray[np.floating[Any]]  # [N, D], float16 or float32

CONFIRMED_BY_HASH = 500_000
"""Closest proposals of the hashes that are compared; only crowds of like hashes give more."""
SEARCHED_FOR_A_VIEW = 10_000
"""Closest proposals of the features that are searched for crops, a few ms each."""


class Found(NamedTuple):
    """Pairs of copies, and how many proposals were not searched for crops and mirrors."""

    pairs: tuple[Pair, ...]
    unsearched: int


def find_pairs(scan: Scan, features: Features | None) -> Found:
    """All copies and near-copies of a scan.

    Args:
        scan: The pictures.
        features: float16 or float32 ``[N, D]``, aligned with the scan, or None.

    Returns:
        Exact pairs (each copy with the first of its kind) and near pairs (confirmed on
        pixels, between the first of each content in each part), sorted by rows.
    """
    exact = exact_pairs(scan.frame)
    rows = _comparable(scan.frame)
    scores: dict[tuple[int, int], float] = {}
    content = scan.frame["content"].to_numpy()
    confirmed, unsearched = _near(scan, rows, features)
    for a, b, score in confirmed:
        if content[a] != content[b]:  # the same content in two parts is an exact pair
            scores[a, b] = max(score, scores.get((a, b), 0.0))
    near = (Pair(a, b, "near", round(score, 4)) for (a, b), score in scores.items())
    pairs = sorted([*exact, *near], key=lambda pair: (pair.a, pair.b))
    return Found(tuple(pairs), unsearched)


def exact_pairs(frame: pl.DataFrame) -> list[Pair]:
    """Each copy with the first row of the same content, among pictures that decode."""
    first = pl.col("row").first().over("content")
    copies = (
        frame.select("content", "error", row=pl.int_range(pl.len()))
        .filter(pl.col("error").is_null() & pl.col("content").is_not_null())
        .with_columns(first=first)
        .filter(pl.col("row") != pl.col("first"))
    )
    return [Pair(a, b, "exact", 1.0) for a, b in copies.select("first", "row").iter_rows()]


def _comparable(frame: pl.DataFrame) -> NDArray[np.int64]:
    """Rows to compare: one per content and part, not blank, and at least 64 pixels (hashed)."""
    rows = (
        frame.select("content", "part", "error", "dhash", "contrast", row=pl.int_range(pl.len()))
        .filter(
            pl.col("error").is_null()
            & pl.col("dhash").is_not_null()
            & (pl.col("contrast") >= MIN_CONTRAST)
        )
        .unique(["content", "part"], keep="first", maintain_order=True)
    )
    return rows["row"].to_numpy().astype(np.int64)


def _near(
    scan: Scan, rows: NDArray[np.int64], features: Features | None
) -> tuple[list[tuple[int, int, float]], int]:
    """Confirmed pairs with their scores, and the number of proposals beyond the limit."""
    if len(rows) < 2:
        return [], 0
    hashes = scan.frame["dhash"].gather(rows).to_numpy().astype(np.uint64)
    proposed = rows[near_hashes(hashes)[:CONFIRMED_BY_HASH]]
    scores = same_view(scan.thumbs, proposed[:, 0], proposed[:, 1])
    confirmed = _kept(proposed, scores)
    if features is None:
        return confirmed, 0
    known = _keys(proposed[scores > 0])
    proposed = rows[close_features(features[rows])]
    proposed = proposed[~np.isin(_keys(proposed), known)]
    scores = same_view(scan.thumbs, proposed[:, 0], proposed[:, 1])
    confirmed += _kept(proposed, scores)
    rest = proposed[scores == 0]
    searched = rest[:SEARCHED_FOR_A_VIEW]
    confirmed += _kept(searched, shared_view(scan.thumbs, searched[:, 0], searched[:, 1]))
    return confirmed, len(rest) - len(searched)


def _keys(pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    keys: NDArray[np.int64] = (pairs[:, 0] << 32) + pairs[:, 1]
    return keys


def _kept(pairs: NDArray[np.int64], scores: NDArray[np.float32]) -> list[tuple[int, int, float]]:
    good = scores > 0
    return list(zip(*pairs[good].T.tolist(), scores[good].tolist(), strict=True))
