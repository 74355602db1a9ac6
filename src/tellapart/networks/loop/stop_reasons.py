"""The reasons to stop a training.

A reason is a small object that looks at a :class:`Moment` of the training and answers with a
:class:`Stop` or with None. The loop asks all of them after each step and after each epoch; the
first that answers ends the training. :func:`reasons` lists them in order.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

from tellapart.core.text import counted, percent, seconds
from tellapart.networks.loop.checkpoints import State, Stopped
from tellapart.networks.spec.recipes import Recipe

_EXPLODED = 1e5
"""Mean loss above which a training is lost. Guessing costs ``ln(classes)``, 7 for a thousand
classes; networks recover from a loss of hundreds, but not from this."""


@dataclass(frozen=True)
class Stop:
    """Why a training stops.

    Attributes:
        code: ``"interrupted"`` if it can be resumed; any other code means that it has ended.
        sentence: The reason for people.
    """

    code: Stopped | Literal["interrupted"]
    sentence: str = ""


@dataclass(frozen=True)
class Moment:
    """What the reasons look at.

    Attributes:
        state: The training so far.
        loss: Mean loss of the latest step, or of the validation slice after an epoch; NaN if a
            weight is infinite or not a number.
        learning_rate: Gives that of the latest step; asked for only where a sentence names it.
        seconds: That the training has taken.
    """

    state: State
    loss: float
    learning_rate: Callable[[], float]
    seconds: float


class Reason(Protocol):
    """One reason to stop; the same answer however often it is asked about one moment."""

    def __call__(self, now: Moment) -> Stop | None:
        """The stop, or None to go on."""


def reasons(recipe: Recipe, interrupted: threading.Event) -> tuple[Reason, ...]:
    """The reasons that can stop a training, the most important first.

    Args:
        recipe: How the network is trained.
        interrupted: Set when the user wants to stop, as by Ctrl-C.
    """
    epochs = recipe.wanted_epochs
    listed: list[Reason] = [Divergence()]
    if recipe.target is not None:
        listed.append(Target(recipe.target, recipe.target_on))
    if recipe.patience is not None:
        listed.append(Patience(recipe.patience))
    listed.append(OutOfEpochs(epochs, recipe.budget))
    if recipe.budget is not None:
        listed.append(Budget(recipe.budget, epochs))
    return (*listed, Interruption(interrupted))


def first(asked: Iterable[Reason], now: Moment) -> Stop | None:
    """The first reason's stop, or None if no reason holds."""
    return next((stop for reason in asked if (stop := reason(now)) is not None), None)


def has_diverged(loss: float) -> bool:
    """Whether a mean loss is not a number, infinite or beyond recovery."""
    return not math.isfinite(loss) or loss > _EXPLODED


class Divergence:
    """The loss exploded, or a weight is no longer a number."""

    def __call__(self, now: Moment) -> Stop | None:
        """The loop then restores its last checkpoint, which was good."""
        if not has_diverged(now.loss):
            return None
        epoch, stage = now.state.current_epoch, now.state.stages[now.state.stage]
        kept = f"those after epoch {epoch - 1}" if epoch > 1 else "the initial ones"
        return Stop(
            "not_finite",
            f"Stopped in epoch {epoch}: the loss exploded or was no longer a number, at a "
            f"learning rate of {now.learning_rate():.3g} (peak {stage.learning_rate:.3g}). The "
            f"weights are {kept}. Choose a smaller learning rate, such as a tenth, or --lr auto.",
        )


@dataclass(frozen=True)
class Target:
    """The target accuracy was reached on the part that counts."""

    accuracy: float
    part: Literal["training", "validation"]

    def __call__(self, now: Moment) -> Stop | None:
        """Looks at the last epoch."""
        if not now.state.history:
            return None
        row = now.state.history[-1]
        validation = row.validation_accuracy
        reached = row.accuracy if self.part == "training" else validation
        if reached is None or reached < self.accuracy:
            return None
        sentence = (
            f"Stopped after epoch {row.epoch}: the {self.part} accuracy reached "
            f"{percent(reached)}; the target was {percent(self.accuracy)}."
        )
        if self.part == "validation":
            return Stop("target", sentence)
        if validation is None:
            more = "There is no validation slice to compare with."
        elif validation >= self.accuracy:
            more = f"The validation accuracy is {percent(validation)}."
        else:
            # Rounded down, so that it never looks like the target that it missed.
            below = math.floor(round(1000 * validation, 6)) / 1000
            more = f"The validation accuracy is below the target: {percent(below)}."
        return Stop("target", f"{sentence} {more}")


@dataclass(frozen=True)
class Patience:
    """The validation loss has not fallen for so many epochs."""

    epochs: int

    def __call__(self, now: Moment) -> Stop | None:
        """The best weights return."""
        best = now.state.patience
        if best.waited < self.epochs:
            return None
        return Stop(
            "patience",
            f"Stopped after epoch {now.state.epoch}: the validation loss has not fallen for "
            f"{counted(best.waited, 'epoch')}. The weights are those of epoch {best.epoch}.",
        )


@dataclass(frozen=True)
class OutOfEpochs:
    """All planned epochs are done."""

    wanted: int
    budget: float | None

    def __call__(self, now: Moment) -> Stop | None:
        """A budget may have planned fewer epochs than were wanted."""
        state = now.state
        if state.stage_epoch < state.stages[state.stage].epochs:
            return None
        if state.epoch < self.wanted and self.budget is not None:
            return Stop(
                "budget",
                f"Trained {state.epoch} of {counted(self.wanted, 'epoch')}: the budget of "
                f"{seconds(self.budget)} has no time for more.",
            )
        return Stop("epochs", f"Trained {counted(state.epoch, 'epoch')}, as planned.")


@dataclass(frozen=True)
class Budget:
    """The time is over before the epochs are done."""

    seconds: float
    wanted: int

    def __call__(self, now: Moment) -> Stop | None:
        """May stop in the middle of an epoch."""
        state = now.state
        if now.seconds <= self.seconds or state.epoch >= self.wanted:
            return None
        return Stop(
            "budget",
            f"Stopped after {state.epoch} of {counted(state.wanted_epochs, 'epoch')}: the budget "
            f"of {seconds(self.seconds)} is used up. Training was slower than measured at first.",
        )


@dataclass(frozen=True)
class Interruption:
    """The user wants to stop."""

    event: threading.Event

    def __call__(self, now: Moment) -> Stop | None:
        """The training can be resumed."""
        return Stop("interrupted") if self.event.is_set() else None
