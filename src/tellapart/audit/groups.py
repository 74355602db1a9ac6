"""Which pictures must never be parted: copies, near-copies, and those of one ``group``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tellapart.audit.findings import Audit
from tellapart.scanning import Scan


def group_ids(scan: Scan, audit: Audit) -> NDArray[np.int64]:
    """A number for each picture; pictures that must not be parted share it.

    Pairs are not chained into new pairs, but where a~b and b~c, no split may part a from b or
    b from c: so the three stay together.

    Returns:
        int64 ``[N]``: the smallest row of the picture's group; its own row if it is alone.
    """
    parent = list(range(scan.frame.height))

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    def join(a: int, b: int) -> None:
        a, b = root(a), root(b)
        parent[max(a, b)] = min(a, b)

    for pair in audit.pairs:
        join(pair.a, pair.b)
    first: dict[str, int] = {}
    for row, group in enumerate(scan.frame["group"]):
        if group is not None:
            join(first.setdefault(group, row), row)
    return np.fromiter((root(row) for row in range(len(parent))), np.int64, len(parent))
