"""The linear head: exact, the same twice, unshaken by tiny or strange data."""

from __future__ import annotations

import numpy as np
import pytest
from recorder import Recorder
from sklearn.linear_model import LogisticRegression

from tellapart.core.errors import DataError
from tellapart.transfer import probe
from tellapart.transfer.logistic import GRID


def features(n: int, d: int, k: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features of overlapping classes, float16 [n, d], and labels [n]."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % k)
    x = np.abs(rng.normal(size=(n, d)) + rng.normal(size=(k, d))[labels] * 0.4)
    return x.astype(np.float16), labels.astype(np.int64)


@pytest.mark.parametrize("k", [2, 4])
def test_probabilities_are_those_of_scikit_learn(k: int) -> None:
    x, labels = features(300, 50, k)
    found = probe.fit(x, labels, np.arange(300), classes=k, seed=0)
    x64 = x.astype(np.float64)
    mean, scale = x64.mean(axis=0), x64.std(axis=0)
    fitted = LogisticRegression(C=found.C, tol=1e-9, max_iter=20_000).fit(
        (x64 - mean) / scale, labels
    )
    new, _ = features(100, 50, k, seed=9)
    expected = fitted.predict_proba((new.astype(np.float64) - mean) / scale)
    assert np.abs(found.predict(new) - expected).max() < 1e-4


def test_shapes_and_types() -> None:
    x, labels = features(120, 40, 3)
    found = probe.fit(x, labels, np.arange(120), classes=3, seed=0)
    assert (found.weights.shape, found.weights.dtype) == ((40, 3), np.float32)
    assert (found.bias.shape, found.bias.dtype) == ((3,), np.float32)
    assert (found.out_of_fold.shape, found.out_of_fold.dtype) == ((120, 3), np.float32)
    assert np.allclose(found.out_of_fold.sum(axis=1), 1, atol=1e-5)
    assert found.C in GRID
    assert [row.C for row in found.table] == list(GRID[: len(found.table)])
    assert found.as_json()["C"] == pytest.approx(found.C, rel=1e-5)


def test_the_strength_is_the_one_with_the_least_log_loss() -> None:
    x, labels = features(200, 80, 2)
    found = probe.fit(x, labels, np.arange(200), classes=2, seed=0)
    assert found.C == min(found.table, key=lambda row: row.log_loss).C


@pytest.mark.parametrize(("n", "d"), [(300, 50), (60, 400)])
def test_the_same_data_and_seed_give_the_same_bytes(n: int, d: int) -> None:
    x, labels = features(n, d, 3)
    a, b = (probe.fit(x, labels, np.arange(n), classes=3, seed=5) for _ in range(2))
    assert a.weights.tobytes() == b.weights.tobytes()
    assert a.bias.tobytes() == b.bias.tobytes()
    assert a.out_of_fold.tobytes() == b.out_of_fold.tobytes()
    assert a.table == b.table


def test_out_of_fold_is_by_models_that_have_not_seen_the_picture() -> None:
    x, labels = features(150, 30, 2)
    folds = [(np.arange(50, 150), np.arange(50)), (np.arange(50), np.arange(50, 150))]
    found = probe.fit(x, labels, np.arange(150), classes=2, seed=0, folds=folds)
    flipped = labels.copy()
    flipped[:50] = 1 - flipped[:50]
    other = probe.fit(x, flipped, np.arange(150), classes=2, seed=0, folds=[folds[0]])
    same = probe.fit(x, labels, np.arange(150), classes=2, seed=0, folds=[folds[0]])
    assert found.out_of_fold.shape == (150, 2)
    # Labels of the pictures asked about choose the strength, but teach the fold's model nothing.
    first, second = (run.table[0] for run in (other, same))
    assert first.accuracy == pytest.approx(1 - second.accuracy)


def test_a_picture_never_meets_its_group() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 5)
    labels = rng.integers(0, 2, 40)[groups]
    # Every group is a bright point of its own, which says nothing about its class.
    x = (rng.normal(size=(40, 60))[groups] + rng.normal(size=(200, 60)) * 0.01).astype(np.float32)
    grouped = probe.fit(x, labels, groups, classes=2, seed=0)
    alone = probe.fit(x, labels, np.arange(200), classes=2, seed=0)
    right = (grouped.out_of_fold.argmax(axis=1) == labels).mean()
    assert right < 0.75
    assert (alone.out_of_fold.argmax(axis=1) == labels).mean() > 0.95


@pytest.mark.parametrize("k", [2, 3])
def test_two_pictures_a_class(k: int) -> None:
    x, labels = features(2 * k, 1280, k)
    found = probe.fit(x, labels, np.arange(2 * k), classes=k, seed=0)
    assert np.isfinite(found.weights).all()
    assert np.isfinite(found.out_of_fold).all()
    assert (found.predict(x).argmax(axis=1) == labels).all()


def test_one_picture_in_a_class() -> None:
    x, labels = features(20, 64, 2)
    labels[:] = 0
    labels[3] = 1
    found = probe.fit(x, labels, np.arange(20), classes=2, seed=0)
    assert np.isfinite(found.weights).all() and np.isfinite(found.out_of_fold).all()


def test_constant_features() -> None:
    x, labels = features(60, 30, 2)
    x[:, 5] = 0
    x[:, 6] = 6
    found = probe.fit(x, labels, np.arange(60), classes=2, seed=0)
    assert np.isfinite(found.weights).all()
    assert np.abs(found.weights[5:7]).max() < 1e-4


def test_all_features_constant() -> None:
    labels = np.array([0, 1] * 10)
    x = np.ones((20, 8), np.float16)
    found = probe.fit(x, labels, np.arange(20), classes=2, seed=0)
    assert found.predict(x) == pytest.approx(np.full((20, 2), 0.5), abs=1e-3)


def test_labels_that_mean_nothing_are_regularized_strongly() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(150, 100)).astype(np.float32)
    found = probe.fit(x, rng.integers(0, 2, 150), np.arange(150), classes=2, seed=0)
    assert found.C <= 0.01
    assert min(row.log_loss for row in found.table) > 0.65


def test_one_class_is_refused() -> None:
    with pytest.raises(DataError) as caught:
        probe.fit(np.zeros((5, 4), np.float16), np.zeros(5, int), np.arange(5), classes=2, seed=0)
    assert caught.value.code == "too_few_classes"


def test_repeated_predicts_every_picture_every_time() -> None:
    x, labels = features(60, 200, 2)
    found = probe.repeated(x, labels, np.arange(60), classes=2, seed=0, repeats=3)
    assert found.probabilities.shape == (3, 60, 2)
    assert np.allclose(found.probabilities.sum(axis=2), 1, atol=1e-5)
    assert len(found.strengths) == 3
    assert not np.array_equal(found.probabilities[0], found.probabilities[1])
    again = probe.repeated(x, labels, np.arange(60), classes=2, seed=0, repeats=3)
    assert again.probabilities.tobytes() == found.probabilities.tobytes()


def test_repeated_does_not_flatter() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 300)).astype(np.float32)
    labels = rng.permutation(np.arange(80) % 2)
    found = probe.repeated(x, labels, np.arange(80), classes=2, seed=0, repeats=3)
    assert 0.3 < (found.probabilities.argmax(axis=2) == labels).mean() < 0.65


@pytest.mark.parametrize("each", [1, 2, 3])
def test_repeated_of_tiny_classes_is_finite(each: int) -> None:
    x, labels = features(3 * each, 50, 3)
    found = probe.repeated(x, labels, np.arange(3 * each), classes=3, seed=0, repeats=2)
    assert np.isfinite(found.probabilities).all()


def test_progress_is_told_to_the_end() -> None:
    x, labels = features(80, 20, 2)
    count = Recorder()
    probe.fit(x, labels, np.arange(80), classes=2, seed=0, progress=count)
    assert count.done == count.total
    assert "5 folds" in count.lines[-1]
