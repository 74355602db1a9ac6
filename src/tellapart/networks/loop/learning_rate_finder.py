"""A learning rate by trial: the loss at rates that grow from batch to batch.

After Smith, *Cyclical Learning Rates for Training Neural Networks* (2017, arXiv:1506.01186): train
on a few batches at each of a row of growing rates, and watch the loss fall, flatten and explode.
The rate chosen is the middle of the longest stretch in which the smoothed loss falls, like fastai's
"valley": there is room on both sides. The network forgets the search afterwards.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from tellapart.networks.loop.batches import Batches
from tellapart.networks.loop.learner import Learner
from tellapart.networks.loop.stop_reasons import has_diverged

_RANGES = {"sgd": (1e-4, 10.0), "adam": (1e-6, 0.3), "adamw": (1e-6, 0.3)}
_RATES = 32
_STEPS = 2  # batches at each rate
_EXPLODED = 4.0  # times the lowest loss, at which the search ends
_PAST = 0.6  # weight of the past in the smoothed loss

Trials = list[tuple[float, float]]
"""Rate and mean loss of each trial."""


def candidates(optimizer: str) -> NDArray[np.float64]:
    """The rates to try, evenly spaced in their logarithm, float64 ``[32]``."""
    low, high = _RANGES[optimizer]
    return np.geomspace(low, high, _RATES)


def smoothed(losses: Sequence[float]) -> NDArray[np.float64]:
    """Running mean of losses, without a bias towards its start, float64 ``[n]``."""
    means, mean = [], 0.0
    for count, loss in enumerate(losses, 1):
        mean = _PAST * mean + (1 - _PAST) * loss
        means.append(mean / (1 - _PAST**count))
    return np.array(means)


def choose(trials: Trials, *, fallback: float) -> float:
    """The rate in the middle of the longest fall of the smoothed loss.

    Args:
        trials: Rate and loss, by growing rate.
        fallback: The rate if the loss never falls.
    """
    finite = [(rate, loss) for rate, loss in trials if math.isfinite(loss)]
    curve = smoothed([loss for _, loss in finite])
    longest, start = (0, 0), 0
    for place in range(1, len(curve)):
        if curve[place] >= curve[place - 1]:
            start = place
        if place - start > longest[1] - longest[0]:
            longest = (start, place)
    if longest[0] == longest[1]:
        return fallback
    rate = math.sqrt(finite[longest[0]][0] * finite[longest[1]][0])
    return float(f"{rate:.2g}")


def search(
    learner: Learner, batches: Batches, optimizer: str, *, stop: Callable[[], bool]
) -> Trials:
    """Try the rates on a network; its weights are unchanged afterwards.

    Args:
        learner: At the start of its stage.
        batches: To train on.
        optimizer: Decides which rates are tried.
        stop: Asked before each rate whether to end.
    """
    model, state = learner.model_arrays(), learner.optimizer_arrays()
    trials: Trials = []
    steps = min(_STEPS, batches.steps)
    for place, rate in enumerate(candidates(optimizer).tolist()):
        if stop():
            break
        learner.plan(peak=rate, steps=1, flat=True)
        first = place * steps % (batches.steps - steps + 1)
        loss = learner.train(batches.chunk(0, first, steps), lambda pictures, loss: False).loss
        if has_diverged(loss):
            break
        trials.append((rate, loss))
        if loss > _EXPLODED * min(seen for _, seen in trials):
            break
    learner.restore(model, state)
    return trials
