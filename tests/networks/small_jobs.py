"""Trainings so small that a test can run them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tellapart.networks import Job, Recipe, Stage
from tellapart.networks.augment import Policy
from tellapart.networks.spec import architectures

SIZE, CLASSES = 10, 3


def make_job(
    folder: Path,
    *,
    kind: str = "dnn",
    n: int = 96,
    validation: int = 30,
    stages: tuple[Stage, ...] = (),
    initial: dict[str, np.ndarray] | None = None,
    augment: str = "none",
    noise: int = 150,
    **recipe: Any,
) -> Job:
    """Gray pictures of 10 x 10 whose class is where they are bright, and a net for them."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(7)
    total = n + validation
    labels = rng.integers(0, CLASSES, total)
    pixels = rng.integers(0, noise, (total, SIZE, SIZE, 1)).astype(np.uint8)
    for label in range(CLASSES):
        pixels[labels == label, label * 3 : label * 3 + 3] += np.uint8(100)
    np.save(folder / "pixels.npy", pixels)
    more: dict[str, Any] = {"filters": (4,)} if kind == "cnn" else {}
    spec = architectures.default(
        kind, size=SIZE, gray=True, classes=CLASSES, units=(12,), dropout=0.2, **more
    )
    values: dict[str, Any] = {"epochs": 3, "batch": 16, "learning_rate": 0.01} | recipe
    return Job(
        spec=spec,
        recipe=Recipe(stages=stages, augment=Policy.parse(augment), **values),
        pixels=folder / "pixels.npy",
        labels=labels,
        training=np.arange(n),
        validation=np.arange(n, total),
        classes=("a", "b", "c"),
        initial=initial,
    )


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    """Whether weights are the same, bit for bit."""
    return one.keys() == other.keys() and all(
        one[name].tobytes() == other[name].tobytes() for name in one
    )
