from __future__ import annotations

import os
from pathlib import Path

import pytest

from tellapart.core.errors import SourceError
from tellapart.data.catalog import open_catalog


def refused(path: Path | str) -> SourceError:
    with pytest.raises(SourceError) as caught:
        open_catalog(path)
    return caught.value


@pytest.mark.parametrize("name", ["nowhere", "a\0b", "x" * 300, "file.txt/inner"])
def test_what_does_not_exist(tmp_path: Path, name: str) -> None:
    (tmp_path / "file.txt").write_bytes(b"")
    error = refused(f"{tmp_path}/{name}")
    assert error.code in ("missing", "source")


@pytest.mark.parametrize(
    ("name", "content", "code", "says"),
    [
        ("notes.txt", b"hello", "unknown_data", "not a folder, archive or manifest"),
        ("cat.jpg", b"\xff\xd8\xff", "unknown_data", "one file"),
        ("empty", b"", "unknown_data", "not a folder"),
        ("pets.zip", b"", "unknown_data", "is not one"),
        ("pets.zip", b"<html>not found</html>", "unknown_data", "is not one"),
        ("pets.rar", b"Rar!\x1a\x07\x01", "unknown_archive", "RAR"),
        ("pets.7z", b"7z\xbc\xaf\x27\x1c", "unknown_archive", "7-Zip"),
        ("pets.tar.xz", b"\xfd7zXZ\x00", "unknown_archive", "xz"),
        ("pets.zip", b"PK\x05\x06" + bytes(18), "empty_folder", "nothing"),
        ("pets.tar", b"\x07" * 1024, "damaged_archive", "damaged"),
    ],
)
def test_files_that_are_no_data(
    tmp_path: Path, name: str, content: bytes, code: str, says: str
) -> None:
    (tmp_path / name).write_bytes(content)
    error = refused(tmp_path / name)
    assert error.code == code
    assert says in error.message
    assert name in error.message
    assert error.remedy


def test_a_pipe_is_refused_and_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.zip")
    assert refused(tmp_path / "pipe.zip").code == "unknown_data"


def test_a_link_to_the_data_is_the_data(tmp_path: Path) -> None:
    (tmp_path / "far/cats").mkdir(parents=True)
    (tmp_path / "far/cats/1.jpg").write_bytes(b"x")
    (tmp_path / "near").symlink_to("far")
    assert len(open_catalog(tmp_path / "near")) == 1
