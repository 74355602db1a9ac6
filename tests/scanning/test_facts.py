from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from tellapart.images.decoder import Picture
from tellapart.scanning.facts import difference_hash, sharpness
from tellapart.scanning.facts import measure as measured


def measure(pixels: np.ndarray, *, gray: bool = False) -> dict[str, Any]:
    """The facts of pixels, and the thumbnail."""
    picture = Picture(pixels, "PNG", "RGB", 8, 1, 1, alpha=False, gray=gray, cmyk=False)
    record, thumb = measured(picture)
    return record | {"thumb": thumb}


def photo(width: int = 200, height: int = 150, seed: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def test_a_flat_picture_has_its_level_and_nothing_else() -> None:
    facts = measure(np.full((100, 80, 3), 40, np.uint8))
    assert facts["brightness"] == pytest.approx(40)
    assert facts["contrast"] == 0
    assert facts["sharpness"] == 0


def test_half_black_half_white() -> None:
    pixels = np.zeros((100, 100, 3), np.uint8)
    pixels[:, 50:] = 255
    facts = measure(pixels)
    assert facts["brightness"] == pytest.approx(127.5, abs=2)
    assert facts["contrast"] == pytest.approx(127.5, abs=2)


def test_blur_lowers_sharpness() -> None:
    sharp = np.random.default_rng(0).integers(0, 256, (150, 200, 3), dtype=np.uint8)
    blurred = np.asarray(Image.fromarray(sharp).filter(ImageFilter.GaussianBlur(4)))
    assert measure(blurred)["sharpness"] < measure(sharp)["sharpness"] / 2


def test_sharpness_of_a_checkerboard_is_the_laplacians_variance() -> None:
    board = (np.indices((32, 32)).sum(axis=0) % 2 * 255).astype(np.uint8)
    assert sharpness(board) == pytest.approx(float(np.var([1020.0, -1020.0])))
    assert sharpness(np.zeros((2, 9), np.uint8)) == 0


def test_the_hash_survives_a_resize_and_tells_pictures_apart() -> None:
    one, other = photo(), photo(seed=4)
    smaller = np.asarray(Image.fromarray(one).resize((120, 90)))

    def distance(a: np.ndarray, b: np.ndarray) -> int:
        hashes = [measure(pixels)["dhash"] for pixels in (a, b)]
        assert None not in hashes
        return (int(hashes[0] or 0) ^ int(hashes[1] or 0)).bit_count()

    assert distance(one, smaller) <= 3
    assert distance(one, other) > 10


def test_small_pictures_have_no_hash() -> None:
    assert measure(photo(63, 200))["dhash"] is None
    assert measure(photo(64, 64))["dhash"] is not None


def test_the_hash_is_of_rising_pixels() -> None:
    rising = np.tile(np.arange(90, dtype=np.uint8), (80, 1))
    assert difference_hash(rising) == 2**64 - 1
    assert difference_hash(rising[:, ::-1]) == 0


def test_the_thumb_is_the_whole_picture_squashed() -> None:
    pixels = np.zeros((90, 200, 3), np.uint8)
    pixels[:, 100:] = 255
    thumb = measure(pixels)["thumb"]
    assert thumb.shape == (64, 64)
    assert thumb[:, :30].max() < 10
    assert thumb[:, 34:].min() > 245


@pytest.mark.parametrize("shape", [(1, 1), (2, 9), (28, 28), (64, 64), (80, 70), (300, 20)])
def test_what_is_known_to_be_gray_has_the_same_facts(shape: tuple[int, int]) -> None:
    levels = np.random.default_rng(5).integers(0, 256, shape, dtype=np.uint8)
    pixels = np.repeat(levels[..., None], 3, axis=2)
    known, looked = measure(pixels, gray=True), measure(pixels)
    assert np.array_equal(known["thumb"], looked["thumb"])
    for name in ("brightness", "contrast", "sharpness", "dhash"):
        assert known[name] == looked[name], name
