"""``tellapart manifest``: the table gives the same labels and parts as the folder."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from command_line import answered, refused, tellapart

FOLDERS = [f"pets/{part}/{c}" for part in ("training_set", "test_set") for c in ("cats", "dogs")]
NAMES = [f"{folder}/{i}.jpg" for folder in FOLDERS for i in range(3)]


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    for name in NAMES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path / "pets"


def test_the_table_reads_as_the_folder_does(pets: Path, tmp_path: Path) -> None:
    done = tellapart("manifest", "pets", "--out", "labels.csv", cwd=tmp_path)
    assert done.code == 0
    assert "training_set → train" in done.stdout
    command = next(line for line in done.stdout.splitlines() if line.startswith("Next"))
    _, _, _, table, *options = shlex.split(command)
    given = answered("check", table, *options, cwd=tmp_path)["summary"]
    first = answered("check", "pets", cwd=tmp_path)["summary"]
    for name in ("pictures", "classes", "parts"):
        assert given[name] == first[name]


def test_nothing_is_overwritten_or_written_among_the_pictures(pets: Path, tmp_path: Path) -> None:
    for out in (pets / "labels.csv", pets / "training_set/cats/0.jpg"):
        assert refused("manifest", pets, "--out", out)["code"] == "out"
    table = tmp_path / "x.csv"
    assert answered("manifest", pets, "--out", table) == {
        "schema": 1,
        "manifest": str(table),
        "pictures": 12,
    }
    assert refused("manifest", pets, "--out", table)["code"] == "out"
