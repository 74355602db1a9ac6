"""How many epochs a time budget has room for."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tellapart.core.errors import SettingsError
from tellapart.core.text import seconds

RESERVE = 1.5
"""Seconds of a budget that are kept for the last checkpoint and the results."""

_EARLY = 0.2
"""Share of the planned epochs in which the plan may change: later, the learning rate would jump."""


def plan_epochs(*, budget: float, spent: float, epoch: float, most: int) -> int:
    """Epochs that fit into a budget, at least one.

    Args:
        budget: Seconds for everything.
        spent: Seconds used so far.
        epoch: Seconds per epoch, as measured.
        most: Epochs wanted.

    Raises:
        SettingsError: With code ``budget_too_short`` if not even one epoch fits.
    """
    fits = int((budget - spent - RESERVE) / max(epoch, 1e-9))
    if fits < 1:
        needed = spent + RESERVE + epoch
        raise SettingsError(
            f"A budget of {seconds(budget)} is too short: starting took {seconds(spent)} and one "
            f"epoch takes about {seconds(epoch)}.",
            remedy=f"Give at least {seconds(math.ceil(1.1 * needed))}, or choose a smaller "
            "network or smaller pictures.",
            code="budget_too_short",
        )
    return min(fits, most)


def revise_epochs(
    planned: int, *, budget: float, spent: float, epochs: Sequence[float], most: int
) -> int:
    """A better plan, now that whole epochs show how long one takes.

    Args:
        planned: Epochs in all, as planned before; kept after the first fifth of them.
        budget: Seconds for everything.
        spent: Seconds used so far.
        epochs: Seconds of each epoch so far.
        most: Epochs wanted.
    """
    done = len(epochs)
    if done > max(1.0, _EARLY * planned):
        return planned
    left = budget - spent - RESERVE
    return min(most, done + max(0, int(left * done / max(sum(epochs), 1e-9))))
