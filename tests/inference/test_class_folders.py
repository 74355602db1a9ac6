"""Names of copies, and copies that are whole or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tellapart.inference.class_folders import _folders, _safe_name, _write_new


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("cats", "cats"),
        ("../../etc", ".._.._etc"),
        ("..", "_.."),
        ("a/b:c\\d\n", "a_b_c_d_"),
        ("", "_"),
    ],
)
def test_a_class_name_stays_one_folder(name: str, folder: str) -> None:
    assert _safe_name(name) == folder


def test_long_names_fit_into_what_file_systems_take(tmp_path: Path) -> None:
    for name in ("貓" * 150 + ".jpg", "x" * 300 + ".jpeg", "a." + "b" * 300):
        made = _write_new(tmp_path, _safe_name(name), b"1")
        again = _write_new(tmp_path, _safe_name(name), b"2")
        assert made != again
        assert again.read_bytes() == b"2"
    assert _safe_name("x" * 300 + ".jpeg").endswith(".jpeg")
    assert _safe_name("a." + "b" * 100) == "a." + "b" * 100


def test_a_copy_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        _write_new(tmp_path, "a.jpg", object())  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_two_classes_never_share_a_folder() -> None:
    folders = _folders(["a/b", "a_b", "a:b", "cats"])
    assert folders["cats"] == "cats"
    assert len(set(folders.values())) == 4
