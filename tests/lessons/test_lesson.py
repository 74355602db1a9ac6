"""Bounds and targets."""

from __future__ import annotations

import pytest

from tellapart.lessons.lesson import Bound, Number, Target


@pytest.mark.parametrize(
    ("bound", "value", "holds", "text"),
    [
        (Bound(low=0.9, unit="%"), 0.9, True, "at least 90.0 %"),
        (Bound(low=0.9, unit="%"), 0.8999, False, "at least 90.0 %"),
        (Bound(low=3.98, high=4.02), 4.021, False, "3.98 to 4.02"),
        (Bound(high=0.04, below=True, unit="%"), 0.04, False, "under 4.0 %"),
        (Bound(high=360, unit="s"), 360, True, "at most 360 s"),
        (Bound(equals="overfitting"), "overfitting", True, "overfitting"),
        (Bound(equals="overfitting"), "healthy", False, "overfitting"),
        (Bound(low=0.9), "healthy", False, "at least 0.9"),
        (Bound(unit="%"), 0.1, True, "shown"),
    ],
)
def test_bounds(bound: Bound, value: Number, holds: bool, text: str) -> None:
    assert bound.holds(value) is holds
    assert bound.text() == text


@pytest.mark.parametrize(
    ("bound", "value", "text"),
    [
        (Bound(low=0.993, unit="%"), 0.9931, "99.3 %"),
        (Bound(low=0.993, unit="%"), 0.9926, "99.26 %"),
        (Bound(low=0.993, unit="%"), 0.99296, "99.296 %"),
        (Bound(unit="%"), 1.0, "100 %"),
        (Bound(unit="%"), 0.99996, "over 99.9 %"),
        (Bound(low=3.98, high=4.02), 4.02004, "4.02004"),
        (Bound(high=360, unit="s"), 59.8123, "59.81 s"),
    ],
)
def test_what_misses_a_bound_does_not_look_as_if_it_reached_it(
    bound: Bound, value: float, text: str
) -> None:
    assert bound.shown(value) == text


def test_a_target_that_was_not_measured_is_not_reached() -> None:
    target = Target("test accuracy", "recipe.held_out", "98.1 %", Bound(low=0.98, unit="%"))
    assert target.judged({"recipe.held_out": 0.9812})["reached"]
    missing = target.judged({})
    assert (missing["got"], missing["value"], missing["reached"]) == (None, None, False)
