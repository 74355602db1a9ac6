from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

Files = Mapping[str, bytes]

PETS = {"cats/1.jpg": b"cat one", "cats/2.jpg": b"cat two", "dogs/1.jpg": b"dog one"}


@pytest.fixture
def pets() -> Files:
    return dict(PETS)


@pytest.fixture
def folder(tmp_path: Path) -> Callable[[Files], Path]:
    """Writes files and gives the folder they lie in."""

    def write(files: Files) -> Path:
        root = tmp_path / "data"
        root.mkdir(exist_ok=True)
        for name, content in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)
        return root

    return write


@pytest.fixture
def make_zip(tmp_path: Path) -> Callable[[Files], Path]:
    def write(files: Files, name: str = "pets.zip") -> Path:
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, content in files.items():
                archive.writestr(member, content)
        return tmp_path / name

    return write


@pytest.fixture
def make_tar(tmp_path: Path) -> Callable[..., Path]:
    def write(files: Files, name: str = "pets.tar") -> Path:
        mode = "w:gz" if name.endswith("gz") else "w"
        with tarfile.open(tmp_path / name, mode) as archive:
            for member, content in files.items():
                info = tarfile.TarInfo(member)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
        return tmp_path / name

    return write
