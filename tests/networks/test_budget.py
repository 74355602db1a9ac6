from __future__ import annotations

import pytest

from tellapart.core.errors import SettingsError
from tellapart.networks.loop.budget import RESERVE, plan_epochs, revise_epochs


def test_a_budget_becomes_epochs() -> None:
    assert plan_epochs(budget=100, spent=10, epoch=20, most=50) == 4
    assert plan_epochs(budget=100, spent=10, epoch=20, most=3) == 3


def test_a_budget_too_short_for_one_epoch_is_an_error() -> None:
    with pytest.raises(SettingsError) as caught:
        plan_epochs(budget=20, spent=5, epoch=30, most=50)
    assert caught.value.code == "budget_too_short"
    assert "30.0 s" in str(caught.value)


def test_the_plan_follows_the_first_epochs_and_then_stays() -> None:
    budget = 100 + RESERVE
    assert revise_epochs(50, budget=budget, spent=10, epochs=[10.0], most=60) == 1 + 9
    assert revise_epochs(10, budget=budget, spent=20, epochs=[5.0, 5.0], most=60) == 2 + 16
    assert revise_epochs(10, budget=budget, spent=20, epochs=[5.0, 5.0], most=8) == 8
    assert revise_epochs(10, budget=budget, spent=30, epochs=[5.0] * 3, most=60) == 10
    assert revise_epochs(10, budget=budget, spent=200, epochs=[10.0], most=60) == 1
