"""Which pictures' features are close to each other, for a whole data set in seconds.

Candidates come from the 64 strongest directions of the features (principal components of a
sample), compared block by block so that memory stays bounded. Then the cosine of the full
features decides. Measured on two cores: docs/decisions/0020-near-copies.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.core.typing import Floats

Features = NDArray[np.floating[Any]]  # [n, D], float16 or float32

MIN_COSINE = 0.78
_MIN_PROJECTED = 0.70  # 2,700 altered photographs: none with MIN_COSINE was below
NEIGHBORS = 4
_DIRECTIONS = 64
_SAMPLE = 2_048
_GROUP = 64
_BLOCK_VALUES = 4_000_000  # float32: 16 MB of similarities at a time
_BLOCK_ROWS = 2_048


def close_features(features: Features) -> NDArray[np.int64]:
    """Pairs of pictures with close features: each picture's nearest few, if near enough.

    Args:
        features: float16 or float32 ``[n, D]``.

    Returns:
        int64 ``[m, 2]``, each row ``a < b``, closest pairs first, then by rows.
    """
    n = len(features)
    if n < 2:
        return np.empty((0, 2), np.int64)
    pairs = _candidates(_projected(features))
    cosines = _cosines(features, pairs)
    near = cosines >= MIN_COSINE
    pairs, cosines = pairs[near], cosines[near]
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0], -cosines))]


def _projected(features: Features) -> Floats:
    """Centered unit vectors in the strongest directions, float32 ``[n, 64]`` or fewer."""
    n = len(features)
    sample = features[:: -(-n // _SAMPLE)].astype(np.float32)
    mean = sample.mean(0)
    sample -= mean
    # Subspace iteration: good enough here, and much quicker than all eigenvectors.
    shape = (features.shape[1], min(_DIRECTIONS, features.shape[1]))
    basis = np.random.default_rng(0).standard_normal(shape, np.float32)
    for _ in range(3):
        basis = np.linalg.qr(sample.T @ (sample @ basis))[0]
    projected = np.empty((n, basis.shape[1]), np.float32)
    for start in range(0, n, _BLOCK_ROWS):
        rows = slice(start, start + _BLOCK_ROWS)
        projected[rows] = (features[rows].astype(np.float32) - mean) @ basis
    lengths = np.linalg.norm(projected, axis=1, keepdims=True)
    projected /= np.maximum(lengths, 1e-6)
    return projected


def _candidates(vectors: Floats) -> NDArray[np.int64]:
    """Each row with the rows nearest to it, int64 ``[m, 2]``, ``a < b``, each pair once."""
    n = len(vectors)
    columns = -(-n // _GROUP) * _GROUP
    padded = np.zeros((columns, vectors.shape[1]), np.float32)
    padded[:n] = vectors
    turned = np.ascontiguousarray(padded.T)
    block = max(1, min(_BLOCK_ROWS, _BLOCK_VALUES // columns))
    found = []
    for start in range(0, n, block):
        similar = vectors[start : start + block] @ turned
        similar[:, n:] = -2.0
        rows = np.arange(start, start + len(similar))
        similar[np.arange(len(similar)), rows] = -2.0
        nearest, values = _largest(similar)
        a = np.repeat(rows, nearest.shape[1])
        b = nearest.ravel()
        real = values.ravel() >= _MIN_PROJECTED
        found.append(np.stack([np.minimum(a, b)[real], np.maximum(a, b)[real]], axis=1))
    pairs = np.unique(np.concatenate(found), axis=0)
    return pairs.astype(np.int64)


def _largest(similar: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Columns of each row's largest values, and these values.

    They are in the groups of columns with the largest maxima, so only those are searched.
    """
    m, columns = similar.shape
    groups = columns // _GROUP
    strided = similar.reshape(m, _GROUP, groups)  # group g: columns g, g + groups, …
    keep = min(NEIGHBORS, groups)
    best = np.argpartition(-strided.max(1), keep - 1, axis=1)[:, :keep]
    members = best[:, :, None] + groups * np.arange(_GROUP)[None, None, :]
    members = members.reshape(m, -1)
    values = np.take_along_axis(similar, members, axis=1)
    top = np.argpartition(-values, NEIGHBORS - 1, axis=1)[:, :NEIGHBORS]
    return np.take_along_axis(members, top, axis=1), np.take_along_axis(values, top, axis=1)


def _cosines(features: Features, pairs: NDArray[np.int64]) -> Floats:
    """Cosine of the full features of each pair, float32 ``[m]``."""
    cosines = np.zeros(len(pairs), np.float32)
    for start in range(0, len(pairs), _BLOCK_ROWS):
        part = slice(start, start + _BLOCK_ROWS)
        a = features[pairs[part, 0]].astype(np.float32)
        b = features[pairs[part, 1]].astype(np.float32)
        lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
        cosines[part] = np.einsum("nd,nd->n", a, b) / np.maximum(lengths, 1e-6)
    return cosines
