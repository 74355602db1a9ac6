"""Which pictures must stay together: copies, near-copies, and those of one ``group``."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from tellapart.audit.findings import Audit
from tellapart.scanning.scanner import Scan


def group_ids(scan: Scan, audit: Audit) -> NDArray[np.int64]:
    """A number for each picture; pictures that must stay together have the same one.

    Pairs are not chained into new pairs. But if a~b and b~c, no split may separate a from b or
    b from c, so the three stay together.

    Returns:
        int64 ``[N]``: the smallest row of the picture's group; its own row if it is alone.
    """
    links = [(pair.a, pair.b) for pair in audit.pairs]
    first: dict[str, int] = {}
    for row, group in enumerate(scan.frame["group"]):
        if group is not None:
            links.append((first.setdefault(group, row), row))
    return connected(scan.frame.height, links)


def connected(n: int, links: Iterable[tuple[int, int]]) -> NDArray[np.int64]:
    """The smallest row that each of ``n`` rows is linked to, over any number of steps.

    Union-find with path halving (R. Tarjan and J. van Leeuwen, 1984, "Worst-case analysis of
    set union algorithms"), so near-linear in the links.
    """
    parent = list(range(n))

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    for a, b in links:
        low, high = sorted((root(a), root(b)))
        parent[high] = low
    return np.fromiter((root(row) for row in range(n)), np.int64, n)
