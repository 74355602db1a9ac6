from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tellapart.audit.hashing import RADIUS, near_hashes


def brute_force(hashes: np.ndarray, radius: int) -> set[tuple[int, int]]:
    bits = np.bitwise_count(hashes[:, None] ^ hashes[None, :])
    a, b = np.nonzero(np.triu(bits <= radius, 1))
    return set(zip(a.tolist(), b.tolist(), strict=True))


def pairs(hashes: np.ndarray, radius: int = RADIUS) -> set[tuple[int, int]]:
    found = near_hashes(hashes, radius)
    as_set = set(map(tuple, found.tolist()))
    assert len(as_set) == len(found), "each pair once"
    return as_set


def with_neighbors(n: int, seed: int) -> np.ndarray:
    """Random hashes, some of them others with up to nine bits turned."""
    rng = np.random.default_rng(seed)
    hashes = rng.integers(0, 2**64, n, dtype=np.uint64)
    for row in range(0, n // 2):
        turned = rng.choice(64, rng.integers(0, 10), replace=False)
        mask = sum(1 << int(bit) for bit in turned)
        hashes[n // 2 + row] = hashes[rng.integers(0, n // 2)] ^ np.uint64(mask)
    return hashes


@pytest.mark.parametrize("n", [2, 300, 6_000])  # below and above where the index begins
@pytest.mark.parametrize("radius", [0, 3, 7])
def test_the_index_finds_what_brute_force_finds(n: int, radius: int) -> None:
    hashes = with_neighbors(n, seed=n + radius)
    assert pairs(hashes, radius) == brute_force(hashes, radius)


@given(
    st.lists(st.integers(0, 2**64 - 1), max_size=12),
    st.lists(st.tuples(st.integers(0, 11), st.sets(st.integers(0, 63), max_size=9)), max_size=12),
)
@settings(max_examples=60, deadline=None)
def test_any_hashes(values: list[int], edits: list[tuple[int, set[int]]]) -> None:
    for row, bits in edits:
        if row < len(values):
            values.append(values[row] ^ sum(1 << bit for bit in bits))
    hashes = np.array(values, np.uint64)
    assert pairs(hashes) == brute_force(hashes, RADIUS)


def test_closest_pairs_come_first() -> None:
    hashes = np.array([0, 2**40 - 1, 0b111, 0b1], np.uint64)
    assert near_hashes(hashes).tolist() == [[0, 3], [2, 3], [0, 2]]


def test_a_crowd_of_equal_hashes_stays_bounded() -> None:
    hashes = np.zeros(20_000, np.uint64)
    found = near_hashes(hashes)
    assert 20_000 <= len(found) <= 20_000 * 16
    assert len(np.unique(found)) == 20_000, "each has a partner"


def test_a_crowd_of_near_hashes_stays_bounded() -> None:
    rng = np.random.default_rng(5)
    hashes = rng.integers(0, 2**16, 20_000, dtype=np.uint64)
    assert len(near_hashes(hashes)) < 5_000_000


def test_none_and_one() -> None:
    assert near_hashes(np.empty(0, np.uint64)).shape == (0, 2)
    assert near_hashes(np.array([5], np.uint64)).shape == (0, 2)


def test_the_radius_is_bounded() -> None:
    with pytest.raises(ValueError, match="radius"):
        near_hashes(np.zeros(3, np.uint64), 8)
