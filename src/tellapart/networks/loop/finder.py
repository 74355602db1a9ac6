"""A learning rate by trial: the loss over rates that grow from batch to batch.

After Smith, *Cyclical Learning Rates for Training Neural Networks* (2017, arXiv:1506.01186): train
on a few batches at each of a row of growing rates and watch the loss fall, flatten and
explode. The rate taken is the middle of the longest stretch in which the smoothed loss falls, as
the "valley" of fastai: there is room on both sides. The network forgets all of it afterwards.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from tellapart.networks.loop.feeding import Feed
from tellapart.networks.loop.learner import Learner
from tellapart.networks.loop.stopping import has_diverged

_RANGES = {"sgd": (1e-4, 10.0), "adam": (1e-6, 0.3), "adamw": (1e-6, 0.3)}
_RATES = 32
_STEPS = 2  # batches at each rate
_BEYOND = 4.0  # times the least loss, where the search ends
_SMOOTH = 0.6  # weight of the past in the smoothed loss

Table = list[tuple[float, float]]


def candidates(optimizer: str) -> NDArray[np.float64]:
    """The rates to try, growing evenly in their logarithm, float64 ``[32]``."""
    low, high = _RANGES[optimizer]
    return np.geomspace(low, high, _RATES)


def smoothed(losses: Sequence[float]) -> NDArray[np.float64]:
    """Running mean of a row of losses, without a bias to its start, float64 ``[n]``."""
    made, mean = [], 0.0
    for count, loss in enumerate(losses, 1):
        mean = _SMOOTH * mean + (1 - _SMOOTH) * loss
        made.append(mean / (1 - _SMOOTH**count))
    return np.array(made)


def choose(table: Table, *, fallback: float) -> float:
    """The rate in the middle of the longest fall of the smoothed loss.

    Args:
        table: Rate and loss, rates growing.
        fallback: What to take where the loss never falls.
    """
    finite = [(rate, loss) for rate, loss in table if math.isfinite(loss)]
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


def search(learner: Learner, feed: Feed, optimizer: str, *, stop: Callable[[], bool]) -> Table:
    """Try the rates on a network, which is as before afterwards.

    Args:
        learner: At the start of its stage.
        feed: Gives the batches.
        optimizer: Decides which rates are tried.
        stop: Asked between two rates whether to end.

    Returns:
        Rate and mean loss of each one tried.
    """
    model, state = learner.model_arrays(), learner.optimizer_arrays()
    table: Table = []
    least = math.inf
    steps = min(_STEPS, feed.steps)
    for place, rate in enumerate(candidates(optimizer)):
        if stop():
            break
        learner.plan(peak=float(rate), steps=1, flat=True)
        first = place * steps % (feed.steps - steps + 1)
        result = learner.train(feed.chunk(0, first, steps), lambda pictures, loss: False)
        if has_diverged(result.loss):
            break
        table.append((float(rate), result.loss))
        least = min(least, result.loss)
        if result.loss > _BEYOND * least:
            break
    learner.restore(model, state)
    return table
