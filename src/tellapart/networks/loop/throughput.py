"""How fast a network trains on this machine, measured on a few batches."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tellapart.networks.loop.batches import Batches
from tellapart.networks.loop.learner import Learner

_ENOUGH = 1.0  # seconds of training after which the speed is known
_VALIDATION = 512  # pictures that stand for the validation slice


@dataclass(frozen=True)
class Throughput:
    """Speed of a training once everything is compiled.

    Attributes:
        train: Seconds of the engine per batch.
        load: Seconds of one thread to gather and augment a batch.
        validate: Seconds to evaluate the validation slice.
    """

    train: float
    load: float
    validate: float

    def epoch_seconds(self, steps: int) -> float:
        """Seconds of an epoch of so many batches.

        Batches are made while others are trained on, and that takes some of the cores.
        """
        return steps * max(self.load, self.train + self.load / 2) + self.validate


def measure(
    learner: Learner,
    batches: Batches,
    pixels: NDArray[np.uint8],
    labels: NDArray[np.int64],
    validation: NDArray[np.int64],
) -> Throughput:
    """Measure a learner at the start of a stage; its weights are unchanged afterwards."""
    model, optimizer = learner.model_arrays(), learner.optimizer_arrays()
    learner.plan(peak=0.0, steps=1, flat=True)
    steps = min(batches.chunk_steps, 2)
    _train(learner, batches, steps)  # compiles
    train, load = _train(learner, batches, steps)
    while train < _ENOUGH and steps < batches.chunk_steps:
        steps = min(batches.chunk_steps, steps * 4)
        train, load = _train(learner, batches, steps)
    for _ in range(0 if train >= _ENOUGH else 2):  # a short time may include other programs'
        train, load = min((train, load), _train(learner, batches, steps))
    validate = 0.0
    if len(validation):
        some = validation[:_VALIDATION]
        for _ in range(2):  # the first time compiles
            began = time.perf_counter()
            list(learner.evaluate(pixels, labels, some))
            validate = (time.perf_counter() - began) * len(validation) / len(some)
    learner.restore(model, optimizer)
    return Throughput(train / steps, load / steps, validate)


def _train(learner: Learner, batches: Batches, steps: int) -> tuple[float, float]:
    """Seconds to train on so many batches, and seconds to make them."""
    began = time.perf_counter()
    chunk = batches.chunk(0, 0, steps)
    loaded = time.perf_counter()
    learner.train(chunk, lambda pictures, loss: False)
    return time.perf_counter() - loaded, loaded - began
