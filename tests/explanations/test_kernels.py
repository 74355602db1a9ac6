"""The lesson on convolution does what it says."""

from __future__ import annotations

import numpy as np
import pytest

from tellapart.explanations.kernels import KERNELS, Kernel, convolve

BY_NAME = {kernel.name: kernel for kernel in KERNELS}


@pytest.fixture
def drawing() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (9, 12, 3), dtype=np.uint8)


def test_the_lesson_has_the_classic_kernels() -> None:
    assert {"identity", "blur", "sharpen", "edges", "emboss"} <= set(BY_NAME)
    assert all(kernel.sentence.endswith(".") for kernel in KERNELS)


def test_identity_changes_nothing(drawing: np.ndarray) -> None:
    assert np.array_equal(convolve(drawing, BY_NAME["identity"]), drawing)


def test_blur_is_the_mean_of_nine(drawing: np.ndarray) -> None:
    made = convolve(drawing, BY_NAME["blur"])
    assert np.array_equal(made[4, 5], np.rint(drawing[3:6, 4:7].mean(axis=(0, 1))))
    assert made.std() < drawing.std()


@pytest.mark.parametrize("name", [kernel.name for kernel in KERNELS])
def test_on_one_even_color_all_keep_it_or_find_nothing(name: str) -> None:
    flat = np.full((5, 6, 3), (10, 120, 250), np.uint8)
    kernel = BY_NAME[name]
    weight = np.sum(kernel.numbers) / kernel.divisor
    assert np.array_equal(convolve(flat, kernel), flat * np.uint8(weight))
    assert weight in (0, 1)


def test_the_kernel_is_not_turned_around() -> None:
    step = np.zeros((5, 6, 3), np.uint8)
    step[:, 3:] = 50  # dark to bright, from left to right
    assert convolve(step, BY_NAME["upright edges"])[2, 3, 0] == 200
    assert convolve(step[:, ::-1], BY_NAME["upright edges"]).max() == 0
    assert convolve(step, BY_NAME["level edges"]).max() == 0
    assert convolve(step.transpose(1, 0, 2), BY_NAME["level edges"])[3, 2, 0] == 200


def test_sums_stay_within_eight_bits(drawing: np.ndarray) -> None:
    strong = Kernel("strong", ((9, 9, 9), (9, 9, 9), (9, 9, 9)), "Far too much.")
    assert convolve(drawing, strong).min() == 255
    assert convolve(drawing, strong).dtype == np.uint8
