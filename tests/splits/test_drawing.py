from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tellapart.core.errors import LabelError
from tellapart.splits import folds, repeated_folds
from tellapart.splits.drawing import draw

Rows = tuple[np.ndarray, np.ndarray]


@st.composite
def rows(draw_: st.DrawFn) -> Rows:
    """Labels and groups of up to 60 pictures; groups may mix classes."""
    n = draw_(st.integers(2, 60))
    labels = draw_(st.lists(st.integers(0, 3), min_size=n, max_size=n))
    groups = draw_(st.lists(st.integers(0, draw_(st.integers(1, 60))), min_size=n, max_size=n))
    return np.array(labels), np.array(groups)


def groups_of(labels: np.ndarray, groups: np.ndarray, label: int) -> int:
    return len(np.unique(groups[labels == label]))


@given(rows(), st.integers(2, 6), st.integers(0, 2**32 - 1))
@settings(max_examples=150, deadline=None)
def test_invariant_of_folds(data: Rows, k: int, seed: int) -> None:
    """No group is split, and each picture is tested at most once."""
    labels, groups = data
    dealt = folds(labels, groups, k=k, seed=seed)
    assert len(dealt) <= k
    tested = np.zeros(len(labels), int)
    for train, test in dealt:
        assert sorted([*train, *test]) == list(range(len(labels)))
        assert not set(groups[train]) & set(groups[test])
        tested[test] += 1
    assert tested.max(initial=0) <= 1
    if dealt:
        lonely = [c for c in np.unique(labels) if groups_of(labels, groups, c) == 1]
        stays = np.isin(groups, np.unique(groups[np.isin(labels, lonely)]))
        assert (tested[~stays] == 1).all()
        assert (tested[stays] == 0).all()
    again = folds(labels, groups, k=k, seed=seed)
    assert [t.tolist() for _, t in again] == [t.tolist() for _, t in dealt]


@given(rows(), st.floats(0.05, 0.95), st.integers(0, 2**32 - 1))
@settings(max_examples=150, deadline=None)
def test_invariant_of_a_draw(data: Rows, share: float, seed: int) -> None:
    """No group is split, and each class has pictures on both sides."""
    labels, groups = data
    labels = np.unique(labels, return_inverse=True)[1]
    assume(all(groups_of(labels, groups, c) > 1 for c in np.unique(labels)))
    try:
        chosen = draw(labels, groups, share, seed=seed)
    except LabelError as error:
        assert error.code == "groups_too_large"
        assert len(np.unique(groups)) < len(groups), "single pictures can always be drawn"
        return
    assert not set(groups[chosen]) & set(groups[~chosen])
    assert set(labels[chosen]) == set(labels[~chosen]) == set(labels)
    assert (draw(labels, groups, share, seed=seed) == chosen).all()


@given(st.lists(st.integers(2, 60), min_size=2, max_size=5), st.floats(0.02, 0.98))
@settings(max_examples=80, deadline=None)
def test_single_pictures_are_drawn_exactly(sizes: list[int], share: float) -> None:
    labels = np.repeat(np.arange(len(sizes)), sizes)
    chosen = draw(labels, np.arange(len(labels)), share, seed=1)
    for label, size in enumerate(sizes):
        wanted = min(max(int(np.floor(size * share + 0.5)), 1), size - 1)
        assert chosen[labels == label].sum() == wanted


def test_shares_stay_even_with_small_groups() -> None:
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.repeat([0, 1, 2], [600, 300, 100]))
    groups = np.arange(1_000)
    groups[np.flatnonzero(labels == 0)[:90]] = np.repeat(np.arange(5_000, 5_030), 3)
    chosen = draw(labels, groups, 0.2, seed=4)
    assert np.abs(np.bincount(labels[chosen]) - [120, 60, 20]).max() <= 2
    for _, test in folds(labels, groups, seed=4):
        assert np.abs(np.bincount(labels[test]) - [120, 60, 20]).max() <= 2


def test_groups_alone_are_drawn_as_well_as_they_allow() -> None:
    """Forty patients of ten pictures, of two classes: a fifth is eight of them."""
    groups = np.repeat(np.arange(40), 10)
    labels = groups % 2
    chosen = draw(labels, groups, 0.2, seed=0)
    assert np.bincount(labels[chosen]).tolist() == [40, 40]
    assert [len(test) for _, test in folds(labels, groups, seed=0)] == [80] * 5


def test_large_groups_are_sometimes_held_out() -> None:
    """Were only single pictures drawn, the measure would leave out whatever comes in groups."""
    labels = np.repeat([0, 1], 200)
    groups = np.arange(400)
    groups[:10] = 1_000
    drawn = [draw(labels, groups, 0.2, seed=seed)[0] for seed in range(60)]
    assert sum(map(bool, drawn)) >= 3


def test_seeds_differ() -> None:
    labels = np.repeat([0, 1], 50)
    groups = np.arange(100)
    assert (draw(labels, groups, 0.2, seed=1) != draw(labels, groups, 0.2, seed=2)).any()
    one, two = (folds(labels, groups, seed=seed)[0][1].tolist() for seed in (1, 2))
    assert one != two


def test_fewer_folds_for_few_groups() -> None:
    labels = np.array([0] * 20 + [1] * 3)
    dealt = folds(labels, np.arange(23), k=5, seed=0)
    assert len(dealt) == 3
    assert all((labels[test] == 1).sum() == 1 for _, test in dealt)


def test_a_class_in_one_group_is_always_learnt() -> None:
    labels = np.array([0] * 20 + [1] * 20 + [2] * 4)
    groups = np.arange(44)
    groups[-4:] = 99
    dealt = folds(labels, groups, seed=0)
    assert len(dealt) == 5
    assert all((labels[train] == 2).sum() == 4 for train, _ in dealt)


@pytest.mark.parametrize(
    ("labels", "groups"), [([], []), ([0], [0]), ([0, 1], [0, 1]), ([0, 0, 1, 1], [5, 5, 6, 6])]
)
def test_no_folds_where_there_are_none(labels: list[int], groups: list[int]) -> None:
    assert folds(np.array(labels, int), np.array(groups, int), seed=0) == []


def test_invariant_every_training_part_has_every_class() -> None:
    """Mixed groups: the last group of a class may not join all its others in one fold."""
    for seed in range(40):
        rng = np.random.default_rng(seed)
        groups = np.repeat(np.arange(12), 5)
        labels = rng.integers(0, 3, 60)
        for train, _ in folds(labels, groups, k=3, seed=seed):
            assert set(labels[train]) == set(labels)


def test_repeats_are_dealt_anew_and_the_same_for_a_seed() -> None:
    labels, groups = np.repeat([0, 1], 20), np.arange(40)
    repeats = repeated_folds(labels, groups, repeats=3, seed=7)
    assert [len(dealt) for dealt in repeats] == [5, 5, 5]
    firsts = [dealt[0][1].tolist() for dealt in repeats]
    assert len({tuple(first) for first in firsts}) == 3
    again = repeated_folds(labels, groups, repeats=3, seed=7)
    assert [dealt[0][1].tolist() for dealt in again] == firsts


def test_many_pictures() -> None:
    rng = np.random.default_rng(0)
    labels, groups = rng.integers(0, 10, 100_000), rng.integers(0, 60_000, 100_000)
    chosen = draw(labels, groups, 0.2, seed=0)
    assert abs(chosen.mean() - 0.2) < 0.001
    assert all(abs(len(test) - 20_000) < 50 for _, test in folds(labels, groups, seed=0))
