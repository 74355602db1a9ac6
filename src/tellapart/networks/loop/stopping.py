"""When a training ends before its last epoch, and the words for it.

Pure functions and small values: what was seen goes in, what to do comes out.
"""

from __future__ import annotations

import math

from tellapart.core.config import Settings
from tellapart.core.errors import SettingsError
from tellapart.networks.spec.recipes import Recipe

_EXPLODED = 1e5
"""Mean loss above which a training is lost. Guessing costs ``ln(classes)``, 7 for a
thousand; networks come back from a loss of hundreds, and not from this."""


class Patience(Settings):
    """The best epoch so far, by validation loss.

    Attributes:
        best: The least validation loss, or None before the first.
        epoch: The epoch it was seen in, from 1; 0 before the first.
        waited: Epochs since then.
    """

    best: float | None = None
    epoch: int = 0
    waited: int = 0

    def seen(self, epoch: int, loss: float) -> Patience:
        """The same after one more epoch."""
        if self.best is None or loss < self.best:
            return Patience(best=loss, epoch=epoch, waited=0)
        return Patience(best=self.best, epoch=self.epoch, waited=self.waited + 1)


def has_diverged(loss: float) -> bool:
    """Whether a mean loss says that the training is lost: not a number, or beyond all bounds."""
    return not math.isfinite(loss) or loss > _EXPLODED


def is_reached(recipe: Recipe, *, training: float, validation: float | None) -> bool:
    """Whether the accuracy asked for was reached on the part it was asked for."""
    if recipe.target is None:
        return False
    accuracy = training if recipe.target_on == "training" else validation
    return accuracy is not None and accuracy >= recipe.target


def target_sentence(
    recipe: Recipe, *, epoch: int, training: float, validation: float | None
) -> str:
    """How a training ended that reached its target, honest about which accuracy that was."""
    wanted = percent(recipe.target or 0.0)
    if recipe.target_on == "validation":
        return (
            f"Stopped after epoch {epoch}: the validation accuracy reached "
            f"{percent(validation or 0.0)} ({wanted} was asked for)."
        )
    said = (
        f"Stopped after epoch {epoch}: the training accuracy reached {percent(training)} "
        f"({wanted} was asked for)."
    )
    if validation is None:
        return f"{said} Only the training accuracy did; no validation slice was kept to compare."
    if validation < (recipe.target or 0.0):
        # Rounded down, so that it is not said to be what it did not reach.
        below = math.floor(1000 * validation) / 1000
        return f"{said} Only the training accuracy did; on validation it is {percent(below)}."
    return f"{said} The validation accuracy is {percent(validation)}."


def patience_sentence(patience: Patience, *, epoch: int) -> str:
    """How a training ended whose validation loss fell no more."""
    return (
        f"Stopped after epoch {epoch}: the validation loss has not fallen for "
        f"{count_epochs(patience.waited)}. The weights are those of epoch {patience.epoch}."
    )


def end_sentence(recipe: Recipe, *, epochs: int, wanted: int) -> str:
    """How a training ended that did all its epochs, or all that its budget had time for."""
    done = count_epochs(epochs)
    if epochs < wanted and recipe.budget is not None:
        return (
            f"Trained {done} of {wanted}, as many as a budget of {seconds(recipe.budget)} has "
            "time for."
        )
    return f"Trained {done}, as planned."


def over_sentence(recipe: Recipe, *, epochs: int, planned: int) -> str:
    """How a training ended whose budget was over before its plan."""
    return (
        f"Stopped after {epochs} of {count_epochs(planned)}: the budget of "
        f"{seconds(recipe.budget or 0.0)} was over, as it went slower than measured at the start."
    )


def diverged_sentence(*, epoch: int, rate: float, peak: float, done: int) -> str:
    """How a training ended whose loss exploded, and what to do about it."""
    kept = f"those after epoch {done}" if done else "the initial ones"
    return (
        f"Stopped in epoch {epoch}: the loss exploded or was no longer a number, at a learning "
        f"rate of {rate:.3g} (peak {peak:.3g}). The weights are {kept}. Choose a smaller learning "
        "rate, such as a tenth, or --lr auto."
    )


def smaller_batch_sentence(batch: int, wanted: int, pictures: int) -> str:
    """Why a step has fewer pictures than were asked for."""
    if batch == pictures:
        return f"A batch of {wanted} is more than there are training pictures: it is {batch}."
    return f"The device ran out of memory: {batch} pictures a step instead of {wanted}."


def plan_epochs(*, budget: float, spent: float, epoch: float, most: int, reserve: float) -> int:
    """Epochs that a budget has time for, at least one.

    Args:
        budget: Seconds for the whole.
        spent: Seconds gone.
        epoch: Seconds that one epoch takes.
        most: Epochs wanted.
        reserve: Seconds kept for saving.

    Raises:
        SettingsError: With code ``budget_too_short`` if not one fits.
    """
    fits = int((budget - spent - reserve) / max(epoch, 1e-9))
    if fits < 1:
        needed = spent + reserve + epoch
        raise SettingsError(
            f"A budget of {seconds(budget)} is too short: starting took {seconds(spent)} and one "
            f"epoch takes about {seconds(epoch)}.",
            remedy=f"Give at least {seconds(math.ceil(1.1 * needed))}, or choose a smaller "
            "network or pictures.",
            code="budget_too_short",
        )
    return min(fits, most)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of any engine says that the device has no memory left."""
    if isinstance(error, MemoryError):
        return True
    names = {kind.__name__ for kind in type(error).__mro__}
    if names & {"ResourceExhaustedError", "OutOfMemoryError"}:
        return True
    text = str(error).lower()
    return any(
        sign in text for sign in ("resource_exhausted", "out of memory", "oom when allocating")
    )


def count_epochs(n: int) -> str:
    """``1 epoch``, ``2 epochs``."""
    return f"{n} epoch" if n == 1 else f"{n} epochs"


def percent(share: float) -> str:
    """A share in percent with one decimal."""
    return f"{100 * share:.1f} %"


def seconds(value: float) -> str:
    """A time in words: ``0.4 s``, ``12 s``, ``2 min 5 s``."""
    if value < 10:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 120:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
