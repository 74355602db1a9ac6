from __future__ import annotations

import numpy as np
import pytest

from tellapart.networks import Recipe
from tellapart.networks.augment import Policy
from tellapart.networks.loop import batches
from tellapart.networks.loop.batches import Batches, Prefetcher, class_weights

N, CLASSES = 50, 3
PIXELS = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 1)).astype(np.uint8)
LABELS = np.random.default_rng(1).integers(0, CLASSES, 60)
ROWS = np.arange(5, 5 + N)


def make(batch: int = 16, augment: str = "none", **recipe: object) -> Batches:
    made = Recipe(epochs=2, batch=batch, augment=Policy.parse(augment), **recipe)
    return Batches(PIXELS, LABELS, ROWS, classes=CLASSES, recipe=made, batch=batch)


def test_an_epoch_has_every_picture_and_fills_its_last_batch() -> None:
    feed = make()
    order = feed.order(0)
    assert feed.steps == 4 and len(order) == 64
    assert sorted(order[:N]) == list(ROWS)
    assert (order[N:] == order[:14]).all()
    assert not (feed.order(1) == order).all()
    assert (make().order(1) == feed.order(1)).all()
    assert not (make(seed=1).order(0) == order).all()


@pytest.mark.parametrize("augment", ["none", "light", "mixup=0.2", "strong"])
def test_where_an_epoch_is_cut_leaves_no_trace(augment: str) -> None:
    feed = make(augment=augment, label_smoothing=0.1, class_weights=True)
    whole = feed.chunk(3, 0, 4)
    parts = [feed.chunk(3, 0, 1), feed.chunk(3, 1, 3)]
    for name in ("pixels", "targets", "weights"):
        joined = np.concatenate([getattr(part, name) for part in parts])
        np.testing.assert_array_equal(joined, getattr(whole, name))


def test_targets_are_numbers_unless_they_are_shares() -> None:
    plain = make().chunk(0, 0, 4)
    assert plain.targets.dtype == np.int32 and plain.weights is None
    np.testing.assert_array_equal(plain.pixels, PIXELS[make().order(0)])
    smooth = make(label_smoothing=0.3).chunk(0, 0, 4)
    np.testing.assert_allclose(smooth.targets.sum(1), 1, atol=1e-6)
    np.testing.assert_allclose(smooth.targets.max(1), 0.8, atol=1e-6)
    assert smooth.targets.dtype == np.float32


def test_classes_weigh_the_same_together() -> None:
    labels = np.array([0] * 8 + [1] * 2)
    weights = class_weights(labels, 3)
    np.testing.assert_allclose(weights, [0.625, 2.5, 0])
    assert weights[labels].mean() == pytest.approx(1)


def test_chunks_come_in_order_from_any_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "CHUNK_BYTES", 2 * 16 * 64)  # two batches
    feed = make()
    with Prefetcher(feed, epoch=1, step=1) as chunks:
        seen = [next(chunks) for _ in range(4)]
    assert [(c.epoch, c.first, c.steps) for c in seen] == [
        (1, 1, 1),
        (1, 2, 2),
        (2, 0, 2),
        (2, 2, 2),
    ]
    np.testing.assert_array_equal(seen[0].pixels, feed.chunk(1, 1, 1).pixels)


def test_what_fails_in_the_thread_is_raised_to_the_reader() -> None:
    broken = Batches(
        PIXELS,
        LABELS,
        np.array([1000, 1001]),
        classes=CLASSES,
        recipe=Recipe(epochs=1, batch=1),
        batch=1,
    )
    with Prefetcher(broken, epoch=0, step=0) as chunks, pytest.raises(IndexError):
        next(chunks)
