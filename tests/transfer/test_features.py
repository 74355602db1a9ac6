"""Features: one vector a picture, whoever computes it and beside whatever others."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tellapart.core.errors import SettingsError
from tellapart.graph import open_session
from tellapart.images import decoder, resizing
from tellapart.transfer import backbones
from tellapart.transfer.features import FeatureConsumer

BACKBONE = backbones.get("efficientnet-lite0")
SIZE = 64


@pytest.fixture(scope="module")
def consumer() -> FeatureConsumer:
    return FeatureConsumer(BACKBONE, SIZE)


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (11, SIZE, SIZE, 3), dtype=np.uint8)


def test_it_says_what_it_gives(consumer: FeatureConsumer, pixels: np.ndarray) -> None:
    found = consumer.apply(pixels)
    assert found.shape == (11, *consumer.shape) == (11, 1280)
    assert found.dtype == consumer.dtype == np.float32
    assert consumer.keep
    assert consumer.apply(pixels[:0]).shape == (0, 1280)


def test_they_are_the_networks_own(consumer: FeatureConsumer, pixels: np.ndarray) -> None:
    wanted = open_session(BACKBONE.onnx(SIZE)).run(["features"], {"image": pixels})[0]
    np.testing.assert_allclose(consumer.apply(pixels), wanted, rtol=1e-3, atol=1e-5)


def test_a_picture_does_not_depend_on_its_neighbors(
    consumer: FeatureConsumer, pixels: np.ndarray
) -> None:
    together = consumer.apply(pixels)
    alone = np.concatenate([consumer.apply(one[None]) for one in pixels])
    backwards = consumer.apply(pixels[::-1])[::-1]
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(together, backwards)


def test_many_threads_get_what_one_gets(pixels: np.ndarray) -> None:
    consumer = FeatureConsumer(BACKBONE, SIZE)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda start: consumer.apply(pixels[start : start + 3]), range(8)))
    whole = consumer.apply(pixels)
    for start, part in enumerate(found):
        np.testing.assert_array_equal(part, whole[start : start + 3])


def test_the_key_changes_with_whatever_changes_the_features() -> None:
    keys = {
        FeatureConsumer(BACKBONE, size, fit).key for size in (64, 96) for fit in ("squash", "pad")
    }
    assert len(keys) == 4
    assert all(decoder.DECODER in key and BACKBONE.file.sha256[:12] in key for key in keys)


def test_wrong_pixels_and_sizes_are_refused(consumer: FeatureConsumer, pixels: np.ndarray) -> None:
    with pytest.raises(ValueError):
        consumer.apply(pixels[:, :32])
    with pytest.raises(ValueError):
        consumer.apply(pixels.astype(np.float32))
    with pytest.raises(SettingsError):
        FeatureConsumer(BACKBONE, 7).prepare()


def test_real_photos_of_cats_and_dogs_lie_apart(small_photos: Path) -> None:
    """The nearest other photo, by the angle between features, mostly shows the same animal."""
    consumer = FeatureConsumer(BACKBONE, 224)
    files = sorted(small_photos.rglob("*.jpg"))
    squares = [resizing.resize(decoder.decode(file.read_bytes()).pixels, 224) for file in files]
    found = consumer.apply(np.stack(squares)).astype(np.float64)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    likeness = found @ found.T - 2 * np.eye(len(found))
    labels = np.array([file.parent.name for file in files])
    assert (labels[likeness.argmax(1)] == labels).mean() >= 0.8
