from __future__ import annotations

import numpy as np
import pytest

from tellapart.networks.augment import PRESETS, default, draw


def test_defaults_suit_the_network_and_the_pictures() -> None:
    assert default("linear", gray=False, size=150).is_none
    assert default("dnn", gray=False, size=150).is_none
    assert default("cnn", gray=False, size=150) == PRESETS["light"]
    resnet = default("resnet", gray=False, size=128)
    assert (resnet.flip, resnet.erase, resnet.cutmix) == (True, 0.25, 0.5)
    for kind, pixels in (("dnn", 0.56), ("cnn", 2), ("resnet", 2)):
        digits = default(kind, gray=True, size=28)
        assert not digits.flip and not digits.mixes
        assert abs(digits.shift * 28 - pixels) < 0.2
    assert default("resnet", gray=True, size=8).shift * 8 <= 1


@pytest.mark.parametrize("size", [8, 16, 24, 28, 32, 48, 64])
def test_a_dense_network_sees_one_picture_in_five_moved_by_a_pixel(size: int) -> None:
    drawn = draw(default("dnn", gray=True, size=size), seed=0, epoch=0, indices=np.arange(20_000))
    steps = np.rint(drawn.shift * size)
    assert np.abs(steps).max() == 1
    assert abs((steps != 0).any(axis=1).mean() - 0.2) < 0.02
