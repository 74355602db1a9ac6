from __future__ import annotations

import numpy as np
import pytest

from tellapart.networks.augment import Policy, mix

N, K = 32, 4


def batch() -> tuple[np.ndarray, np.ndarray]:
    """Each picture in one level of its own, each with a class of its own kind."""
    levels = np.arange(N, dtype=np.uint8) * 8
    pixels = np.broadcast_to(levels[:, None, None, None], (N, 16, 12, 3)).copy()
    return pixels, np.eye(K, dtype=np.float32)[np.arange(N) % K]


@pytest.mark.parametrize("policy", [Policy(mixup=1), Policy(cutmix=1), Policy(mixup=1, cutmix=1)])
def test_labels_get_the_share_that_pixels_got(policy: Policy) -> None:
    pixels, _ = batch()
    own = np.eye(N, dtype=np.float32)
    mixed, targets = mix(pixels, own, policy, seed=0, epoch=1, step=2)
    assert mixed.shape == pixels.shape and mixed.dtype == np.uint8
    assert targets.shape == own.shape and targets.dtype == np.float32
    assert np.allclose(targets.sum(axis=1), 1)
    # Levels are linear in the share, so a picture's mean level tells it.
    expected = targets @ pixels[:, 0, 0, 0].astype(np.float32)
    assert np.abs(mixed.mean(axis=(1, 2, 3)) - expected).max() <= 0.6
    assert (targets.max(axis=1) < 0.95).sum() > N / 3  # it does mix


def test_cutmix_lays_one_rectangle_over() -> None:
    pixels, targets = batch()
    mixed, _ = mix(pixels, targets, Policy(cutmix=1), seed=0, epoch=0, step=0)
    for before, after in zip(pixels, mixed, strict=True):
        changed = (before != after).any(axis=2)
        if changed.any():
            rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
            assert changed[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()


def test_mixing_is_drawn_from_seed_epoch_and_step() -> None:
    pixels, targets = batch()
    policy = Policy(mixup=0.4, cutmix=1)
    at = {"seed": 0, "epoch": 0, "step": 0}
    first = mix(pixels, targets, policy, **at)
    again = mix(pixels, targets, policy, **at)
    assert np.array_equal(first[0], again[0]) and np.array_equal(first[1], again[1])
    for name in at:
        other = mix(pixels, targets, policy, **{**at, name: 1})
        assert not np.array_equal(first[0], other[0]), name


def test_what_comes_in_is_left_alone() -> None:
    pixels, targets = batch()
    before = pixels.copy(), targets.copy()
    mix(pixels, targets, Policy(mixup=1, cutmix=1), seed=0, epoch=0, step=0)
    assert np.array_equal(pixels, before[0]) and np.array_equal(targets, before[1])


def test_nothing_to_mix_gives_back_what_came() -> None:
    pixels, targets = batch()
    same = mix(pixels, targets, Policy(flip=True), seed=0, epoch=0, step=0)
    assert same[0] is pixels and same[1] is targets
    one = mix(pixels[:1], targets[:1], Policy(cutmix=1), seed=0, epoch=0, step=0)
    assert np.array_equal(one[0], pixels[:1])
