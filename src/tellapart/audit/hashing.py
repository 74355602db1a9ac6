"""Which 64-bit hashes are close to each other: an index, not a comparison of all with all.

Multi-index hashing (M. Norouzi, A. Punjani, D. Fleet, 2012, "Fast search in Hamming space with
multi-index hashing"): each hash is cut into four pieces of 16 bits. Two hashes that differ in at
most 7 bits differ in at most one bit of some piece, so they meet in that piece's table under
one of 17 keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Rows = NDArray[np.int64]

RADIUS = 7
"""Bits in which near hashes may differ; four 16-bit pieces find up to 7 without a miss."""
_PIECES, _BITS = 4, 16
_FEW = 4_096  # up to here, comparing all with all is quicker and misses nothing
_CROWDED = 1_024
_WINDOW = 16
_BATCH = 1_000_000


class _Found(NamedTuple):
    """Pairs of positions and the number of bits in which they differ."""

    a: Rows
    b: Rows
    bits: NDArray[np.uint8]


def near_hashes(hashes: Hashes, radius: int = RADIUS) -> NDArray[np.int64]:
    """Pairs of hashes that differ in at most ``radius`` bits.

    Complete up to 4,096 different hashes. Beyond, it is complete except for crowds: of more than
    16 pictures with the same hash, each is paired with the next 16 only, and a table entry that
    more than 1,024 different hashes share is skipped (they can still meet in the other three
    tables). So thousands of blank pages cost no more than as many photographs.

    Args:
        hashes: uint64 ``[n]``.
        radius: At most 7.

    Returns:
        int64 ``[m, 2]``, each row ``a < b``, closest pairs first, then by rows.

    Raises:
        ValueError: If ``radius`` is not 0 to 7.
    """
    if not 0 <= radius <= RADIUS:
        raise ValueError(f"radius must be 0 to {RADIUS}, not {radius}")
    unique, inverse = np.unique(hashes, return_inverse=True)
    order = np.argsort(inverse, kind="stable").astype(np.int64)
    bounds = np.searchsorted(inverse[order], np.arange(len(unique) + 1)).astype(np.int64)
    found = [
        _same(order, bounds),
        *(_spread(near, order, bounds) for near in _near(unique, radius)),
    ]
    a = np.concatenate([part.a for part in found])
    b = np.concatenate([part.b for part in found])
    bits = np.concatenate([part.bits for part in found])
    pairs = np.stack([np.minimum(a, b), np.maximum(a, b)], axis=1)
    keys, first = np.unique(pairs[:, 0] * len(hashes) + pairs[:, 1], return_index=True)
    return pairs[first[np.lexsort((keys, bits[first]))]]


def _same(order: Rows, bounds: Rows) -> _Found:
    """Rows with equal hashes: each with the next few of its group."""
    ends = np.repeat(bounds[1:], np.diff(bounds))
    place = np.arange(len(order), dtype=np.int64)
    starts, others = [], []
    for step in range(1, min(_WINDOW, int(np.diff(bounds).max(initial=0))) + 1):
        has_next = place + step < ends
        starts.append(place[has_next])
        others.append(place[has_next] + step)
    a = order[np.concatenate([*starts, place[:0]])]
    b = order[np.concatenate([*others, place[:0]])]
    return _Found(a, b, np.zeros(len(a), np.uint8))


def _spread(near: _Found, order: Rows, bounds: Rows) -> _Found:
    """From pairs of different hashes to pairs of rows, a few of each hash's rows."""
    sizes = np.minimum(np.diff(bounds), _WINDOW)
    a, b, bits = [near.a[:0]], [near.b[:0]], [near.bits[:0]]
    for i in range(int(sizes[near.a].max(initial=0))):
        for j in range(int(sizes[near.b].max(initial=0))):
            both = (i < sizes[near.a]) & (j < sizes[near.b])
            a.append(order[bounds[near.a[both]] + i])
            b.append(order[bounds[near.b[both]] + j])
            bits.append(near.bits[both])
    return _Found(np.concatenate(a), np.concatenate(b), np.concatenate(bits))


def _near(unique: Hashes, radius: int) -> Iterator[_Found]:
    """Pairs of different hashes within the radius; a pair may come several times."""
    for a, b in _compared(unique) if len(unique) <= _FEW else _meetings(unique):
        bits = np.bitwise_count(unique[a] ^ unique[b])
        close = bits <= radius
        yield _Found(a[close], b[close], bits[close])


def _compared(unique: Hashes) -> Iterator[tuple[Rows, Rows]]:
    n = len(unique)
    block = max(1, _BATCH // max(n, 1))
    places = np.arange(n, dtype=np.int64)
    for start in range(0, n, block):
        rows = places[start : start + block]
        a, b = np.nonzero(rows[:, None] < places[None, :])
        yield rows[a], places[b]


def _meetings(unique: Hashes) -> Iterator[tuple[Rows, Rows]]:
    """Pairs that share a piece, or whose pieces differ in one bit."""
    masks = (0, *(1 << bit for bit in range(_BITS)))
    for piece in range(_PIECES):
        keys = ((unique >> np.uint64(_BITS * piece)) & np.uint64(0xFFFF)).astype(np.int64)
        order = np.argsort(keys, kind="stable").astype(np.int64)
        bounds = np.searchsorted(keys[order], np.arange((1 << _BITS) + 1)).astype(np.int64)
        sizes = np.diff(bounds)
        sizes[sizes > _CROWDED] = 0
        for mask in masks:
            partners = keys ^ mask
            yield from _expanded(order, bounds[partners], sizes[partners])


def _expanded(order: Rows, starts: Rows, sizes: Rows) -> Iterator[tuple[Rows, Rows]]:
    """Each place with every member of its partner bucket, in batches, each pair once."""
    totals = np.cumsum(sizes)
    cuts = np.searchsorted(totals, np.arange(_BATCH, int(totals[-1]) + _BATCH, _BATCH)) + 1
    begin = 0
    for end in np.minimum(cuts, len(sizes)).tolist():
        if end <= begin:
            continue
        part = sizes[begin:end]
        a = np.repeat(np.arange(begin, end, dtype=np.int64), part)
        within = np.arange(len(a)) - np.repeat(np.cumsum(part) - part, part)
        b = order[np.repeat(starts[begin:end], part) + within]
        once = a < b
        yield a[once], b[once]
        begin = end
