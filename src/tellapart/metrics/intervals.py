"""Intervals and tests for counts of right and wrong answers, in plain NumPy.

Sources:

- Wilson's interval: E. B. Wilson, Probable inference, the law of succession, and statistical
  inference, JASA 22 (1927) 209-212.
- With groups: the ratio estimator's variance between groups gives the design effect; the
  interval is Wilson's on the effective sample size, corrected by Student's t: E. L. Korn and
  B. I. Graubard, Confidence intervals for proportions with small expected number of positive
  counts estimated from survey data, Survey Methodology 24 (1998) 193-201.
- McNemar's exact test: Q. McNemar, Psychometrika 12 (1947) 153-157, as a binomial test.
- Difference of two proportions from their own intervals: R. G. Newcombe, Interval estimation
  for the difference between independent proportions, Statistics in Medicine 17 (1998)
  873-890, method 10; G. Y. Zou and A. Donner (2008) call it MOVER.
- Student's t quantile: G. W. Hill, Algorithm 396, Communications of the ACM 13 (1970) 619-620.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Z95 = 1.959963984540054
"""The 97.5 % quantile of the normal distribution."""

Interval = tuple[float, float]


def wilson(k: float, n: float, z: float = Z95) -> Interval:
    """Wilson's interval of a proportion, 95 % unless ``z`` says otherwise.

    Args:
        k: Right answers; a fraction if answers are averages or ``n`` is an effective size.
        n: All answers. With 0, the interval is 0 to 1.
        z: The normal quantile.

    Example:
        >>> [round(end, 3) for end in wilson(9, 10)]
        [0.596, 0.982]
    """
    if n <= 0:
        return 0.0, 1.0
    p = k / n
    center = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(max(p * (1 - p), 0) / n + z * z / (4 * n * n))
    low = 0.0 if k <= 0 else max(0.0, center - half)
    high = 1.0 if k >= n else min(1.0, center + half)
    return low, high


def grouped_interval(score: NDArray[np.floating], groups: NDArray[np.integer]) -> Interval:
    """Wilson's interval if pictures of one group tend to be right or wrong together.

    The design effect is the ratio of the variance of the accuracy to that with independent
    pictures; it is at least 1. If few groups have the rarer kind of answer, it cannot be estimated
    well. So it is a weighted mean of the estimate, with those groups as its weight, and the worst
    case, in which a group counts as one picture, with the weight of one group.

    Args:
        score: ``[n]``, 1 for right and 0 for wrong, or a mean of these.
        groups: ``[n]``, the number of each picture's group.
    """
    n = len(score)
    if n == 0:
        return 0.0, 1.0
    _, which = np.unique(groups, return_inverse=True)
    size = np.bincount(which).astype(np.float64)
    right = np.bincount(which, weights=score.astype(np.float64))
    count, p = len(size), float(right.sum() / n)
    if count == n:
        return wilson(p * n, n)
    if count == 1:
        return 0.0, 1.0
    worst = float((size**2).sum() / n)
    telling = float(min((right > 0).sum(), (right < size).sum()))
    effect = 1.0
    if 0 < p < 1:
        between = count / (count - 1) * float(((right - p * size) ** 2).sum()) / n**2
        effect = max(1.0, between / (p * (1 - p) / n))
    effect = (telling * effect + worst) / (telling + 1)
    shrink = student_t(n - 1) / student_t(count - 1)
    effective = max(n / effect * shrink**2, 1.0)
    return wilson(p * effective, effective)


def difference(
    first: float, first_ci: Interval, second: float, second_ci: Interval
) -> tuple[float, float, float]:
    """``first - second`` with its interval, from two proportions with theirs."""
    gap = first - second
    low = gap - math.hypot(first - first_ci[0], second_ci[1] - second)
    high = gap + math.hypot(first_ci[1] - first, second - second_ci[0])
    return gap, low, high


def mcnemar(b: int, c: int) -> float:
    """Exact two-sided p-value of the hypothesis that two classifiers are equally accurate.

    Args:
        b: Pictures that only the first got right.
        c: Pictures that only the second got right.
    """
    n = b + c
    if n == 0:
        return 1.0
    tail, term = 0, 1
    for i in range(min(b, c) + 1):
        tail += term
        term = term * (n - i) // (i + 1)
    # Integers divide exactly rounded, however large; floats would overflow at 1,024 pictures.
    return min(1.0, tail / (1 << (n - 1)))


def student_t(df: float) -> float:
    """The 97.5 % quantile of Student's t with ``df`` degrees of freedom, within 0.1 %.

    Example:
        >>> round(student_t(9), 3), round(student_t(1), 3)
        (2.262, 12.706)
    """
    tails = 0.05  # both
    if df < 2:
        return math.tan(math.pi / 2 * (1 - tails))
    if df == 2:
        return math.sqrt(2 / (tails * (2 - tails)) - 2)
    a = 1 / (df - 0.5)
    b = 48 / a**2
    c = ((20700 * a / b - 98) * a - 16) * a + 96.36
    d = ((94.5 / (b + c) - 3) / b + 1) * math.sqrt(a * math.pi / 2) * df
    y = float((d * tails) ** (2 / df))
    if y > 0.05 + a:
        x = -Z95
        y = x * x
        if df < 5:
            c += 0.3 * (df - 4.5) * (x + 0.6)
        c += (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b
        y = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * x
        y = math.expm1(a * y * y)
    else:
        e = ((df + 6) / (df + y) - 0.089 * d - 0.822) * (df + 2) * 3
        y = ((1 / e + 0.5 / (df + 4)) * y - 1) * (df + 1) / (df + 2) + 1 / y
    return math.sqrt(df * float(y))
