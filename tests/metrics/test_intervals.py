"""Intervals and tests, against published values and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tellapart.metrics.intervals import difference, grouped_interval, mcnemar, student_t, wilson


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        # Newcombe, Two-sided confidence intervals for the single proportion, 1998, table I,
        # method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_as_published(k: int, n: int, low: float, high: float) -> None:
    assert wilson(k, n) == pytest.approx((low, high), abs=5e-5)


def test_wilson_ends_are_exact() -> None:
    assert wilson(0, 7)[0] == 0.0
    assert wilson(7, 7)[1] == 1.0
    assert wilson(0, 0) == (0.0, 1.0)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_agrees_with_scipy(case: tuple[int, int]) -> None:
    k, n = case
    expected = stats.binomtest(k, n).proportion_ci(method="wilson")
    assert wilson(k, n) == pytest.approx((expected.low, expected.high), abs=1e-9)


@pytest.mark.parametrize("df", [1, 2, 3, 4, 5, 6, 9, 29, 100, 5000])
def test_student_t_agrees_with_scipy(df: int) -> None:
    assert student_t(df) == pytest.approx(stats.t.ppf(0.975, df), rel=1e-3)


@given(st.integers(0, 400), st.integers(0, 400))
def test_mcnemar_agrees_with_scipy(b: int, c: int) -> None:
    expected = stats.binomtest(b, b + c).pvalue if b + c else 1.0
    assert mcnemar(b, c) == pytest.approx(expected, rel=1e-9)


def test_mcnemar_of_many_pictures_does_not_overflow() -> None:
    assert mcnemar(3000, 3000) == 1.0
    assert 0 <= mcnemar(2000, 4000) < 1e-100


def test_groups_of_one_give_wilson() -> None:
    score = np.array([1.0] * 90 + [0.0] * 10)
    assert grouped_interval(score, np.arange(100)) == wilson(90, 100)


def test_pictures_that_stand_or_fall_together_count_as_one() -> None:
    groups = np.repeat(np.arange(50), 10)
    together = np.repeat([1.0] * 40 + [0.0] * 10, 10)
    low, high = grouped_interval(together, groups)
    alone = wilson(40, 50)
    assert low == pytest.approx(alone[0], abs=0.02)
    assert high == pytest.approx(alone[1], abs=0.02)
    assert high - low > 2 * np.diff(wilson(400, 500))[0]


def test_all_right_in_few_groups_is_no_certainty() -> None:
    assert grouped_interval(np.ones(200), np.repeat(np.arange(20), 10))[0] < 0.86
    assert grouped_interval(np.ones(200), np.zeros(200, int)) == (0.0, 1.0)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 12)), min_size=1, max_size=60))
def test_grouped_interval_is_never_narrower(pictures: list[tuple[bool, int]]) -> None:
    score = np.array([right for right, _ in pictures], float)
    groups = np.array([group for _, group in pictures])
    low, high = grouped_interval(score, groups)
    plain = wilson(score.sum(), len(score))
    assert 0 <= low <= score.mean() + 1e-12 and score.mean() - 1e-12 <= high <= 1
    assert high - low >= plain[1] - plain[0] - 1e-9


def test_grouped_interval_covers_the_truth() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(30), 10)
    grouped = plain = 0
    for _ in range(300):
        chance = rng.beta(0.95 * 4, 0.05 * 4, 30)  # correlation 0.2 within a group
        score = (rng.random(300) < chance[groups]).astype(float)
        ends, loose = grouped_interval(score, groups), wilson(score.sum(), 300)
        grouped += ends[0] <= 0.95 <= ends[1]
        plain += loose[0] <= 0.95 <= loose[1]
    assert grouped / 300 >= 0.94
    assert plain / 300 < 0.88, "the case is one in which groups matter"


@pytest.mark.parametrize(
    ("a", "m", "b", "n", "low", "high"),
    [
        # Newcombe, Interval estimation for the difference between independent proportions,
        # 1998, table II, method 10.
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (10, 10, 0, 10, 0.6075, 1.0000),
    ],
)
def test_difference_as_published(a: int, m: int, b: int, n: int, low: float, high: float) -> None:
    gap, *ends = difference(a / m, wilson(a, m), b / n, wilson(b, n))
    assert gap == pytest.approx(a / m - b / n)
    assert ends == pytest.approx([low, high], abs=5e-5)
