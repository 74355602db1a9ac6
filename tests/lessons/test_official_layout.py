"""An archive as Microsoft packs the 25,000 cats and dogs, with every kind of its broken files.

What the real one is known to hold: empty files, web pages and other formats under ``.jpg``,
JPEGs that end early, and what Windows leaves in folders.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tellapart as ta

PHOTOS = 6  # whole ones of each class


def photo(seed: int, form: str = "JPEG") -> bytes:
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (5, 6, 3), dtype=np.uint8))
    buffer = io.BytesIO()
    small.resize((96, 80), Image.Resampling.BICUBIC).save(buffer, form)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("official") / "kagglecatsanddogs_5340.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("readme[1].txt", "The photos of Asirra")
        packed.writestr("MSR-LA - 3467.docx", b"PK not really a document")
        packed.mkdir("PetImages")
        for number, label in enumerate(("Cat", "Dog")):
            folder = f"PetImages/{label}"
            packed.mkdir(folder)
            for one in range(PHOTOS):
                packed.writestr(f"{folder}/{one}.jpg", photo(100 * number + one))
            packed.writestr(f"{folder}/Thumbs.db", b"\xd0\xcf\x11\xe0")
            packed.writestr(f"{folder}/666.jpg", b"")
            whole = photo(100 * number + 70)
            packed.writestr(f"{folder}/777.jpg", whole[: len(whole) // 2])
        packed.writestr("PetImages/Dog/11702.jpg", b"<html><body>Not found</body></html>")
        packed.writestr("PetImages/Cat/4351.jpg", photo(80, "GIF"))
        packed.writestr("PetImages/Dog/1308.jpg", photo(81, "BMP"))
    return path


def test_the_scan_reads_it_as_it_is(archive: Path) -> None:
    frame = ta.scan(archive).frame
    assert frame.height == 2 * (PHOTOS + 2) + 3
    assert set(frame["label"]) == {"Cat", "Dog"}


def test_check_leaves_out_what_is_broken_and_keeps_the_rest(archive: Path) -> None:
    found = ta.check(archive)
    assert found.summary["pictures"] == 2 * (PHOTOS + 2) + 3
    assert found.summary["usable"] == 2 * PHOTOS + 2
    assert found.summary["formats"] == {"JPEG": 2 * PHOTOS, "GIF": 1, "BMP": 1}
    told = {name.rpartition("!/")[2] for finding in found.findings for name in finding.paths}
    for name in ("Cat/666.jpg", "Cat/777.jpg", "Dog/666.jpg", "Dog/777.jpg", "Dog/11702.jpg"):
        assert f"PetImages/{name}" in told
    assert not any("Thumbs.db" in name for name in told)
