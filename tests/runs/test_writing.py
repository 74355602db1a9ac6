"""The folder of a new run is whole or gone, whenever its making is interrupted."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from tellapart.runs import create


def test_an_interrupt_before_the_lock_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock, calls = fcntl.flock, []

    def interrupted(*args: int) -> None:
        calls.append(args)
        if len(calls) == 1:
            raise KeyboardInterrupt
        flock(*args)

    monkeypatch.setattr(fcntl, "flock", interrupted)
    with pytest.raises(KeyboardInterrupt), create(tmp_path / "pets-1"):
        pytest.fail("the folder was not locked")
    assert list(tmp_path.iterdir()) == []
    assert calls


def test_an_interrupt_leaves_the_folder_that_another_is_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock, calls = fcntl.flock, []

    def interrupted(*args: int) -> None:
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        flock(*args)

    monkeypatch.setattr(fcntl, "flock", interrupted)
    with create(tmp_path / "pets-1") as first:
        (first / "model.onnx").write_bytes(b"half")
        with pytest.raises(KeyboardInterrupt), create(tmp_path / "pets-1"):
            pytest.fail("the folder is another's")
        assert (first / "model.onnx").read_bytes() == b"half"
    assert [path.name for path in tmp_path.iterdir()] == ["pets-1"]
