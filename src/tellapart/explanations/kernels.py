"""What a convolution is, shown on one picture without any network.

A convolution slides a small square of numbers, the *kernel*, over the picture. At each place it
multiplies the nine pixels under the kernel with the nine numbers and adds them up: that sum
is the new pixel. Which numbers stand in the kernel decides what comes out: a softer picture, a
sharper one, only its edges. A convolutional network learns such numbers from pictures.

As in networks, the kernel is laid on as it is written, not turned around, and what falls
below zero becomes zero, which a network calls ReLU.

Example:
    >>> edges = KERNELS[3]
    >>> edges.name, edges.numbers[1]
    ('edges', (-1, 8, -1))
    >>> flat = np.full((4, 4, 3), 90, np.uint8)
    >>> int(convolve(flat, edges).max())
    0
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tellapart.images.resizing import RGB


@dataclass(frozen=True, slots=True)
class Kernel:
    """Nine numbers and what they do.

    Args:
        name: What it is called.
        numbers: Three rows of three.
        divisor: What the sum is divided by, so that brightness stays.
        sentence: What it does, in plain words.
    """

    name: str
    numbers: tuple[tuple[int, int, int], tuple[int, int, int], tuple[int, int, int]]
    sentence: str
    divisor: int = 1


KERNELS: tuple[Kernel, ...] = (
    Kernel("identity", ((0, 0, 0), (0, 1, 0), (0, 0, 0)), "Takes the pixel itself."),
    Kernel("blur", ((1, 1, 1), (1, 1, 1), (1, 1, 1)), "The mean of the nine: softer.", 9),
    Kernel(
        "sharpen",
        ((0, -1, 0), (-1, 5, -1), (0, -1, 0)),
        "The pixel, plus how it differs from its neighbors.",
    ),
    Kernel(
        "edges",
        ((-1, -1, -1), (-1, 8, -1), (-1, -1, -1)),
        "Only the difference: even areas turn black.",
    ),
    Kernel(
        "upright edges",
        ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1)),
        "Right less left: dark to bright, from left to right.",
    ),
    Kernel(
        "level edges",
        ((-1, -2, -1), (0, 0, 0), (1, 2, 1)),
        "Below less above: dark to bright, from top to bottom.",
    ),
    Kernel(
        "emboss",
        ((-2, -1, 0), (-1, 1, 1), (0, 1, 2)),
        "As if lit from one corner.",
    ),
)
"""The lesson, simplest first. The upright and level edges are Sobel's."""


def convolve(pixels: RGB, kernel: Kernel) -> RGB:
    """Slide a kernel over a picture, each color by itself.

    Args:
        pixels: uint8 ``[H, W, 3]``.
        kernel: The nine numbers.

    Returns:
        uint8 ``[H, W, 3]``: the sums, rounded; what is below 0 or above 255 becomes 0 or 255.
        Beyond the border the outermost pixels are repeated.
    """
    height, width = pixels.shape[:2]
    around = np.pad(pixels.astype(np.int32), ((1, 1), (1, 1), (0, 0)), mode="edge")
    total = np.zeros(pixels.shape, np.int32)
    for row in range(3):
        for column in range(3):
            # All places at once: the whole picture, moved so that this neighbor lies on top.
            neighbor = around[row : row + height, column : column + width]
            total += kernel.numbers[row][column] * neighbor
    return np.clip(np.rint(total / kernel.divisor), 0, 255).astype(np.uint8)
