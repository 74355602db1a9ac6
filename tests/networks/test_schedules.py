from __future__ import annotations

import numpy as np
import pytest

from tellapart.networks.loop.schedules import rates


def test_one_cycle_rises_to_its_peak_and_falls_to_almost_nothing() -> None:
    curve = rates("onecycle", peak=0.2, warmup=0.25, steps=1000)
    assert curve[0] == pytest.approx(0.01)
    assert curve.argmax() == 250
    assert curve.max() == pytest.approx(0.2)
    assert 0.0002 - 1e-12 <= curve[-1] < 0.0003
    assert (np.diff(curve[:251]) > 0).all() and (np.diff(curve[250:]) <= 0).all()


def test_cosine_without_warm_up_starts_at_the_peak() -> None:
    curve = rates("cosine", peak=1.0, warmup=0.0, steps=100)
    assert curve[0] == 1.0
    assert curve[50] == pytest.approx(0.5)
    assert 0 < curve[-1] < 0.001


def test_constant_is_constant_after_its_warm_up() -> None:
    curve = rates("constant", peak=3.0, warmup=0.1, steps=100)
    assert curve[5] == pytest.approx(1.5)
    assert (curve[10:] == 3.0).all()
