"""A line through six house prices."""

from __future__ import annotations

import numpy as np
import pytest

from tellapart.lessons.house_prices import ASKED, BEDROOMS, PRICES, fit_line


@pytest.mark.parametrize("seed", range(5))
def test_seven_bedrooms_cost_nearly_four_and_not_four(seed: int) -> None:
    line = fit_line(BEDROOMS, PRICES, seed=seed)
    assert 3.98 <= line.at(ASKED) <= 4.02
    assert line.at(ASKED) != 4.0
    assert (np.diff(line.losses) < 0).all()


def test_it_ends_where_least_squares_ends() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0, 3, 20), rng.uniform(0, 3, 20)
    line = fit_line(x, y, epochs=20_000, rate=0.1)
    weight, bias = np.polyfit(x, y, 1)
    assert np.allclose((line.weight, line.bias), (weight, bias), atol=1e-6)


def test_a_rate_that_is_too_high_explodes() -> None:
    with np.errstate(over="ignore", invalid="ignore"):
        assert not fit_line(BEDROOMS, PRICES, rate=0.1).losses[-1] < 1e10
