from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tellapart.networks.augment import PRESETS, Draws, Policy, draw

ALL = Policy(
    flip=True,
    vertical_flip=True,
    shift=0.2,
    rotation=30,
    zoom=0.2,
    shear=10,
    brightness=0.3,
    contrast=0.3,
    erase=0.5,
)


def columns(draws: Draws) -> dict[str, np.ndarray]:
    return {field.name: getattr(draws, field.name) for field in dataclasses.fields(draws)}


def test_a_picture_draws_the_same_in_any_batch_and_order() -> None:
    whole = columns(draw(ALL, seed=3, epoch=2, indices=np.arange(100)))
    picked = np.array([77, 5, 5, 40])
    some = columns(draw(ALL, seed=3, epoch=2, indices=picked))
    for name, values in some.items():
        assert np.array_equal(values, whole[name][picked]), name


@pytest.mark.parametrize("other", [{"seed": 4}, {"epoch": 3}])
def test_seed_and_epoch_change_everything(other: dict[str, int]) -> None:
    indices = np.arange(50)
    one = draw(ALL, **{"seed": 3, "epoch": 2}, indices=indices)
    two = draw(ALL, **{"seed": 3, "epoch": 2, **other}, indices=indices)
    assert not np.isclose(one.rotation, two.rotation).any()
    assert 10 < (one.flip == two.flip).sum() < 40


def test_what_else_is_on_leaves_a_draw_alone() -> None:
    indices = np.arange(20)
    alone = draw(Policy(rotation=30), seed=0, epoch=0, indices=indices)
    together = draw(ALL, seed=0, epoch=0, indices=indices)
    assert np.array_equal(alone.rotation, together.rotation)


def test_draws_fill_their_ranges_evenly() -> None:
    draws = draw(ALL, seed=0, epoch=0, indices=np.arange(20_000))
    assert abs(draws.flip.mean() - 0.5) < 0.02
    assert abs(draws.vertical_flip.mean() - 0.5) < 0.02
    degrees = np.rad2deg(draws.rotation)
    assert abs(degrees.mean()) < 0.5
    assert -30 <= degrees.min() < -29.5 and 29.5 < degrees.max() <= 30
    assert 0.8 <= draws.zoom.min() < 0.805 and 1.24 < draws.zoom.max() <= 1.25
    assert abs(np.log(draws.zoom).mean()) < 0.01  # as often smaller as larger
    assert np.abs(draws.shift).max() <= 0.2
    erased = draws.erase[:, 2] > 0
    assert abs(erased.mean() - 0.5) < 0.02
    area = draws.erase[erased, 2] * draws.erase[erased, 3]
    assert area.min() >= 0.02 and area.max() <= 0.25 + 1e-9
    # Columns are independent: a flipped picture is not more often turned one way.
    assert abs(degrees[draws.flip].mean()) < 1
    assert abs(np.corrcoef(draws.shift.T)[0, 1]) < 0.03


def test_nothing_is_drawn_where_nothing_may_happen() -> None:
    draws = draw(PRESETS["none"], seed=0, epoch=0, indices=np.arange(10))
    assert not draws.flip.any() and not draws.vertical_flip.any()
    assert not draws.shift.any() and not draws.rotation.any() and not draws.erase.any()
    assert (draws.zoom == 1).all() and (draws.brightness == 1).all() and (draws.contrast == 1).all()


def test_the_numbers_stay_what_they_are() -> None:
    """A run that goes on after an update draws what it would have drawn."""
    draws = draw(ALL, seed=1, epoch=1, indices=np.array([0, 1, 2**40]))
    assert np.rad2deg(draws.rotation).round(6).tolist() == [16.425888, -28.600965, -13.699613]
