from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from tellapart.networks.array_files import load_arrays, save_arrays


def test_arrays_come_back_and_give_the_same_bytes_again(tmp_path: Path) -> None:
    arrays = {
        "a/kernel": np.arange(6, dtype=np.float32).reshape(2, 3),
        "step": np.array(7),
        "empty": np.zeros((0, 4), np.uint8),
    }
    save_arrays(tmp_path / "x.npz", arrays)
    save_arrays(tmp_path / "y.npz", arrays)
    assert (tmp_path / "x.npz").read_bytes() == (tmp_path / "y.npz").read_bytes()
    read = load_arrays(tmp_path / "x.npz")
    assert read.keys() == arrays.keys()
    for name, array in arrays.items():
        assert read[name].dtype == array.dtype
        np.testing.assert_array_equal(read[name], array)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.npz", "y.npz"]


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive, archive.open("a.npy", "w") as member:
        np.lib.format.write_array(member, np.array([{}], object), allow_pickle=True)
    with pytest.raises(ValueError, match="Object arrays"):
        load_arrays(tmp_path / "x.npz")
