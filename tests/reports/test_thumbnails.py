"""Pixels to data URIs and back."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from tellapart.explanations.painting import overlay
from tellapart.reports.thumbnails import Budget, heat_data_uri, is_data_uri, jpeg_data_uri


def decoded(uri: str) -> np.ndarray:
    data = base64.b64decode(uri.removeprefix("data:image/jpeg;base64,"))
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


@pytest.mark.parametrize(
    ("shape", "side", "result"),
    [
        ((300, 600), 160, (80, 160)),
        ((100, 100), 160, (100, 100)),
        ((8, 8), 160, (160, 160)),
        ((28, 20), 160, (140, 100)),
        ((1, 5000), 160, (1, 160)),
    ],
)
def test_size_of_a_thumbnail(shape: tuple[int, int], side: int, result: tuple[int, int]) -> None:
    uri = jpeg_data_uri(np.full((*shape, 3), 200, np.uint8), side)
    assert is_data_uri(uri)
    assert decoded(uri).shape[:2] == result
    assert abs(decoded(uri) - 200).max() <= 2


def test_heat_for_the_class_is_orange_and_against_it_blue() -> None:
    pixels = np.full((120, 120, 3), 128, np.uint8)
    heat = np.array([[1.0, -1.0]], dtype=np.float32)
    seen = decoded(heat_data_uri(pixels, heat))
    favors, against = seen[:, :30].mean(axis=(0, 1)), seen[:, -30:].mean(axis=(0, 1))
    assert favors[0] > favors[2] + 60  # orange
    assert against[2] > against[0] + 60  # blue


def test_evidence_against_is_seen_on_a_black_picture() -> None:
    pixels = np.zeros((120, 120, 3), np.uint8)
    against = decoded(heat_data_uri(pixels, np.full((3, 3), -1.0, np.float32)))
    assert against.mean(axis=(0, 1))[2] > 150


def test_heat_is_painted_as_explain_paints_it() -> None:
    random = np.random.default_rng(1)
    pixels = random.integers(0, 256, (120, 120, 3), dtype=np.uint8)
    heat = random.normal(0, 1, (7, 7)).astype(np.float32)
    apart = decoded(heat_data_uri(pixels, heat, quality=95)) - overlay(pixels, heat)
    assert np.abs(apart).mean() < 8  # what JPEG costs


def test_heat_of_nothing_is_the_gray_picture() -> None:
    pixels = np.full((120, 120, 3), (200, 40, 40), np.uint8)
    for heat in (np.zeros((7, 7)), np.full((3, 3), np.nan)):
        seen = decoded(heat_data_uri(pixels, heat))
        assert np.ptp(seen.reshape(-1, 3).mean(axis=0)) < 3


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32), np.zeros((0, 4, 3), np.uint8)],
)
def test_what_is_no_picture_is_refused(pixels: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"uint8 \[H, W, 3\]"):
        jpeg_data_uri(pixels)


def test_wrong_heat_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\[h, w\]"):
        heat_data_uri(np.zeros((4, 4, 3), np.uint8), np.zeros(7))


def test_budget_gives_nothing_once_it_is_spent() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (150, 150, 3), dtype=np.uint8)
    one = len(jpeg_data_uri(picture))
    budget = Budget(int(2.5 * one))
    taken = [bool(budget.take(picture, 160)) for _ in range(4)]
    assert taken == [True, True, False, False]
