"""The page's resize, run by Node, beside the one that training uses: every pixel."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

import tellapart
from tellapart.images import decoder, resizing

MODULE = Path(tellapart.__file__).parent / "exports" / "web" / "page" / "js" / "resize.js"
NODE = shutil.which("node")

pytestmark = pytest.mark.skipif(NODE is None, reason="Node runs the page's modules here")


class Case(NamedTuple):
    pixels: NDArray[np.uint8]
    size: int
    fit: resizing.Fit
    most: int = 4_000_000


def in_node(folder: Path, cases: Sequence[Case]) -> list[NDArray[np.uint8]]:
    """The squares that the page's module makes."""
    rows = []
    for number, case in enumerate(cases):
        height, width = case.pixels.shape[:2]
        (folder / f"{number}.rgb").write_bytes(case.pixels.tobytes())
        rows.append(
            {
                "name": str(number),
                "width": width,
                "height": height,
                "size": case.size,
                "fit": case.fit,
                "most": case.most,
            }
        )
    (folder / "cases.json").write_text(json.dumps(rows), encoding="utf-8")
    script = Path(__file__).with_name("resize_in_node.mjs")
    subprocess.run([str(NODE), str(script), str(MODULE), str(folder)], check=True, timeout=300)
    return [
        np.frombuffer((folder / f"{number}.square").read_bytes(), np.uint8).reshape(
            case.size, case.size, 3
        )
        for number, case in enumerate(cases)
    ]


def largest_difference(tmp_path: Path, cases: Sequence[Case]) -> list[int]:
    return [
        int(
            np.abs(
                square.astype(int) - resizing.resize(case.pixels, case.size, case.fit).astype(int)
            ).max()
        )
        for case, square in zip(cases, in_node(tmp_path, cases), strict=True)
    ]


def most_allowed() -> int:
    """None at all, except where Pillow stands in for the resizer that the page follows."""
    return 0 if resizing.RESIZER == "fir" else 32


SIZES = [
    (224, 224),
    (300, 400),
    (500, 333),
    (100, 90),
    (28, 28),
    (641, 977),
    (7, 5),
    (1, 1),
    (1, 300),
    (2, 700),
    (900, 3),
    (225, 223),
]


@pytest.mark.parametrize("fit", resizing.FITS)
@pytest.mark.parametrize("size", [1, 28, 150, 224])
def test_noise_of_many_shapes_gives_the_pixels_of_python(
    tmp_path: Path, fit: resizing.Fit, size: int
) -> None:
    random = np.random.default_rng(size)
    cases = [
        Case(random.integers(0, 256, (height, width, 3), dtype=np.uint8), size, fit)
        for height, width in SIZES
    ]
    differences = largest_difference(tmp_path, cases)
    assert max(differences) <= most_allowed(), dict(zip(SIZES, differences, strict=True))


def test_shapes_drawn_at_random_give_the_pixels_of_python(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    cases = []
    for _ in range(60):
        height, width, size = (int(side) for side in random.integers(1, 420, 3))
        fit = resizing.FITS[int(random.integers(3))]
        # Extremes side by side overshoot most, and so test the limits at 0 and 255.
        pixels = random.choice(np.array([0, 255, 128], np.uint8), (height, width, 3))
        cases.append(Case(pixels, size, fit))
    assert max(largest_difference(tmp_path, cases)) <= most_allowed()


def test_strips_change_no_pixel(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (123, 457, 3), dtype=np.uint8)
    cases = [
        Case(pixels, 64, fit, most) for fit in resizing.FITS for most in (1, 123, 1_000, 10**6)
    ]
    assert max(largest_difference(tmp_path, cases)) <= most_allowed()


def test_photographs_give_the_pixels_of_python(tmp_path: Path, small_photos: Path) -> None:
    files = sorted(small_photos.rglob("*.jpg"))[:12]
    decoded = [decoder.decode(file.read_bytes()).pixels for file in files]
    cases = [Case(pixels, 224, resizing.FITS[i % 3]) for i, pixels in enumerate(decoded)]
    assert len(cases) == 12
    assert max(largest_difference(tmp_path, cases)) <= most_allowed()
