"""Batches for a training, gathered and augmented while the engine works on earlier ones.

Who does what: :class:`Batches` makes any stretch of any epoch from (seed, epoch, step) alone;
:class:`Prefetcher` makes the next one in a background thread. Pixels stay uint8 until they are
inside the engine, and go there in chunks of many batches, so that no Python runs between two of
them.

Every batch has the same number of pictures, or the engine would compile its step twice: the
last batch of an epoch is filled up with the first pictures of the same order.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.core.typing import Floats, Ints, Pixels
from tellapart.networks import augment
from tellapart.networks.augment.random_draws import random_key
from tellapart.networks.spec.recipes import Recipe

CHUNK_BYTES = 32 * 2**20
"""Pixels of a chunk. A size and not a time, so that a training is cut into the same chunks
whatever else the machine does. A chunk is some seconds of work for any network here; starting the
engine on it takes about 30 ms."""


@dataclass(frozen=True)
class Chunk:
    """Some consecutive batches of one epoch.

    Attributes:
        first: The number of its first batch in the epoch, from 0.
        steps: Batches.
        pixels: uint8 ``[steps * batch, H, W, C]``.
        targets: int32 ``[steps * batch]``, or float32 ``[steps * batch, K]``.
        weights: float32 ``[steps * batch]``, or None.
    """

    epoch: int
    first: int
    steps: int
    pixels: Pixels
    targets: NDArray[Any]
    weights: Floats | None


class Batches:
    """The batches of every epoch of a training.

    Args:
        pixels: uint8 ``[N, H, W, C]``; may be mapped from a file.
        labels: int64 ``[N]``.
        rows: int64 ``[n]``, the pictures to learn from.
        classes: How many there are.
        recipe: Decides order, augmentation, mixing, label smoothing and class weights.
        batch: Pictures per step, at most ``n``.

    Attributes:
        batch: Pictures per step.
        steps: Batches per epoch.
        chunk_steps: Batches per chunk, at most.
        is_dense: Whether targets are shares of all classes instead of class numbers.
    """

    def __init__(
        self, pixels: Pixels, labels: Ints, rows: Ints, *, classes: int, recipe: Recipe, batch: int
    ) -> None:
        self._pixels, self._labels, self._rows = pixels, labels, rows
        self._classes, self._recipe = classes, recipe
        self.batch = batch
        self.steps = -(-len(rows) // batch)
        self.is_dense = recipe.label_smoothing > 0 or recipe.augment.mixes
        self._class_weights = class_weights(labels[rows], classes) if recipe.class_weights else None
        fitting = CHUNK_BYTES // max(1, batch * int(np.prod(pixels.shape[1:])))
        whole = recipe.steps_per_execution
        fitting = max(fitting // whole * whole, whole)
        # Equal parts of an epoch instead of full ones and a small rest.
        parts = -(-self.steps // fitting)
        self.chunk_steps = min(self.steps, -(-self.steps // parts // whole) * whole)

    def order(self, epoch: int) -> Ints:
        """Rows in the order of an epoch, int64 ``[steps * batch]``."""
        rng = np.random.default_rng(random_key(self._recipe.seed, "order", epoch))
        return np.resize(rng.permutation(self._rows), self.steps * self.batch)

    def chunk(self, epoch: int, first: int, steps: int) -> Chunk:
        """Some batches of an epoch, the same whenever and wherever they are made."""
        recipe, batch = self._recipe, self.batch
        rows = self.order(epoch)[first * batch : (first + steps) * batch]
        pixels = np.asarray(self._pixels[rows])
        if not recipe.augment.is_none:
            draws = augment.draw(recipe.augment, seed=recipe.seed, epoch=epoch, indices=rows)
            pixels = augment.apply(pixels, draws)
        labels = self._labels[rows]
        if not self.is_dense:
            weights = None if self._class_weights is None else self._class_weights[labels]
            return Chunk(epoch, first, steps, pixels, labels.astype(np.int32), weights)
        targets = np.eye(self._classes, dtype=np.float32)[labels]
        if recipe.augment.mixes:
            for step in range(steps):
                part = slice(step * batch, (step + 1) * batch)
                pixels[part], targets[part] = augment.mix(
                    pixels[part],
                    targets[part],
                    recipe.augment,
                    seed=recipe.seed,
                    epoch=epoch,
                    step=first + step,
                )
        weights = None if self._class_weights is None else targets @ self._class_weights
        smoothing = np.float32(recipe.label_smoothing)
        targets = targets * (1 - smoothing) + smoothing / np.float32(self._classes)
        return Chunk(epoch, first, steps, pixels, targets, weights)

    def stretches(self, epoch: int, step: int) -> Iterator[tuple[int, int, int]]:
        """Epoch, first batch and number of batches of one chunk after the other, without end."""
        while True:
            while step < self.steps:
                # On the same grid of chunks wherever a training resumes.
                end = min((step // self.chunk_steps + 1) * self.chunk_steps, self.steps)
                yield epoch, step, end - step
                step = end
            epoch, step = epoch + 1, 0


class Prefetcher:
    """Iterates over chunks without end; a thread makes the next one in advance.

    Example:
        >>> with Prefetcher(batches, epoch=0, step=0) as chunks:  # doctest: +SKIP
        ...     first = next(chunks)
    """

    def __init__(self, batches: Batches, *, epoch: int, step: int) -> None:
        self._batches = batches
        self._stretches = batches.stretches(epoch, step)
        self._pool = ThreadPoolExecutor(1, "tellapart-batches")
        self._ahead = self._make()

    def _make(self) -> Future[Chunk]:
        return self._pool.submit(self._batches.chunk, *next(self._stretches))

    def __enter__(self) -> Prefetcher:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def __iter__(self) -> Iterator[Chunk]:
        return self

    def __next__(self) -> Chunk:
        chunk = self._ahead.result()
        self._ahead = self._make()
        return chunk


def class_weights(labels: Ints, classes: int) -> Floats:
    """A weight per class, float32 ``[K]``, so that every class counts the same in total.

    Their mean over the pictures is 1; a class without pictures has weight 0.
    """
    counts = np.bincount(labels, minlength=classes)
    present = counts > 0
    weights = np.zeros(classes)
    weights[present] = len(labels) / (present.sum() * counts[present])
    return weights.astype(np.float32)
