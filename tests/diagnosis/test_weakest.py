from __future__ import annotations

from typing import Any

from tellapart.diagnosis import weakest


def measured(accuracy: float, balanced: float, **recalls: float) -> dict[str, Any]:
    rows = {name: {"recall": recall, "n": 40} for name, recall in recalls.items()}
    return {"accuracy": accuracy, "balanced_accuracy": balanced, "per_class": rows}


def test_a_class_that_the_headline_hides_is_named() -> None:
    said = weakest(measured(0.99, 0.5, ok=1.0, defect=0.0))
    assert "'defect', 0 % of 40" in said and "50.0 %" in said
    assert "'b', 70.0 %" in weakest(measured(0.9, 0.88, a=0.95, b=0.7, c=0.98))


def test_nothing_is_said_where_classes_are_alike() -> None:
    assert weakest(measured(0.97, 0.96, a=0.99, b=0.93)) == ""
    assert weakest({"accuracy": 0.5}) == ""
