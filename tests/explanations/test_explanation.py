"""Heat maps: their sum is the logit, their colors say for and against."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tellapart.core.errors import PictureError, SettingsError
from tellapart.explanations import explain
from tellapart.explanations.evidence import evidence
from tellapart.explanations.painting import colors, overlay
from tellapart.model import Model, writing
from tellapart.transfer import backbones

CLASSES = ("cats", "dogs", "<script>")


@pytest.fixture(scope="module")
def model() -> Model:
    rng = np.random.default_rng(0)
    return Model.load(
        writing.build_probe(
            backbone=backbones.get("efficientnet-lite0"),
            size=96,
            fit="squash",
            weights=rng.normal(0, 0.1, (1280, 3)).astype(np.float32),
            bias=np.array([0.5, -0.5, 0.1], np.float32),
            classes=CLASSES,
        )
    )


@pytest.fixture(scope="module")
def picture(small_photos: Path) -> bytes:
    return sorted((small_photos / "cats").iterdir())[0].read_bytes()


@pytest.fixture
def drawing() -> bytes:
    rng = np.random.default_rng(3)
    buffer = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def test_the_mean_of_the_map_is_the_logit(model: Model, drawing: bytes) -> None:
    found = explain(model, drawing)
    probabilities, maps = model.run_with_map(found.pixels[None])
    logits = maps[0].mean(axis=(0, 1), dtype=np.float64)
    raised = np.exp(logits - logits.max())
    assert raised / raised.sum() == pytest.approx(probabilities[0], abs=1e-5)
    for target in range(3):
        lead = logits[target] - np.delete(logits, target).mean()
        assert evidence(maps[0], target).mean() == pytest.approx(lead, abs=1e-4)


def test_explains_a_real_photo(model: Model, picture: bytes) -> None:
    found = explain(model, picture)
    assert found.predicted == found.target == next(iter(found.probabilities))
    assert set(found.probabilities) == set(CLASSES)
    assert sum(found.probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert found.pixels.shape == (96, 96, 3)
    assert (found.heat.shape, found.heat.dtype) == ((3, 3), np.float32)
    opened = Image.open(io.BytesIO(found.png))
    assert (opened.format, opened.size, opened.mode) == ("PNG", (96, 96), "RGB")
    assert explain(model, picture).png == found.png


def test_another_class_can_be_asked_for(model: Model, drawing: bytes) -> None:
    found = explain(model, drawing, "<script>")
    assert found.target == "<script>"
    assert not np.array_equal(found.heat, explain(model, drawing, "dogs").heat)


def test_an_unknown_class_is_refused_with_the_near_one(model: Model, drawing: bytes) -> None:
    with pytest.raises(SettingsError, match="Did you mean 'dogs'") as caught:
        explain(model, drawing, "dog")
    assert caught.value.code == "unknown_class"
    with pytest.raises(SettingsError, match="Its classes are cats, dogs, <script>"):
        explain(model, drawing, "zebra")


def test_what_is_no_picture_is_refused(model: Model) -> None:
    with pytest.raises(PictureError):
        explain(model, b"not a picture")


def test_two_classes_speak_against_each_other() -> None:
    maps = np.random.default_rng(0).normal(size=(4, 5, 2))
    assert np.allclose(evidence(maps, 0), maps[..., 0] - maps[..., 1])
    assert np.allclose(evidence(maps, 0), -evidence(maps, 1))


def test_evidence_of_several_pictures_at_once() -> None:
    maps = np.random.default_rng(0).normal(size=(6, 4, 4, 3)).astype(np.float32)
    assert np.array_equal(evidence(maps, 1)[2], evidence(maps[2], 1))


def test_warm_speaks_for_cool_against() -> None:
    gray = np.full((64, 64, 3), 128, np.uint8)
    heat = np.zeros((8, 8), np.float32)
    heat[:, :3], heat[:, 5:] = -1, 1
    drawn = overlay(gray, heat).astype(int)
    assert drawn.shape == (64, 64, 3)
    left, middle, right = drawn[32, 4], drawn[32, 31], drawn[32, 60]
    assert left[2] > left[0] + 40
    assert right[0] > right[2] + 40
    assert np.ptp(middle) < 30


def test_a_map_of_zeros_leaves_the_picture_gray() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    drawn = overlay(pixels, np.zeros((2, 3), np.float32))
    assert drawn.shape == (20, 30, 3)
    assert np.array_equal(drawn[..., 0], drawn[..., 1])


def test_one_scale_makes_maps_comparable() -> None:
    gray = np.full((32, 32, 3), 128, np.uint8)
    heat = np.ones((4, 4), np.float32)
    strong, weak = (overlay(gray, heat * x, scale=1.0) for x in (1.0, 0.1))
    assert np.ptp(strong[16, 16].astype(int)) > 3 * np.ptp(weak[16, 16].astype(int))


def test_odd_numbers_are_drawn_as_nothing() -> None:
    heat = np.array([[np.nan, np.inf], [1, -1]], np.float32)
    assert overlay(np.zeros((10, 10, 3), np.uint8), heat).dtype == np.uint8


def test_colors_darken_evenly_to_both_sides() -> None:
    steps = colors(np.linspace(-1, 1, 41)) @ np.array([0.2126, 0.7152, 0.0722])
    assert np.all(np.diff(steps[:21]) > 0)
    assert np.all(np.diff(steps[20:]) < 0)
    assert colors(np.array(5.0)) == pytest.approx(colors(np.array(1.0)))
