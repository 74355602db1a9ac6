"""Fits side by side, against scikit-learn fitted on the same rows one by one."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from tellapart.transfer.logistic import choose_strengths, probabilities, solve, standardize
from tellapart.transfer.logistic.designs import Design, Reduced, Shared


def blobs(n: int, d: int, k: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Overlapping classes: float32 [n, d] and labels [n]."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % k
    centers = rng.normal(size=(k, d)) * 0.3
    scales = rng.uniform(0.5, 5, d)
    x = (rng.normal(size=(n, d)) + centers[labels]) * scales + rng.normal(size=d) * 10
    return x.astype(np.float32), labels


def oracle(x: np.ndarray, labels: np.ndarray, seen: np.ndarray, strength: float) -> np.ndarray:
    """Probabilities of all rows by scikit-learn, standardized on the rows seen."""
    x = x.astype(np.float64)
    z = (x - x[seen].mean(axis=0)) / x[seen].std(axis=0)
    fitted = LogisticRegression(C=strength, tol=1e-9, max_iter=20_000).fit(z[seen], labels[seen])
    found: np.ndarray = fitted.predict_proba(z)
    return found


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("kind", [Shared, Reduced])
@pytest.mark.parametrize("strength", [0.001, 0.1, 10])
def test_every_fit_is_that_of_scikit_learn(k: int, kind: type, strength: float) -> None:
    x, labels = blobs(120, 30, k)
    rng = np.random.default_rng(1)
    seen = rng.random((3, len(x))) < 0.7
    design: Design = kind(standardize(x), seen)
    fits = solve(design, labels, seen, strength, classes=k, tolerance=1e-7)
    for fit in range(3):
        expected = oracle(x, labels, seen[fit], strength)
        assert np.abs(probabilities(fits.logits[:, fit]) - expected).max() < 1e-4


@pytest.mark.parametrize("kind", [Shared, Reduced])
def test_each_fit_may_have_its_own_strength(kind: type) -> None:
    x, labels = blobs(90, 20, 2)
    seen = np.ones((2, 90), bool)
    design: Design = kind(standardize(x), seen)
    fits = solve(design, labels, seen, np.array([0.01, 1.0]), classes=2, tolerance=1e-7)
    for fit, strength in enumerate((0.01, 1.0)):
        expected = oracle(x, labels, seen[fit], strength)
        assert np.abs(probabilities(fits.logits[:, fit]) - expected).max() < 1e-4


@pytest.mark.parametrize("kind", [Shared, Reduced])
def test_rows_not_seen_change_nothing(kind: type) -> None:
    x, labels = blobs(80, 100, 2)
    seen = np.ones((1, 80), bool)
    seen[0, 60:] = False
    changed = x.copy()
    changed[70:] *= 3
    answers = []
    for features in (x, changed):
        design: Design = kind(standardize(features), seen)
        fits = solve(design, labels, seen, 0.1, classes=2, tolerance=1e-7)
        answers.append(probabilities(fits.logits[:70, 0]))
    assert np.abs(answers[0] - answers[1]).max() < 2e-4


@pytest.mark.parametrize("kind", [Shared, Reduced])
def test_weights_for_the_table_give_the_same_logits(kind: type) -> None:
    x, labels = blobs(50, 40, 3)
    table = standardize(x)
    seen = np.ones((1, 50), bool)
    design: Design = kind(table, seen)
    fits = solve(design, labels, seen, 0.1, classes=3)
    weights, offset = design.for_table(fits.parameters[:, :-1])
    logits = table.x @ weights[0] + offset[0] + fits.parameters[0, -1]
    assert np.abs(logits - fits.logits[:, 0]).max() < 1e-4


def test_more_features_than_rows() -> None:
    x, labels = blobs(40, 300, 2)
    seen = np.ones((1, 40), bool)
    fits = solve(Reduced(standardize(x), seen), labels, seen, 0.01, classes=2, tolerance=1e-7)
    expected = oracle(x, labels, seen[0], 0.01)
    assert np.abs(probabilities(fits.logits[:, 0]) - expected).max() < 1e-4


def test_a_feature_that_hardly_moves_is_not_blown_up() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(100, 10)).astype(np.float32)
    x[:, 3] = 7
    x[:, 4] = 0
    x[0, 4] = 1e-3
    table = standardize(x)
    assert np.abs(table.x).max() < 6
    assert np.all(table.x[:, 3] == 0)


def test_features_that_do_not_move_at_all() -> None:
    table = standardize(np.full((6, 4), 3, np.float16))
    seen = np.ones((1, 6), bool)
    fits = solve(Shared(table, seen), np.array([0, 0, 0, 0, 1, 1]), seen, 1.0, classes=2)
    assert probabilities(fits.logits[:, 0])[:, 1] == pytest.approx(np.full(6, 1 / 3), abs=1e-3)


def test_a_fit_that_misses_a_class_stays_finite() -> None:
    x, labels = blobs(30, 8, 3)
    seen = (labels != 2)[None]
    fits = solve(Shared(standardize(x), seen), labels, seen, 1.0, classes=3)
    assert np.isfinite(fits.logits).all()


def test_the_search_ends_where_the_log_loss_rises_and_keeps_the_best() -> None:
    x, labels = blobs(200, 60, 2, seed=3)
    labels = np.where(np.random.default_rng(0).random(200) < 0.2, 1 - labels, labels)
    folds = [
        (np.flatnonzero(np.arange(200) // 50 != i), np.flatnonzero(np.arange(200) // 50 == i))
        for i in range(4)
    ]
    choice, without_folds = choose_strengths(standardize(x), labels, [folds, []], classes=2)
    best = min(choice.table, key=lambda row: row.log_loss)
    assert choice.C == best.C
    assert len(choice.table) < 13
    assert (without_folds.C, without_folds.table) == (None, [])
    kept = probabilities(choice.logits)
    picked = kept[np.arange(200), labels]
    assert -np.log(picked).mean() == pytest.approx(best.log_loss, abs=1e-4)
    assert (kept.argmax(axis=1) == labels).mean() == pytest.approx(best.accuracy)


def test_real_digits_against_scikit_learn() -> None:
    data = load_digits()
    x, labels = data.data[:600].astype(np.float32), data.target[:600].astype(np.int64)
    x = x[:, x.std(axis=0) > 1]  # scikit-learn has no floor for the scales
    seen = np.ones((1, 600), bool)
    fits = solve(Shared(standardize(x), seen), labels, seen, 0.1, classes=10, tolerance=1e-7)
    expected = oracle(x, labels, seen[0], 0.1)
    assert np.abs(probabilities(fits.logits[:, 0]) - expected).max() < 1e-4
