"""What is measured before a training begins: how fast it goes, and in which precision.

Everything measured here is forgotten by the network afterwards.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.networks.devices import hardware
from tellapart.networks.loop import backend
from tellapart.networks.loop.feeding import Feed
from tellapart.networks.loop.learner import Learner

_ENOUGH = 1.0  # seconds of training that say how fast it is
_WORTH = 0.95  # of the time in float32 that another precision may take at most
_SIGNS = {"avx512_bf16", "amx_bf16", "bf16"}
_CPUINFO = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class Pace:
    """How fast a training goes, once compiled.

    Attributes:
        train: Seconds of the engine for one batch.
        make: Seconds of one thread to gather and vary one batch.
        validate: Seconds to evaluate the validation slice.
    """

    train: float
    make: float
    validate: float

    def epoch(self, steps: int) -> float:
        """Seconds for an epoch of so many batches.

        Making batches goes on beside training and takes some of its cores.
        """
        return steps * max(self.make, self.train + self.make / 2) + self.validate


def pace(
    learner: Learner,
    feed: Feed,
    pixels: NDArray[np.uint8],
    labels: NDArray[np.int64],
    validation: NDArray[np.int64],
) -> Pace:
    """Measure a learner at the start of a stage; it is as before afterwards."""
    model, optimizer = learner.model_arrays(), learner.optimizer_arrays()
    learner.plan(peak=0.0, steps=1, flat=True)
    steps = min(feed.chunk_steps, 2)
    _trained(learner, feed, steps)  # compiles
    took, made = _trained(learner, feed, steps)
    while took < _ENOUGH and steps < feed.chunk_steps:
        steps = min(feed.chunk_steps, steps * 4)
        took, made = _trained(learner, feed, steps)
    for _ in range(0 if took >= _ENOUGH else 2):  # a short time tells of other programs too
        took, made = min((took, made), _trained(learner, feed, steps))
    validate = 0.0
    if len(validation):
        some = validation[:512]
        learner.evaluate(pixels, labels, some)  # compiles
        began = time.perf_counter()
        learner.evaluate(pixels, labels, some)
        validate = (time.perf_counter() - began) * len(validation) / len(some)
    learner.restore(model, optimizer)
    return Pace(took / steps, made / steps, validate)


def _trained(learner: Learner, feed: Feed, steps: int) -> tuple[float, float]:
    """Seconds to train on so many batches, and to make them."""
    began = time.perf_counter()
    chunk = feed.chunk(0, 0, steps)
    made = time.perf_counter() - began
    learner.train(chunk, lambda pictures, loss: False)
    return time.perf_counter() - began - made, made


def has_bfloat16() -> bool:
    """Whether the processor computes with bfloat16, or there is another device than it."""
    devices = hardware.found(backend.keras())
    if any(not name.lower().startswith("cpu") for name in devices):
        return True
    try:
        text = _CPUINFO.read_text(errors="replace")
    except OSError:
        return False
    found = re.search(r"^(?:flags|Features)\s*:(.*)$", text, re.MULTILINE)
    return found is not None and bool(_SIGNS & set(found[1].split()))


def faster(
    make: Callable[[str], Any], measure: Callable[[Any], Pace], steps: int
) -> tuple[Any, str, Pace, str]:
    """The learner in the precision that is faster.

    Args:
        make: Builds a learner in a precision.
        measure: Gives its pace.
        steps: Batches of an epoch.

    Returns:
        The learner, its precision, its pace, and a sentence.
    """
    plain = make("float32")
    usual = measure(plain)
    mixed = make("mixed_bfloat16")
    other = measure(mixed)
    ratio = usual.epoch(steps) / max(other.epoch(steps), 1e-9)
    if other.epoch(steps) < _WORTH * usual.epoch(steps):
        sentence = f"Trained in mixed_bfloat16, measured {ratio:.2f} times as fast as float32."
        return mixed, "mixed_bfloat16", other, sentence
    sentence = f"Trained in float32: mixed_bfloat16 was measured {ratio:.2f} times as fast."
    return plain, "float32", usual, sentence
