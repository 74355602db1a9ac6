from __future__ import annotations

import numpy as np
import pytest

from tellapart.audit.neighbors import MIN_COSINE, close_features


def test_planted_neighbors_are_found_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    features = rng.standard_normal((3_000, 256)).astype(np.float16)
    for row in range(40):
        noise = 0.3 * rng.standard_normal(256)
        features[2_000 + row] = features[row] + noise
    found = close_features(features)
    assert set(map(tuple, found.tolist())) == {(row, 2_000 + row) for row in range(40)}


def test_cosines_are_those_of_the_full_features() -> None:
    rng = np.random.default_rng(1)
    features = np.abs(rng.standard_normal((200, 96))).astype(np.float32)
    found = close_features(features)
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    cosines = (unit[found[:, 0]] * unit[found[:, 1]]).sum(1)
    assert (cosines >= MIN_COSINE - 1e-5).all()
    assert (np.diff(cosines) <= 1e-5).all(), "closest first"
    assert (found[:, 0] < found[:, 1]).all()


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_few_pictures(n: int) -> None:
    found = close_features(np.ones((n, 1280), np.float16))
    assert found.shape[1] == 2
    assert len(found) <= n * (n - 1) // 2


def test_features_of_zeros_are_near_nothing() -> None:
    assert len(close_features(np.zeros((50, 64), np.float16))) == 0
