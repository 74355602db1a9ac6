from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from tellapart.audit.alignment import same_view, shared_view
from tellapart.images.decoder import Picture
from tellapart.scanning.facts import measure

Edit = Callable[[Image.Image], Image.Image]
PHOTOS = 12


def thumb_of(pixels: np.ndarray) -> np.ndarray:
    picture = Picture(pixels, "PNG", "RGB", 8, 1, 1, alpha=False, gray=False, cmyk=False)
    return measure(picture)[1]


@pytest.fixture(scope="module")
def photos(data_folder: Path) -> list[Image.Image]:
    """A few of Kaggle's photographs, in their original size."""
    with zipfile.ZipFile(data_folder / "cats-dogs-kaggle-2k.zip") as archive:
        names = sorted(n for n in archive.namelist() if n.endswith(".jpg"))[::150][:PHOTOS]
        return [Image.open(io.BytesIO(archive.read(name))).convert("RGB") for name in names]


def thumbs(pictures: list[Image.Image]) -> np.ndarray:
    return np.stack([thumb_of(np.asarray(picture)) for picture in pictures])


def encoded(picture: Image.Image, quality: int = 85) -> Image.Image:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def smaller(picture: Image.Image) -> Image.Image:
    return picture.resize((picture.width * 6 // 10, picture.height * 6 // 10))


def crop(left: float, top: float, width: float, height: float) -> Edit:
    def edit(picture: Image.Image) -> Image.Image:
        w, h = picture.size
        box = (left * w, top * h, (left + width) * w, (top + height) * h)
        return picture.crop(tuple(round(side) for side in box))

    return edit


SAME: dict[str, Edit] = {
    "quality 40": lambda p: encoded(p, 40),
    "60 %": lambda p: encoded(smaller(p)),
    "brighter": lambda p: encoded(p.point(lambda v: min(255, v + 15))),
    "less contrast": lambda p: encoded(ImageEnhance.Contrast(p).enhance(0.7)),
}
SHARED: dict[str, Edit] = {
    "mirrored": lambda p: encoded(ImageOps.mirror(p)),
    "crop 80 %": lambda p: encoded(crop(0.15, 0.05, 0.8, 0.8)(p)),
    "crop 60 %": lambda p: encoded(crop(0.3, 0.2, 0.6, 0.6)(p)),
    "trimmed": lambda p: encoded(crop(0.0, 0.1, 1.0, 0.75)(p)),
    "crop 80 %, mirrored": lambda p: encoded(ImageOps.mirror(crop(0.0, 0.2, 0.8, 0.8)(p))),
}


@pytest.mark.parametrize("name", SAME)
def test_the_same_view(photos: list[Image.Image], name: str) -> None:
    both = thumbs([*photos, *(SAME[name](photo) for photo in photos)])
    a = np.arange(PHOTOS)
    assert (same_view(both, a, a + PHOTOS) > 0.99).all()
    assert (same_view(both, a, np.roll(a, 1) + PHOTOS) == 0).all(), "and of no other photo"


@pytest.mark.parametrize("name", SHARED)
def test_a_shared_view(photos: list[Image.Image], name: str) -> None:
    both = thumbs([*photos, *(SHARED[name](photo) for photo in photos)])
    a = np.arange(PHOTOS)
    assert (shared_view(both, a, a + PHOTOS) > 0.96).mean() >= 0.9
    assert (shared_view(both, a + PHOTOS, a) > 0.96).mean() >= 0.9, "either way round"
    assert (shared_view(both, a, np.roll(a, 1) + PHOTOS) == 0).all(), "and of no other photo"


def test_a_patch_that_differs_is_seen() -> None:
    rng = np.random.default_rng(3)
    scene = np.asarray(
        Image.fromarray(rng.integers(0, 256, (9, 9), dtype=np.uint8)).resize((64, 64), 3)
    )
    moved = scene.copy()
    moved[24:40, 24:40] = 255 - moved[24:40, 24:40]
    both = np.stack([scene, moved])
    one, two = np.array([0]), np.array([1])
    assert same_view(both, one, one)[0] > 0.999
    assert same_view(both, one, two)[0] == 0
    assert shared_view(both, one, two)[0] == 0


def test_blank_pictures_resemble_nothing() -> None:
    rng = np.random.default_rng(0)
    gray = np.full((2, 64, 64), 128, np.uint8) + rng.integers(0, 3, (2, 64, 64), dtype=np.uint8)
    gray[1] = gray[0]
    a, b = np.array([0]), np.array([1])
    assert same_view(gray, a, b)[0] == 0
    assert shared_view(gray, a, b)[0] == 0


def test_no_pairs() -> None:
    none = np.empty(0, np.int64)
    empty = np.empty((0, 64, 64), np.uint8)
    assert same_view(empty, none, none).shape == (0,)
    assert shared_view(empty, none, none).shape == (0,)
