from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tellapart.networks.augment import PRESETS, Draws, Policy, apply, draw

FULL = Policy(
    flip=True,
    vertical_flip=True,
    shift=0.3,
    rotation=40,
    zoom=0.3,
    shear=15,
    brightness=0.3,
    contrast=0.3,
    erase=0.5,
)


def drawn(n: int = 1, **changes: object) -> Draws:
    """Draws that change nothing but what is given."""
    values: dict[str, np.ndarray] = {
        "flip": np.zeros(n, bool),
        "vertical_flip": np.zeros(n, bool),
        "shift": np.zeros((n, 2)),
        "rotation": np.zeros(n),
        "zoom": np.ones(n),
        "shear": np.zeros(n),
        "brightness": np.ones(n),
        "contrast": np.ones(n),
        "erase": np.zeros((n, 4)),
    }
    for name, value in changes.items():
        values[name][:] = value
    return Draws(**values)


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def ramp(height: int, width: int, channels: int = 1) -> np.ndarray:
    """A smooth picture, different at every place: uint8 [1, height, width, channels]."""
    rows, columns = np.mgrid[:height, :width]
    plane = 40 + 100 * columns / width + 60 * rows / height
    return np.repeat(plane[None, :, :, None], channels, axis=3).astype(np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
def test_no_change_gives_a_copy(channels: int) -> None:
    pixels = noise(3, 20, 16, channels)
    done = apply(pixels, draw(Policy(), seed=0, epoch=0, indices=np.arange(3)))
    assert np.array_equal(done, pixels)
    assert not np.shares_memory(done, pixels)


def test_flips_move_whole_pixels() -> None:
    pixels = noise(1, 7, 5, 3)
    assert np.array_equal(apply(pixels, drawn(flip=True)), pixels[:, :, ::-1])
    assert np.array_equal(apply(pixels, drawn(vertical_flip=True)), pixels[:, ::-1])


@pytest.mark.parametrize("step", [(2, 0), (-2, 0), (0, 1), (3, -2), (-4, 5)])
def test_shifts_move_whole_pixels_and_mirror_the_rest(step: tuple[int, int]) -> None:
    pixels = noise(1, 12, 10, 3)
    right, down = step
    done = apply(pixels, drawn(shift=(right / 10, down / 12)))
    padded = np.pad(pixels[0], ((6, 6), (6, 6), (0, 0)), mode="reflect")
    assert np.array_equal(done[0], padded[6 - down : 18 - down, 6 - right : 16 - right])


def test_a_plain_border_goes_on_in_its_color() -> None:
    pixels = np.zeros((1, 28, 28, 1), np.uint8)
    pixels[:, 4:24, 4:24] = noise(1, 20, 20, 1)
    done = apply(pixels, drawn(shift=(0.25, 0)))
    assert not done[0, :, :11].any()  # mirrored, the first columns would come back
    white = np.full((1, 30, 30, 3), 255, np.uint8)
    white[:, 10:20, 10:20] = 0
    small = apply(white, drawn(zoom=0.4, rotation=0.5))
    assert (small[0, [0, -1]] == 255).all() and (small[0, :, [0, -1]] == 255).all()
    assert (small < 128).sum() < (white < 128).sum() * 0.25


def test_a_quarter_turn_is_a_quarter_turn() -> None:
    pixels = noise(1, 16, 16, 3)
    clockwise = apply(pixels, drawn(rotation=np.pi / 2))
    assert np.abs(clockwise[0].astype(int) - np.rot90(pixels[0], -1).astype(int)).max() <= 1


def test_zoom_enlarges_about_the_middle() -> None:
    pixels = np.zeros((1, 40, 40, 1), np.uint8)
    pixels[:, 15:25, 15:25] = 255
    done = apply(pixels, drawn(zoom=2.0))
    rows = np.flatnonzero(done[0, :, 20, 0] > 127)
    assert (rows[0], rows[-1]) == (10, 29)


def test_slanting_moves_the_top_against_the_bottom() -> None:
    pixels = np.zeros((1, 41, 41, 1), np.uint8)
    pixels[:, :, 20] = 255
    done = apply(pixels, drawn(shear=np.deg2rad(20)))[0, :, :, 0]
    assert done[10].argmax() < done[20].argmax() == 20 < done[30].argmax()


def test_bent_and_straight_geometry_agree() -> None:
    """A turn by almost nothing gives what flip and shift alone give."""
    pixels = ramp(24, 30, 3)
    for changes in ({"flip": True}, {"vertical_flip": True}, {"shift": (0.1, -0.25)}):
        straight = apply(pixels, drawn(**changes))
        bent = apply(pixels, drawn(rotation=1e-9, **changes))
        assert np.abs(straight.astype(int) - bent).max() <= 1, changes


@pytest.mark.parametrize("channels", [1, 3])
def test_no_empty_corner_is_ever_seen(channels: int) -> None:
    bright = np.random.default_rng(0).integers(150, 256, (200, 32, 24, channels), dtype=np.uint8)
    policy = Policy(flip=True, shift=0.5, rotation=180, zoom=0.75, shear=60)
    done = apply(bright, draw(policy, seed=0, epoch=0, indices=np.arange(200)))
    assert done.min() >= 149


def test_brightness_and_contrast_do_what_they_say() -> None:
    pixels = ramp(20, 20)
    brighter = apply(pixels, drawn(brightness=1.2))
    assert np.abs(brighter - np.clip(np.rint(pixels * 1.2), 0, 255)).max() <= 1
    flat = apply(pixels, drawn(contrast=0.5))
    assert abs(flat.std() / pixels.std() - 0.5) < 0.02
    assert abs(flat.mean() - pixels.mean()) < 1


def test_erasing_paints_the_mean_color() -> None:
    pixels = noise(1, 20, 20, 3)
    done = apply(pixels, drawn(erase=(0.5, 0.0, 0.5, 0.25)))[0]
    assert np.array_equal(done[5:15, :5], np.broadcast_to(done[5, 0], (10, 5, 3)))
    assert np.abs(done[5, 0] - pixels[0].mean(axis=(0, 1))).max() <= 0.5
    assert np.array_equal(done[:, 5:], pixels[0, :, 5:])
    assert np.array_equal(done[:5], pixels[0, :5])


@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_becomes_the_same_in_any_batch(channels: int) -> None:
    pixels = noise(12, 30, 22, channels)
    pixels[3] = 7  # a plain one among the others
    whole = apply(pixels, draw(FULL, seed=1, epoch=4, indices=np.arange(12)))
    for picked in ([3], [11, 0, 5], [5, 5]):
        some = apply(pixels[picked], draw(FULL, seed=1, epoch=4, indices=np.array(picked)))
        assert np.array_equal(some, whole[picked])


def test_what_comes_in_is_left_alone() -> None:
    pixels = noise(4, 16, 16, 3)
    before = pixels.copy()
    pixels.setflags(write=False)  # as a memory-mapped file is
    apply(pixels, draw(PRESETS["strong"], seed=0, epoch=0, indices=np.arange(4)))
    assert np.array_equal(pixels, before)


@settings(deadline=None, max_examples=60)
@given(
    height=st.integers(1, 20),
    width=st.integers(1, 20),
    channels=st.sampled_from([1, 3]),
    epoch=st.integers(0, 5),
)
def test_any_shape_keeps_its_shape(height: int, width: int, channels: int, epoch: int) -> None:
    pixels = noise(3, height, width, channels)
    for policy in (FULL, Policy(shift=0.5, flip=True), Policy(zoom=0.75, rotation=180, shear=60)):
        done = apply(pixels, draw(policy, seed=0, epoch=epoch, indices=np.arange(3)))
        assert done.shape == pixels.shape and done.dtype == np.uint8


def test_no_pictures_are_no_pictures() -> None:
    none = np.zeros((0, 8, 8, 3), np.uint8)
    assert len(apply(none, draw(FULL, seed=0, epoch=0, indices=np.arange(0)))) == 0


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((2, 8, 8, 3), np.float32),
        np.zeros((2, 8, 8), np.uint8),
        np.zeros((2, 8, 8, 4), np.uint8),
        np.zeros((3, 8, 8, 3), np.uint8),
    ],
)
def test_refuses_what_are_no_pictures(pixels: np.ndarray) -> None:
    with pytest.raises(ValueError):
        apply(pixels, drawn(2))
