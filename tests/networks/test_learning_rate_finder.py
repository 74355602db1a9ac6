from __future__ import annotations

import numpy as np

from tellapart.networks.loop.learning_rate_finder import candidates, choose, smoothed


def test_the_rate_is_in_the_middle_of_the_fall() -> None:
    rates = np.geomspace(1e-5, 1e1, 31)
    place = np.arange(31)
    losses = np.where(place < 10, 2.3, np.where(place < 20, 2.3 - 0.2 * (place - 10), 5.0))
    rate = choose(list(zip(rates, losses, strict=True)), fallback=1.0)
    assert 3e-3 < rate < 3e-2


def test_where_nothing_falls_the_usual_rate_is_taken() -> None:
    assert choose([(1e-3, 1.0), (1e-2, 2.0)], fallback=0.5) == 0.5
    assert choose([], fallback=0.5) == 0.5


def test_smoothing_starts_without_a_bias() -> None:
    np.testing.assert_allclose(smoothed([2.0, 2.0, 2.0]), 2.0)


def test_rates_grow_evenly() -> None:
    rates = candidates("sgd")
    np.testing.assert_allclose(rates[1:] / rates[:-1], rates[1] / rates[0])
