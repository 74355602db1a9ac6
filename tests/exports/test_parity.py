from __future__ import annotations

import numpy as np
import pytest

from tellapart.core.errors import ModelError
from tellapart.exports.int8 import TOLERANCE
from tellapart.exports.parity import Parity, compared
from tellapart.exports.target import SAME_NUMBERS, Tolerance


def of_first(*first: float) -> np.ndarray:
    """Probabilities of two classes, from those of the first."""
    return np.array([[one, 1 - one] for one in first], np.float32)


def test_equal_answers_are_equal() -> None:
    given = of_first(0.9, 0.3, 0.6)
    parity = compared(given, given, np.array([0, 1, 1]))
    assert (parity.n, parity.same_top1, parity.max_difference) == (3, 1.0, 0.0)
    assert parity.accuracy == parity.accuracy_onnx == pytest.approx(2 / 3)
    assert parity.differing == ()
    assert parity.breaches(SAME_NUMBERS) == []


def test_what_differs_is_listed_with_the_plainest_first() -> None:
    expected, found = of_first(0.55, 0.9, 0.2, 0.8), of_first(0.45, 0.1, 0.1, 0.3)
    parity = compared(expected, found, np.array([0, 0, 1, 1]))
    assert parity.differing == (1, 3, 0)
    assert parity.same_top1 == 0.25
    assert parity.max_difference == pytest.approx(0.8)
    assert parity.accuracy_onnx == 0.75
    assert parity.accuracy == 0.5


@pytest.mark.parametrize(("moved", "fine"), [(1e-4, True), (1.01e-4, False)])
def test_the_edge_of_the_largest_difference(moved: float, fine: bool) -> None:
    parity = Parity(1, 1.0, moved, 1.0, 1.0, (), np.array([0.5], np.float32))
    assert (parity.breaches(SAME_NUMBERS) == []) is fine


def parity_of(n: int, *, differing: int = 0, lost: int = 0, gap: float = 0.5) -> Parity:
    return Parity(
        n=n,
        same_top1=1 - differing / n,
        max_difference=0.3,
        accuracy=(n - lost) / n,
        accuracy_onnx=1.0,
        differing=tuple(range(differing)),
        gaps=np.full(n, gap, np.float32),
    )


@pytest.mark.parametrize(
    ("parity", "fine"),
    [
        (parity_of(1000, differing=10), True),
        (parity_of(1000, differing=11), False),
        (parity_of(1000, lost=10), True),
        (parity_of(1000, lost=11), False),
        # The two best are so close that model.onnx itself is undecided.
        (parity_of(1000, differing=300, gap=0.1), True),
        # Of few pictures, two may always differ.
        (parity_of(20, differing=2, lost=2), True),
        (parity_of(20, differing=3), False),
        (parity_of(20, lost=3), False),
        # More right than before is no loss.
        (parity_of(20, lost=-3), True),
    ],
)
def test_the_edges_of_the_tolerance_of_int8(parity: Parity, fine: bool) -> None:
    assert (parity.breaches(TOLERANCE) == []) is fine


def test_every_breach_is_told() -> None:
    parity = parity_of(100, differing=5, lost=5)
    told = parity.breaches(Tolerance(max_difference=0.1, same_top1=0.99, accuracy_loss=0.01))
    assert len(told) == 3
    assert "0.3" in told[0]
    assert "5 of 100" in told[1]
    assert "5.00 points" in told[2]


@pytest.mark.parametrize(
    "found",
    [of_first(0.9), of_first(0.9, np.nan), np.ones((2, 3), np.float32), of_first(0.9, np.inf)],
)
def test_answers_that_are_no_probabilities_of_these_pictures(found: np.ndarray) -> None:
    with pytest.raises(ModelError, match="answers with") as caught:
        compared(of_first(0.9, 0.1), found, np.array([0, 1]))
    assert caught.value.code == "parity"
