from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from killing import kill_while_read

from tellapart.core.errors import ModelError, RunError
from tellapart.exports import child


def test_what_fails_in_the_child_is_told_in_a_line(tmp_path: Path) -> None:
    job = {"file": str(tmp_path / "nothing"), "classes": ["a"], "size": 8}
    with pytest.raises(ModelError, match="'run-litert'") as caught:
        child.call("run-litert", job, tmp_path)
    assert caught.value.code == "export_failed"
    assert "nothing" in caught.value.message
    assert "\n" not in caught.value.message


def test_a_full_disk_is_called_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the engine called it, or could not say since its log had no room either."""
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(total=1, used=1, free=0))
    with pytest.raises(RunError, match="the disk is full") as caught:
        child.call("dance", {}, tmp_path)
    assert caught.value.code == "disk_full"


def test_an_unknown_task(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="KeyError"):
        child.call("dance", {}, tmp_path)


def test_the_child_ends_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom pathlib import Path\nfrom tellapart.exports import child\n"
        "child.call('write-int8', {'pixels': sys.argv[1]}, Path(sys.argv[2]))\n"
    )
    kill_while_read(tmp_path / "pixels.npy", script, tmp_path / "pixels.npy", tmp_path)
