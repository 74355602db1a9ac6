"""Two small runs to export: a probe and a network, on the embedded digits."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

import tellapart as ta

sys.path.append(str(Path(__file__).parent))  # for what test modules share: `killing`


@pytest.fixture(scope="session")
def few_digits(digits_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four of the ten digits, 60 pictures each: 48 of them are held out."""
    folder = tmp_path_factory.mktemp("export") / "digits"
    for label in ("0", "1", "4", "7"):
        (folder / label).mkdir(parents=True)
        for picture in sorted((digits_folder / label).iterdir())[:60]:
            shutil.copyfile(picture, folder / label / picture.name)
    return folder


@pytest.fixture(scope="session")
def probe(few_digits: Path, tmp_path_factory: pytest.TempPathFactory) -> ta.Run:
    """A head on EfficientNet-Lite0 at 32 pixels."""
    return ta.train(few_digits, size=32, out=tmp_path_factory.mktemp("probe") / "probe")


@pytest.fixture(scope="session")
def network(few_digits: Path, tmp_path_factory: pytest.TempPathFactory) -> ta.Run:
    """A gray residual network: luma, normalization, a sum, a mean."""
    return ta.train(
        few_digits,
        model="resnet",
        size=16,
        filters=(8, 16),
        epochs=20,
        batch=16,
        out=tmp_path_factory.mktemp("network") / "network",
    )
