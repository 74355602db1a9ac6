"""The 1,797 handwritten digits that come with the package, as a folder of pictures.

``tellapart demo`` and the tests have real pictures on every machine, without a network. The
digits are in ``digits.npz``, which ``docs/tooling/pack_digits.py`` wrote from scikit-learn's.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from importlib import resources
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageOps

from tellapart.core.errors import DataError

INK: Final = 32
"""Pixels per side of the enlarged digit (8 in the original)."""

MARGIN: Final = 8
"""Pixels of white paper on every side."""

DIGITS: Final = 1797
"""Number of pictures."""


def write_digits(folder: Path) -> Path:
    """Write the handwritten digits as PNG files, one folder per class.

    The originals have 8x8 pixels and 17 levels (0 to 16, ink high), cropped to the digit. They are
    written as they were on paper: dark ink on white with a margin, 48x48 pixels of 8-bit gray,
    enlarged with bicubic interpolation. A network trained on photographs reads them best that
    way. Measured on every third digit, features at 224, five folds, the better of two
    regularizations: 94 % right as written here, 92 % bright on black, 89 % bright on black without
    a margin, 83 % in hard-edged blocks of 4x4.

    The folder appears whole or not at all: the pictures go into a temporary folder next to it,
    which is renamed at the end. A complete folder of an earlier call is left as it is.

    Args:
        folder: Where the class folders ``0`` to ``9`` go; made with its parents where missing.

    Returns:
        ``folder``.

    Raises:
        DataError: ``folder`` exists and holds something else (code ``folder_in_use``).

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as home:
        ...     digits = write_digits(Path(home) / "digits")
        ...     len(list(digits.glob("*/*.png")))
        1797

    Source:
        E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine
        Learning Repository, 1998 (CC BY 4.0): the test part.
    """
    if _is_complete(folder):
        return folder
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise DataError(
            f"'{folder}' exists and is not the complete set of {DIGITS:,} digits.",
            remedy="Name another folder, or move this one away.",
            code="folder_in_use",
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        _write_all(partial)
        partial.chmod(0o755)
        try:
            partial.rename(folder)
        except OSError:
            # Another process was quicker: its folder is as good as this one.
            if not _is_complete(folder):
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def _write_all(folder: Path) -> None:
    file = resources.files("tellapart.datasets") / "digits.npz"
    with file.open("rb") as opened, np.load(opened) as digits:
        images = digits["images"]  # uint8 [1797, 8, 8], 0 to 16
        labels = digits["labels"]  # uint8 [1797]
    # Rounded half up: 0 → 0, 16 → 255, seventeen levels evenly spread.
    pixels = np.floor(images * (255 / 16) + 0.5).astype(np.uint8)  # uint8 [1797, 8, 8]
    for label in range(10):
        (folder / str(label)).mkdir()
    for row, (small, label) in enumerate(zip(pixels, labels.tolist(), strict=True)):
        ink = Image.fromarray(small).resize((INK, INK), Image.Resampling.BICUBIC)
        picture = ImageOps.invert(ImageOps.expand(ink, border=MARGIN, fill=0))
        picture.save(folder / str(label) / f"digit-{row:04d}.png")


def _is_complete(folder: Path) -> bool:
    """Whether all pictures are there, by name and non-empty; nothing is decoded."""
    count = 0
    for label in range(10):
        try:
            entries = list(os.scandir(folder / str(label)))
        except OSError:
            return False
        count += sum(
            entry.name.startswith("digit-")
            and entry.name.endswith(".png")
            and entry.stat().st_size > 0
            for entry in entries
        )
    return count == DIGITS
