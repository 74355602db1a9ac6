"""Random draws for augmentation: what happens to each picture, in whatever batch or order.

The numbers come from a counter-based generator: the finalizer of SplitMix64 scrambles a key from
(seed, "augment", epoch) with the picture's index (Steele, Lea and Flood 2014, "Fast splittable
pseudorandom number generators"), for a whole batch at once. Each change has its own column, so
that switching one on does not alter the others.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tellapart.networks.augment.policy import Policy

_COLUMNS = 13
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_ERASED = (0.02, 0.25)  # share of the picture
_ASPECT = 3.0  # an erased rectangle is up to this many times as wide as high, or the reverse


@dataclass(frozen=True, slots=True)
class Draws:
    """What happens to each of ``n`` pictures of any size.

    Attributes:
        flip: bool ``[n]``, mirrored left to right.
        vertical_flip: bool ``[n]``, mirrored top to bottom.
        shift: float64 ``[n, 2]``, to the right and down, in shares of width and height.
        rotation: float64 ``[n]``, radians, clockwise as seen.
        zoom: float64 ``[n]``, factor; above 1 enlarges.
        shear: float64 ``[n]``, radians; the top moves left.
        brightness: float64 ``[n]``, factor.
        contrast: float64 ``[n]``, factor.
        erase: float64 ``[n, 4]``, rectangle as (top, left, height, width): sizes in shares of
            the picture's, corners in shares of the space that is left; all 0 for none.
    """

    flip: NDArray[np.bool_]
    vertical_flip: NDArray[np.bool_]
    shift: NDArray[np.float64]
    rotation: NDArray[np.float64]
    zoom: NDArray[np.float64]
    shear: NDArray[np.float64]
    brightness: NDArray[np.float64]
    contrast: NDArray[np.float64]
    erase: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.flip)


def draw(policy: Policy, *, seed: int, epoch: int, indices: NDArray[np.int64]) -> Draws:
    """Draw what happens to pictures in one epoch.

    Args:
        policy: What may happen, and how much.
        seed: The run's seed.
        epoch: From 0.
        indices: int64 ``[n]``, the pictures' row numbers in the training data.

    Returns:
        One draw per picture, which depends on (seed, epoch, index) alone.

    Example:
        >>> policy = Policy(rotation=15)
        >>> both = draw(policy, seed=0, epoch=3, indices=np.array([7, 8]))
        >>> one = draw(policy, seed=0, epoch=3, indices=np.array([8]))
        >>> bool(both.rotation[1] == one.rotation[0])
        True
    """
    uniform = _uniform(random_key(seed, "augment", epoch), np.asarray(indices, np.int64))
    both_ways = 2 * uniform - 1
    return Draws(
        flip=(uniform[:, 0] < 0.5) & policy.flip,
        vertical_flip=(uniform[:, 1] < 0.5) & policy.vertical_flip,
        shift=policy.shift * both_ways[:, 2:4],
        rotation=np.deg2rad(policy.rotation) * both_ways[:, 4],
        zoom=(1 - policy.zoom) ** both_ways[:, 5],
        shear=np.deg2rad(policy.shear) * both_ways[:, 6],
        brightness=1 + policy.brightness * both_ways[:, 7],
        contrast=1 + policy.contrast * both_ways[:, 8],
        erase=_rectangles(uniform[:, 9:13], policy.erase),
    )


def random_key(*parts: object) -> int:
    """A 64-bit seed from plain values: the same on every machine, in every process."""
    text = "/".join(map(str, parts)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")


def _uniform(start: int, indices: NDArray[np.int64]) -> NDArray[np.float64]:
    """float64 ``[n, _COLUMNS]`` in [0, 1): row by row a function of ``start`` and the index."""
    with np.errstate(over="ignore"):  # arithmetic modulo 2**64 is intended
        rows = _scrambled(np.uint64(start) ^ _scrambled(indices.astype(np.uint64) + _GOLDEN))
        columns = np.arange(1, _COLUMNS + 1, dtype=np.uint64) * _GOLDEN
        bits = _scrambled(rows[:, None] + columns)
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _scrambled(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def _rectangles(uniform: NDArray[np.float64], probability: float) -> NDArray[np.float64]:
    """float64 ``[n, 4]``; one number decides whether a picture is erased and how much of it."""
    low, high = _ERASED
    drawn = uniform[:, 0]
    area = low + (high - low) * (drawn / probability if probability > 0 else drawn)
    stretch = _ASPECT ** (uniform[:, 1] - 0.5)  # square root of the aspect
    height, width = (np.minimum(np.sqrt(area) * side, 1.0) for side in (stretch, 1 / stretch))
    rectangles = np.stack([uniform[:, 2], uniform[:, 3], height, width], axis=1)
    return np.where((drawn < probability)[:, None], rectangles, 0.0)
