"""Classic 3 x 3 convolutions of one picture, without a network.

A convolution slides a small square of numbers, the *kernel*, over the picture. At each place it
multiplies the nine pixels under the kernel with the nine numbers and adds them up: the sum is the
new pixel. The numbers decide the result: a softer picture, a sharper one, only its edges. A
convolutional network learns such numbers from pictures.

As in networks, the kernel is not flipped, and sums below zero become zero (a ReLU).

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
    """A 3 x 3 kernel.

    Args:
        name: Its name.
        numbers: Three rows of three.
        sentence: Its effect, in plain words.
        divisor: The sum is divided by it, which keeps the brightness.
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
"""From simple to complex. The upright and level edges are Sobel's."""


def convolve(pixels: RGB, kernel: Kernel) -> RGB:
    """Convolve each color of a picture with a kernel.

    Args:
        pixels: uint8 ``[H, W, 3]``.
        kernel: The kernel.

    Returns:
        uint8 ``[H, W, 3]``: the sums, rounded and clipped to 0 to 255. At the border the outermost
        pixels are repeated.
    """
    height, width = pixels.shape[:2]
    padded = np.pad(pixels.astype(np.int32), ((1, 1), (1, 1), (0, 0)), mode="edge")
    total = np.zeros(pixels.shape, np.int32)
    for row in range(3):
        for column in range(3):
            neighbor = padded[row : row + height, column : column + width]
            total += kernel.numbers[row][column] * neighbor
    return np.clip(np.rint(total / kernel.divisor), 0, 255).astype(np.uint8)
