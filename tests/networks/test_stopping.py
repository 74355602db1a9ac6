from __future__ import annotations

import math
from pathlib import Path

import pytest
from jobs_by_hand import make_job

from tellapart.core.errors import SettingsError
from tellapart.networks import Recipe
from tellapart.networks.loop.stopping import (
    Patience,
    diverged_sentence,
    end_sentence,
    has_diverged,
    is_out_of_memory,
    is_reached,
    over_sentence,
    plan_epochs,
    seconds,
    smaller_batch_sentence,
    target_sentence,
)


def test_patience_counts_epochs_since_the_best() -> None:
    patience = Patience()
    for epoch, loss in enumerate([1.0, 0.5, 0.7, 0.6], 1):
        patience = patience.seen(epoch, loss)
    assert (patience.best, patience.epoch, patience.waited) == (0.5, 2, 2)


def test_a_loss_has_diverged_when_it_is_no_number_or_beyond_bounds() -> None:
    assert has_diverged(math.nan) and has_diverged(math.inf) and has_diverged(1e9)
    assert not has_diverged(700.0)


def test_a_target_is_reached_on_the_part_it_was_asked_for() -> None:
    on_training = Recipe(epochs=1, batch=1, target=0.9)
    assert is_reached(on_training, training=0.9, validation=0.5)
    assert not is_reached(on_training, training=0.89, validation=0.99)
    on_validation = Recipe(epochs=1, batch=1, target=0.9, target_on="validation")
    assert not is_reached(on_validation, training=1.0, validation=0.89)
    assert is_reached(on_validation, training=0.5, validation=0.9)


def test_the_sentence_says_when_only_training_reached_the_target() -> None:
    recipe = Recipe(epochs=1, batch=1, target=0.99)
    said = target_sentence(recipe, epoch=7, training=0.991, validation=0.98999)
    assert "after epoch 7" in said
    assert "Only the training accuracy did; on validation it is 98.9 %." in said
    both = target_sentence(recipe, epoch=7, training=0.991, validation=0.995)
    assert "Only" not in both


def test_a_budget_becomes_epochs() -> None:
    assert plan_epochs(budget=100, spent=10, epoch=20, most=50, reserve=2) == 4
    assert plan_epochs(budget=100, spent=10, epoch=20, most=3, reserve=2) == 3


def test_a_budget_too_short_for_one_epoch_says_how_long_one_takes() -> None:
    with pytest.raises(SettingsError) as caught:
        plan_epochs(budget=20, spent=5, epoch=30, most=50, reserve=2)
    assert caught.value.code == "budget_too_short"
    assert "30 s" in str(caught.value)


class ResourceExhaustedError(Exception):
    """TensorFlow's name."""


class OutOfMemoryError(RuntimeError):
    """PyTorch's name."""


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ResourceExhaustedError("x"), True),
        (OutOfMemoryError("x"), True),
        (MemoryError(), True),
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate"), True),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), True),
        (ValueError("shapes differ"), False),
    ],
)
def test_no_memory_left_is_recognized_for_every_engine(error: Exception, expected: bool) -> None:
    assert is_out_of_memory(error) is expected


def test_times_in_words() -> None:
    said = [seconds(value) for value in (0.42, 12, 125, 7300)]
    assert said == ["0.4 s", "12 s", "2 min 5 s", "2 h 1 min"]


def test_the_other_ends_in_words() -> None:
    recipe = Recipe(epochs=20, batch=1, budget=120)
    assert "5 epochs of 20, as many as a budget of 2 min 0 s" in end_sentence(
        recipe, epochs=5, wanted=20
    )
    assert end_sentence(recipe, epochs=20, wanted=20) == "Trained 20 epochs, as planned."
    assert "slower than measured" in over_sentence(recipe, epochs=4, planned=5)
    lost = diverged_sentence(epoch=3, rate=0.5, peak=1.0, done=2)
    assert "epoch 3" in lost and "after epoch 2" in lost
    assert "more than there are" in smaller_batch_sentence(20, 64, 20)
    assert "out of memory" in smaller_batch_sentence(16, 64, 200)


def test_jobs_by_hand_are_valid(tmp_path: Path) -> None:
    assert make_job(tmp_path).recipe.epochs == 3
