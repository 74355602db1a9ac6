"""Feature maps and first-layer kernels, taken out of the file."""

from __future__ import annotations

import numpy as np
import pytest

from tellapart.core.errors import SettingsError
from tellapart.explanations import feature_maps, filters
from tellapart.explanations.maps import first_layer, kernel_pictures, strongest
from tellapart.model import Model


def test_every_convolution_and_pooling_in_order(cnn: Model, pixels: np.ndarray) -> None:
    found = feature_maps(cnn, pixels)
    assert [(name, maps.shape) for name, maps in found] == [
        ("conv1", (24, 24, 4)),
        ("pool1", (12, 12, 4)),
        ("conv2", (9, 9, 20)),
        ("pool2", (4, 4, 20)),
    ]
    conv, pool = found[0][1], found[1][1]
    assert conv.min() == 0
    assert np.array_equal(conv.reshape(12, 2, 12, 2, 4).max(axis=(1, 3)), pool)


def test_strongest_channels_come_first() -> None:
    maps = np.random.default_rng(0).normal(size=(5, 5, 4)).astype(np.float32)
    maps *= np.array([1, 3, 0, 2], np.float32)
    maps[..., 2] = 100  # bright, and the same everywhere
    assert np.array_equal(strongest(maps, 3), maps[..., [1, 3, 0]])
    assert strongest(maps, 99).shape == (5, 5, 4)


def test_kernels_in_color_and_in_gray(cnn: Model, gray_cnn: Model) -> None:
    color, gray = filters(cnn), filters(gray_cnn)
    assert color is not None
    assert gray is not None
    assert (color.shape, gray.shape) == ((4, 3, 3, 3), (4, 5, 5, 3))
    assert np.ptp(color.astype(int), axis=-1).max() > 20
    assert np.ptp(gray.astype(int), axis=-1).max() == 0
    assert first_layer(gray_cnn) == "conv1"


def test_kernels_have_scales_of_their_own_around_gray() -> None:
    one = np.array([[[[0.0, 0.5], [-1.0, 1.0]]]], np.float32)
    both = kernel_pictures(np.concatenate([one, one / 1000]))
    assert np.array_equal(both[0], both[1])
    assert both[0, :, :, 0].tolist() == [[128, 191], [0, 255]]
    assert kernel_pictures(np.zeros((1, 3, 2, 2), np.float32)).min() == 128


def test_a_network_without_convolutions_has_none(dnn: Model, pixels: np.ndarray) -> None:
    assert filters(dnn) is None
    with pytest.raises(SettingsError, match="has none") as caught:
        feature_maps(dnn, pixels)
    assert caught.value.code == "no_convolutions"
    assert "occlusion" in caught.value.remedy
