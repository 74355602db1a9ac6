from __future__ import annotations

import numpy as np
import pytest

from tellapart.networks.augment import PRESETS, Policy, sheet, variants


def pictures(n: int, side: int, channels: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (side, side, channels), dtype=np.uint8) for _ in range(n)]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", [8, 28, 128, 200])
def test_a_sheet_has_a_row_a_picture(side: int, channels: int) -> None:
    one = sheet(pictures(1, side, channels), PRESETS["light"], seed=0)
    three = sheet(pictures(3, side, channels), PRESETS["light"], seed=0)
    assert one.dtype == np.uint8 and one.shape[2] == 3
    assert one.shape[1] == three.shape[1]
    row = (three.shape[0] - one.shape[0]) / 2
    assert 90 <= row <= 140  # large enough to see, small enough for a screen
    assert one.shape[1] < 1_300


def test_the_original_comes_first_and_as_it_is() -> None:
    picture = pictures(1, 128, 3)
    page = sheet(picture, PRESETS["strong"], seed=0)
    windows = np.lib.stride_tricks.sliding_window_view(page, (4, 4, 3))[:, :300, 0]
    assert (windows == picture[0][:4, :4]).all(axis=(2, 3, 4)).sum() == 1


def test_pictures_keep_their_shape_and_stay_crisp() -> None:
    wide = [np.zeros((20, 40, 1), np.uint8)]
    page = sheet(wide, Policy(), seed=0, columns=2)
    black = (page == 0).all(axis=2)
    rows, columns = np.flatnonzero(black.sum(axis=1) > 100), np.flatnonzero(black.sum(axis=0) > 50)
    assert (len(rows), len(columns)) == (60, 240)  # 3 times, twice


def test_names_stand_before_the_rows() -> None:
    plain = sheet(pictures(2, 28, 1), Policy(), seed=0)
    named = sheet(pictures(2, 28, 1), Policy(), seed=0, names=["cats", "犬" * 500])
    assert plain.shape[1] < named.shape[1] < plain.shape[1] + 160
    assert (named[40:, :100] < 100).any()


def test_the_same_seed_draws_the_same_sheet() -> None:
    shown = pictures(3, 28, 3)
    first, again = (sheet(shown, PRESETS["strong"], seed=5) for _ in range(2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, sheet(shown, PRESETS["strong"], seed=6))


def test_variants_are_one_batch_an_epoch() -> None:
    shown = pictures(3, 16, 3)
    epochs = variants(shown, PRESETS["strong"], seed=0, count=4)
    assert [epoch.shape for epoch in epochs] == [(3, 16, 16, 3)] * 4
    assert not np.array_equal(epochs[0], epochs[1])


def test_refuses_what_makes_no_sheet() -> None:
    with pytest.raises(ValueError):
        sheet([], Policy(), seed=0)
    with pytest.raises(ValueError):
        sheet(pictures(1, 8, 1), Policy(), seed=0, columns=1)
    with pytest.raises(ValueError):
        sheet([*pictures(1, 8, 1), *pictures(1, 9, 1)], Policy(), seed=0)
