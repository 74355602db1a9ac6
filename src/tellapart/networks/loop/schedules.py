"""The learning rate as a function of the step.

Who does what: :func:`factor` is the shape, a pure function for NumPy and Keras alike;
:func:`rates` is the curve of a whole training; :func:`schedule` is the curve for Keras's
optimizers.

Shapes, in shares of the peak, over the share ``t`` of the training that is done:

``onecycle``
    A line from 0.05 up to 1, then half a cosine down to 0.001 (after Smith and Topin,
    *Super-convergence*, 2018, arXiv:1708.07120).
``cosine``
    A line from 0 up to 1, then half a cosine down to 0 (Loshchilov and Hutter, *SGDR*, 2017,
    arXiv:1608.03983).
``constant``
    A line from 0 up to 1, then 1.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

_START = 0.05  # of the peak, at which one cycle begins
_END = 1e-3  # of the peak, at which it ends


def factor(t: Any, shape: str, warmup: float, ops: Any = np) -> Any:
    """Share of the peak at the share ``t`` of the training.

    Args:
        t: Number or array, 0 to 1.
        shape: ``"onecycle"``, ``"cosine"`` or ``"constant"``.
        warmup: Share of the training in which the rate rises, at least 0 and below 1.
        ops: NumPy, or a module with its ``where``, ``cos``, ``maximum`` and ``minimum``.
    """
    start = _START if shape == "onecycle" else 0.0
    after = ops.minimum(ops.maximum((t - warmup) / (1 - warmup), 0.0), 1.0)
    fall = 0.5 * (1 + ops.cos(math.pi * after))
    if shape == "onecycle":
        fall = ops.maximum(fall, _END)
    elif shape == "constant":
        fall = 0.0 * after + 1.0
    if not warmup:
        return fall
    return ops.where(t < warmup, start + (1 - start) * t / warmup, fall)


def rates(shape: str, *, peak: float, warmup: float, steps: int) -> NDArray[np.float64]:
    """The learning rate of each step, float64 ``[steps]``."""
    t = np.arange(steps) / max(steps, 1)
    return np.asarray(peak * factor(t, shape, warmup), np.float64)


def schedule(keras: Any, *, shape: str, warmup: float) -> Any:
    """The curve as a ``keras.optimizers.schedules.LearningRateSchedule``.

    Peak and length are variables of the optimizer: they can change after its step was compiled
    (to search a learning rate or plan a budget), and they are part of its checkpoints.

    Args:
        keras: The module.
        shape: As in :func:`factor`.
        warmup: As in :func:`factor`.

    Returns:
        The schedule, with ``bind(optimizer)``, to be called once, and ``plan(peak=..., steps=...,
        flat=False)``, where ``flat`` means the peak at every step.
    """
    ops = keras.ops

    class Planned(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
        def __init__(self) -> None:
            self.numbers: dict[str, Any] = {}

        def bind(self, optimizer: Any) -> None:
            for name in ("peak", "steps", "flat"):
                self.numbers[name] = optimizer.add_variable(
                    (), initializer="ones", dtype="float32", name=f"planned_{name}"
                )

        def plan(self, *, peak: float, steps: int, flat: bool = False) -> None:
            for name, value in (("peak", peak), ("steps", float(steps)), ("flat", float(flat))):
                self.numbers[name].assign(value)

        def __call__(self, step: Any) -> Any:
            t = ops.cast(step, "float32") / self.numbers["steps"]
            flat = self.numbers["flat"]
            return self.numbers["peak"] * (flat + (1 - flat) * factor(t, shape, warmup, ops))

        def get_config(self) -> dict[str, Any]:
            return {}

    return Planned()
