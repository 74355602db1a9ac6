from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps
from sklearn.datasets import load_digits

from tellapart.core.errors import DataError
from tellapart.datasets import digits
from tellapart.datasets.digits import write_digits


def digest(folder: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*.png")):
        total.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return total.hexdigest()


def test_every_digit_is_there_in_the_folder_of_its_class(digits_folder: Path) -> None:
    counts = [len(list((digits_folder / str(label)).glob("*.png"))) for label in range(10)]
    assert counts == np.bincount(load_digits().target).tolist()
    assert sorted(path.name for path in digits_folder.iterdir()) == [str(n) for n in range(10)]


def test_pictures_show_the_originals(digits_folder: Path) -> None:
    bunch = load_digits()
    for row in (0, 1, 900, 1796):
        path = digits_folder / str(bunch.target[row]) / f"digit-{row:04d}.png"
        with Image.open(path) as picture:
            assert (picture.mode, picture.size) == ("L", (48, 48))
            assert np.asarray(picture)[:8].min() == 255, "no white margin"
            inner = ImageOps.invert(picture).crop((8, 8, 40, 40))
            small = np.asarray(inner.resize((8, 8), Image.Resampling.BOX)).astype(float)
        assert np.corrcoef(small.ravel(), bunch.images[row].ravel())[0, 1] > 0.97
        assert abs(small.mean() - bunch.images[row].mean() * 255 / 16) < 5


def test_the_same_bytes_every_time(digits_folder: Path, tmp_path: Path) -> None:
    assert digest(write_digits(tmp_path / "a" / "again")) == digest(digits_folder)


def test_a_complete_folder_is_left_as_it_is(tmp_path: Path) -> None:
    folder = write_digits(tmp_path / "digits")
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert write_digits(folder) == folder
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    assert [path.name for path in tmp_path.iterdir()] == ["digits"], "a temporary folder is left"


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    folder = tmp_path / "digits"
    folder.mkdir()
    assert len(list(write_digits(folder).glob("*/*.png"))) == 1797


@pytest.mark.parametrize("kind", ["other pictures", "one missing", "a file"])
def test_what_stands_there_is_not_overwritten(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "digits"
    if kind == "a file":
        folder.write_text("mine")
    elif kind == "one missing":
        write_digits(folder)
        (folder / "3" / next((folder / "3").iterdir()).name).unlink()
    else:
        (folder / "holiday").mkdir(parents=True)
    before = sorted(path for path in tmp_path.rglob("*"))
    with pytest.raises(DataError) as caught:
        write_digits(folder)
    assert caught.value.code == "folder_in_use"
    assert str(folder) in caught.value.message and caught.value.remedy
    assert sorted(path for path in tmp_path.rglob("*")) == before


def test_the_packaged_digits_are_those_of_scikit_learn() -> None:
    bunch = load_digits()
    with np.load(Path(digits.__file__).with_suffix(".npz")) as packed:
        np.testing.assert_array_equal(packed["images"], bunch.images)
        np.testing.assert_array_equal(packed["labels"], bunch.target)
