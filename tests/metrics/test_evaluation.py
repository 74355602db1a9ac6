"""The numbers of metrics.json, against scikit-learn and small cases done by hand."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from tellapart.metrics.evaluation import evaluate
from tellapart.metrics.intervals import wilson


def some(n: int, k: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities [n, k] of a so-so classifier, and the truth [n]."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, k, n)
    logits = rng.normal(size=(n, k))
    logits[np.arange(n), truth] += 1.5
    raised = np.exp(logits)
    return (raised / raised.sum(axis=1, keepdims=True)).astype(np.float32), truth


@settings(max_examples=40)
@given(st.integers(2, 6), st.integers(1, 120), st.integers(0, 1000))
def test_agrees_with_scikit_learn(k: int, n: int, seed: int) -> None:
    p, truth = some(n, k, seed)
    result = evaluate(p, truth, classes=[str(i) for i in range(k)], method="split")
    predicted = p.argmax(axis=1)
    labels, exact = list(range(k)), p.astype(np.float64)
    assert result.accuracy == pytest.approx(metrics.accuracy_score(truth, predicted), abs=1e-6)
    assert result.macro_f1 == pytest.approx(
        metrics.f1_score(truth, predicted, average="macro", zero_division=0), abs=1e-6
    )
    assert result.log_loss == pytest.approx(
        metrics.log_loss(truth, exact / exact.sum(axis=1, keepdims=True), labels=labels), abs=1e-5
    )
    recalls = metrics.recall_score(
        truth, predicted, labels=np.unique(truth), average=None, zero_division=0
    )
    assert result.balanced_accuracy == pytest.approx(recalls.mean(), abs=1e-6)
    expected = metrics.confusion_matrix(truth, predicted, labels=labels)
    assert np.array_equal(result.confusion, expected)
    for i, row in enumerate(result.per_class):
        assert row.n == (truth == i).sum()
        assert (row.recall is None) == (row.n == 0)
        assert (row.precision is None) == (not (predicted == i).any())


def test_by_hand() -> None:
    p = np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.3, 0.7]])
    result = evaluate(p, np.array([0, 1, 1, 1]), classes=["a", "b"], method="split")
    assert result.accuracy == 0.75
    assert result.accuracy_ci95 == pytest.approx(wilson(3, 4), abs=1e-6)
    assert result.confusion == ((1, 0), (1, 2))
    assert result.majority_accuracy == 0.75
    assert result.per_class[0].precision == 0.5
    assert result.per_class[1].recall == pytest.approx(2 / 3, abs=1e-6)
    assert result.balanced_accuracy == pytest.approx(5 / 6, abs=1e-6)
    assert result.calibration_error == 0.0  # one bin: 0.75 sure, 0.75 right


def test_guessing_goes_by_the_training_pictures() -> None:
    p, truth = some(40, 2)
    result = evaluate(p, truth, classes=["a", "b"], method="given", train_counts=[10, 30])
    assert result.majority_accuracy == pytest.approx((truth == 1).mean(), abs=1e-6)


def test_a_class_without_pictures_has_no_recall_and_one_never_named_no_precision() -> None:
    p = np.array([[0.6, 0.3, 0.1], [0.6, 0.3, 0.1]])
    result = evaluate(p, np.array([0, 1]), classes=["a", "b", "c"], method="split")
    json_ready = result.as_json()["per_class"]
    assert json_ready["b"] == {"precision": None, "recall": 0.0, "n": 1}
    assert json_ready["c"] == {"precision": None, "recall": None, "n": 0}
    assert result.balanced_accuracy == 0.5


def test_a_probability_of_zero_for_the_truth_is_finite() -> None:
    result = evaluate(np.array([[1.0, 0.0]]), np.array([1]), classes=["a", "b"], method="split")
    assert result.log_loss == pytest.approx(-np.log(np.finfo(np.float32).eps), rel=1e-5)


def test_json_is_plain_and_the_same_twice() -> None:
    p, truth = some(500, 3)
    groups = np.arange(500) // 3
    texts = [
        json.dumps(
            evaluate(p, truth, classes=["a", "<b>", "c"], groups=groups, method="split").as_json(),
            allow_nan=False,
        )
        for _ in range(2)
    ]
    assert texts[0] == texts[1]
    document = json.loads(texts[0])
    assert {
        "method", "n", "accuracy", "accuracy_ci95", "balanced_accuracy", "macro_f1", "log_loss",
        "calibration_error", "majority_accuracy", "per_class", "confusion",
    } <= set(document)  # fmt: skip
    assert all(isinstance(cell, int) for row in document["confusion"] for cell in row)


def test_groups_widen_the_interval() -> None:
    p, truth = some(300, 2)
    right = p.argmax(axis=1) == truth
    groups = np.argsort(np.argsort(right, kind="stable")) // 10  # alike pictures together
    alone = evaluate(p, truth, classes=["a", "b"], method="split")
    grouped = evaluate(p, truth, classes=["a", "b"], groups=groups, method="split")
    assert grouped.accuracy == alone.accuracy
    assert np.diff(grouped.accuracy_ci95) > 2 * np.diff(alone.accuracy_ci95)
    assert (alone.groups, grouped.groups) == (300, 30)


def test_repeats_are_averaged_and_pictures_counted_once() -> None:
    first, truth = some(60, 3, seed=1)
    second = np.roll(first, 1, axis=1)
    both = evaluate(np.stack([first, second]), truth, classes="abc", method="folds")
    one = evaluate(first, truth, classes="abc", method="folds")
    two = evaluate(second, truth, classes="abc", method="folds")
    assert both.n == 60
    assert both.accuracy == pytest.approx((one.accuracy + two.accuracy) / 2, abs=1e-6)
    assert both.log_loss == pytest.approx((one.log_loss + two.log_loss) / 2, abs=2e-6)
    assert np.sum(both.confusion) == pytest.approx(60)
    assert both.accuracy_ci95 == pytest.approx(wilson(both.accuracy * 60, 60), abs=1e-5)


def test_bins_hold_about_equally_many_and_all_pictures() -> None:
    p, truth = some(1000, 2)
    bins = evaluate(p, truth, classes=["a", "b"], method="split").reliability
    assert len(bins) == 15
    assert sum(bin.n for bin in bins) == 1000
    assert {bin.n for bin in bins} <= {66, 67}
    assert all(bin.low <= bin.confidence <= bin.high for bin in bins)
    assert all(a.high <= b.low for a, b in pairwise(bins))


def test_equal_probabilities_stay_in_one_bin() -> None:
    p = np.tile([0.7, 0.3], (400, 1))
    result = evaluate(p, np.r_[np.zeros(280, int), np.ones(120, int)], classes="ab", method="split")
    assert len(result.reliability) == 1
    assert result.calibration_error == 0.0


def test_calibration_error_of_the_overconfident() -> None:
    p = np.tile([0.99, 0.01], (200, 1))
    truth = np.arange(200) % 2
    result = evaluate(p, truth, classes="ab", method="split")
    assert result.calibration_error == pytest.approx(0.49, abs=1e-6)


@pytest.mark.parametrize("shape", [(0, 2), (3, 3), (4, 2)])
def test_what_does_not_fit_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="fit neither"):
        evaluate(np.full(shape, 0.5), np.zeros(3, int), classes=["a", "b"], method="split")
