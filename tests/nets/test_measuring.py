from __future__ import annotations

import pytest

from tellapart.nets.measuring import Pace, faster


def test_making_batches_takes_cores_from_training() -> None:
    assert Pace(train=0.1, make=0.02, validate=3).epoch(100) == pytest.approx(14)
    assert Pace(train=0.1, make=0.5, validate=0).epoch(100) == pytest.approx(50)


@pytest.mark.parametrize(
    ("mixed", "taken"), [(0.5, "mixed_bfloat16"), (0.97, "float32"), (2, "float32")]
)
def test_another_precision_is_taken_where_it_is_clearly_faster(mixed: float, taken: str) -> None:
    times = {"float32": 1.0, "mixed_bfloat16": mixed}
    chosen, precision, pace, sentence = faster(
        lambda name: name, lambda name: Pace(times[name], 0, 0), 10
    )
    assert chosen == precision == taken
    assert pace.train == times[taken]
    assert "mixed_bfloat16" in sentence and taken in sentence
