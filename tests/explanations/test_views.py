"""The sheets: pictures of the right size that show what they should."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tellapart.core.errors import PictureError, SettingsError
from tellapart.explanations import filter_sheet, kernel_sheet, map_sheet
from tellapart.explanations.painting import enlarged, false_colors
from tellapart.explanations.sheets import WIDTH, Grid, fitted, sheet, tile_side
from tellapart.model import Model


def pixels_of(png: bytes) -> np.ndarray:
    opened = Image.open(io.BytesIO(png))
    assert (opened.format, opened.mode) == ("PNG", "RGB")
    return np.asarray(opened)


def test_maps_of_every_layer(cnn: Model, photo: bytes) -> None:
    drawn = pixels_of(map_sheet(cnn, photo))
    assert drawn.shape[1] == WIDTH
    # A large picture, 4 maps twice in one row and 16 of 20 twice in two rows.
    assert drawn.shape[0] > tile_side(3) + 6 * tile_side(8)
    assert map_sheet(cnn, photo) == map_sheet(cnn, photo)


def test_many_layers_have_small_maps(build: Callable[..., Model], photo: bytes) -> None:
    from tellapart.graph.layers import Conv, Dense, GlobalAveragePool, Scale, Softmax

    deep = build(
        (
            Scale("scaled"),
            *(Conv(f"conv{i}", filters=2, kernel=3, activation="relu") for i in range(20)),
            GlobalAveragePool("features"),
            Dense("logits", units=3),
            Softmax("probabilities"),
        )
    )
    assert pixels_of(map_sheet(deep, photo)).shape[0] < 20 * 115 + 400


def test_filters_of_color_and_gray_networks(cnn: Model, gray_cnn: Model, photo: bytes) -> None:
    for model in (cnn, gray_cnn):
        drawn = pixels_of(filter_sheet(model, photo))
        assert drawn.shape[0] > tile_side(3) + 2 * tile_side(8)


def test_sheets_of_a_network_without_convolutions_are_refused(dnn: Model, photo: bytes) -> None:
    for draw in (map_sheet, filter_sheet):
        with pytest.raises(SettingsError, match="needs a network with convolutions"):
            draw(dnn, photo)


def test_what_is_no_picture_is_refused(cnn: Model) -> None:
    for draw in (map_sheet, filter_sheet):
        with pytest.raises(PictureError):
            draw(cnn, b"not a picture")
    with pytest.raises(PictureError):
        kernel_sheet(b"not a picture")


def test_the_lesson_on_a_real_photo(small_photos: Path) -> None:
    photo = sorted((small_photos / "cats").iterdir())[0].read_bytes()
    drawn = pixels_of(kernel_sheet(photo))
    side = tile_side(3)
    assert drawn.shape[0] > 7 * side
    left = drawn[50 : 50 + side, 20 : 20 + side]
    right = drawn[50 : 50 + side, 20 + 2 * (side + 8) : 20 + 2 * (side + 8) + side]
    assert np.array_equal(left, right)  # identity stands first


def test_the_lesson_needs_no_network_and_takes_one(cnn: Model, photo: bytes) -> None:
    assert pixels_of(kernel_sheet(photo)).shape == pixels_of(kernel_sheet(photo, cnn)).shape


def test_tiles_fill_their_squares_in_proportion() -> None:
    small = np.array([[[0, 0, 0], [255, 255, 255]]], np.uint8)
    made = fitted(small, 100)
    assert made.shape == (50, 100, 3)
    assert made[:, :50].max() == 0
    assert made[:, 50:].min() == 255
    assert fitted(np.zeros((400, 300, 3), np.uint8), 100).shape == (100, 75, 3)


def test_a_sheet_grows_with_its_rows() -> None:
    tiles = [np.zeros((4, 4, 3), np.uint8)] * 9
    eight, nine = (sheet([Grid("x", tiles[:n])]) for n in (8, 9))
    assert nine.shape[0] - eight.shape[0] == tile_side(8) + 8
    labeled = sheet([Grid("x", tiles[:8], labels=[str(n) for n in range(8)])])
    assert labeled.shape[0] > eight.shape[0]
    with pytest.raises(ValueError, match="labels"):
        sheet([Grid("x", tiles, labels=["one"])])


def test_maps_glow_on_their_own_scale() -> None:
    ramp = np.linspace(-3, 9, 50).reshape(5, 10)
    light = false_colors(ramp).reshape(-1, 3) @ np.array([0.2126, 0.7152, 0.0722])
    assert np.all(np.diff(light) > 0)
    assert np.array_equal(false_colors(ramp), false_colors(ramp * 1000))
    assert np.ptp(false_colors(np.full((3, 3), 7.0)).reshape(-1, 3), axis=0).max() == 0
    assert false_colors(np.array([[np.nan, np.inf, 1.0]])).shape == (1, 3, 3)


def test_small_squares_are_enlarged_by_whole_pixels() -> None:
    square = np.random.default_rng(0).integers(0, 256, (28, 28, 3), dtype=np.uint8)
    large = enlarged(square)
    assert large.shape == (196, 196, 3)
    assert np.array_equal(large[::7, ::7], square)
    assert enlarged(np.zeros((96, 96, 3), np.uint8)).shape == (96, 96, 3)
