"""Mixup and cutmix: the pictures of a batch mixed with each other.

Every picture gets a partner from the same batch. Their shares are whole 256ths (mixup) or whole
pixels (cutmix), and the labels are mixed in exactly the same shares.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tellapart.core.typing import Floats, Pixels
from tellapart.networks.augment.policy import Policy
from tellapart.networks.augment.random_draws import random_key


def mix(
    pixels: Pixels,
    targets: Floats,
    policy: Policy,
    *,
    seed: int,
    epoch: int,
    step: int,
) -> tuple[Pixels, Floats]:
    """Mix the pictures of one batch and their labels.

    Args:
        pixels: uint8 ``[n, H, W, C]``; not changed.
        targets: float32 ``[n, K]``, shares of the classes; not changed.
        policy: With both ``mixup`` and ``cutmix``, each picture gets one or the other.
        seed: The run's seed.
        epoch: From 0.
        step: Batch of the epoch, from 0.

    Returns:
        Pixels and targets of the same shapes; the same arrays if nothing is mixed.
    """
    if not policy.mixes or len(pixels) < 2:
        return pixels, targets
    rng = np.random.default_rng(random_key(seed, "mix", epoch, step))
    count = len(pixels)
    partner = rng.permutation(count)
    blended = rng.random(count) < 0.5 if policy.mixup and policy.cutmix else None
    if blended is None:
        blended = np.full(count, policy.mixup > 0)
    alpha = np.where(blended, policy.mixup or 1.0, policy.cutmix or 1.0)
    share = rng.beta(alpha, alpha).tolist()  # of the picture itself
    center = rng.random((count, 2)).tolist()
    mixed = pixels.copy()
    kept = np.ones(count)
    for row in range(count):
        other = pixels[partner[row]]
        if blended[row]:
            kept[row] = _blend(mixed[row], other, share[row])
        else:
            kept[row] = _paste(mixed[row], other, share[row], center[row])
    weight = kept.astype(np.float32)[:, None]
    return mixed, (weight * targets + (1 - weight) * targets[partner]).astype(np.float32)


def _blend(picture: Pixels, other: Pixels, share: float) -> float:
    """Average in place, in whole numbers; returns the share of the picture, in 256ths."""
    own = round(256 * share)
    total = picture.astype(np.uint16) * np.uint16(own)  # at most 255 * 256
    total += other.astype(np.uint16) * np.uint16(256 - own)
    picture[...] = (total + np.uint16(128)) >> np.uint16(8)
    return own / 256


def _paste(picture: Pixels, other: Pixels, share: float, center: Sequence[float]) -> float:
    """Copy a rectangle of the other, in place; returns the share of pixels that is left."""
    height, width = picture.shape[:2]
    half = math.sqrt(1 - share) / 2
    (top, bottom), (left, right) = (
        (round(max(at - half, 0) * side), round(min(at + half, 1) * side))
        for at, side in zip(center, (height, width), strict=True)
    )
    picture[top:bottom, left:right] = other[top:bottom, left:right]
    return float(1 - (bottom - top) * (right - left) / (height * width))
