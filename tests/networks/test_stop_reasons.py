from __future__ import annotations

import math
import threading
from typing import Any

import pytest

from tellapart.networks import Recipe, Stage
from tellapart.networks.loop.checkpoints import BestEpoch, State
from tellapart.networks.loop.stop_reasons import Moment, Stop, first, has_diverged, reasons
from tellapart.networks.process.events import EpochRow

PLANNED = 20


def stop(
    *,
    loss: float = 0.5,
    seconds: float = 1.0,
    interrupted: bool = False,
    training: float = 0.5,
    validation: float | None = None,
    epoch: int = 3,
    planned: int = PLANNED,
    waited: int = 0,
    **recipe: Any,
) -> Stop | None:
    """The reason to stop after an epoch, if any."""
    state = State(
        engine={},
        fingerprint="",
        stages=(Stage(epochs=planned, learning_rate=0.2),),
        batch=1,
        precision="float32",
        epoch=epoch,
        stage_epoch=epoch,
        patience=BestEpoch(best=0.1, epoch=epoch - waited, waited=waited),
        history=[EpochRow(epoch, 0.5, training, None, validation, 0.1, 1.0)],
    )
    event = threading.Event()
    if interrupted:
        event.set()
    asked = reasons(Recipe(epochs=PLANNED, batch=1, **recipe), event)
    return first(asked, Moment(state, loss, lambda: 0.1, seconds))


def code(**moment: Any) -> str | None:
    found = stop(**moment)
    return None if found is None else found.code


def test_nothing_stops_a_training_that_goes_well() -> None:
    assert code() is None
    assert code(budget=60.0, target=0.9, target_on="validation", patience=2, waited=1) is None


def test_a_loss_has_diverged_if_it_is_no_number_or_beyond_recovery() -> None:
    assert has_diverged(math.nan) and has_diverged(math.inf) and has_diverged(1e9)
    assert not has_diverged(700.0)
    assert code(loss=math.nan) == "not_finite"


def test_a_target_counts_on_its_own_part() -> None:
    assert code(target=0.9, training=0.9, validation=0.5) == "target"
    assert code(target=0.9, training=0.89, validation=0.99) is None
    assert code(target=0.9, target_on="validation", training=1.0, validation=0.89) is None
    assert code(target=0.9, target_on="validation", training=0.5, validation=0.9) == "target"
    assert code(target=0.9, target_on="validation", training=1.0, validation=None) is None


def test_a_validation_accuracy_that_missed_the_target_never_looks_like_it() -> None:
    missed = stop(target=0.99, training=0.991, validation=0.98999)
    assert missed is not None and "98.9 %" in missed.sentence
    reached = stop(target=0.99, training=0.991, validation=0.995)
    assert reached is not None and "99.5 %" in reached.sentence


def test_patience_runs_out() -> None:
    assert code(patience=3, waited=2) is None
    assert code(patience=3, waited=3) == "patience"


def test_the_plan_ends_or_the_budget_ends_it() -> None:
    assert code(epoch=PLANNED) == "epochs"
    assert code(epoch=PLANNED, budget=60.0, seconds=61.0) == "epochs"
    assert code(epoch=5, planned=5, budget=60.0) == "budget"
    assert code(epoch=4, planned=5, budget=60.0, seconds=61.0) == "budget"
    slow = stop(epoch=4, planned=5, budget=120.0, seconds=121.0)
    assert slow is not None and "4 of 5 epochs" in slow.sentence and "2 min 0 s" in slow.sentence


def test_an_interruption_stops_what_nothing_else_ends() -> None:
    assert code(interrupted=True) == "interrupted"
    assert code(interrupted=True, epoch=PLANNED) == "epochs"


@pytest.mark.parametrize("epoch", [0, 2])
def test_after_a_divergence_the_sentence_names_the_epoch_and_the_rates(epoch: int) -> None:
    found = stop(loss=math.inf, epoch=epoch)
    assert found is not None
    for number in (f"epoch {max(1, epoch)}:", "0.1 ", "peak 0.2"):
        assert number in found.sentence
