"""``tellapart augment-preview``: its exit code, its two streams, and the file it writes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from PIL import Image
from typer.testing import CliRunner

from tellapart.cli.app import build

MakePicture = Callable[..., Path]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(build(), ["augment-preview", *map(str, arguments)])


def refused(*arguments: object) -> dict[str, str]:
    done = run(*arguments, "--json")
    assert done.exit_code == 1, done.output
    error: dict[str, str] = json.loads(done.stdout)["error"]
    return error


@pytest.fixture
def pets(tmp_path: Path, make_picture: MakePicture) -> Path:
    for label in ("cats", "dogs"):
        for index in range(3):
            make_picture(tmp_path / "pets" / label / f"{index}.png", seed=index)
    return tmp_path / "pets"


def test_writes_a_sheet_and_says_the_policy_in_words(pets: Path, in_tmp: Path) -> None:
    done = run(pets)
    assert done.exit_code == 0, done.stderr
    assert "Reading" in done.stderr
    for words in (
        "cats 3 · dogs 3",
        "mirrored left to right",
        "pets-augmented.png",
        "tellapart train",
    ):
        assert words in done.stdout
    with Image.open(in_tmp / "pets-augmented.png") as sheet:
        assert sheet.mode == "RGB" and sheet.width > sheet.height > 600
    assert run(pets, "--quiet").exit_code == 0  # an earlier sheet is replaced
    assert sorted(path.name for path in pets.rglob("*.png")) == sorted(
        2 * ["0.png", "1.png", "2.png"]
    )


def test_json_has_the_contract(pets: Path, in_tmp: Path) -> None:
    spec = "shift=0.1,rotation=15"
    done = run(pets, "--augment", spec, "--n", 2, "--out", "sheet.png", "--json")
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["schema"] == 1
    assert document["augment"] == spec
    assert document["policy"]["rotation"] == 15
    assert "15°" in document["sentence"]
    assert [picture["label"] for picture in document["pictures"]] == ["cats", "dogs"]
    assert (in_tmp / document["png"]).is_file()


def test_the_same_command_draws_the_same_file(pets: Path, in_tmp: Path) -> None:
    for name in ("a.png", "b.png"):
        assert run(pets, "--augment", "strong", "--out", name).exit_code == 0
    assert (in_tmp / "a.png").read_bytes() == (in_tmp / "b.png").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--augment", "flp"), "did you mean 'flip'?"),
        (("--model", "probe"), "--model is 'probe'"),
        (("--n", "0"), "--n is 0"),
        (("--size", "2"), "--size is 2"),
        (("--out", "sheet.jpg"), "is no .png file"),
    ],
)
def test_wrong_settings_are_told(
    arguments: tuple[str, str], said: str, pets: Path, in_tmp: Path
) -> None:
    error = refused(pets, *arguments)
    assert said in error["message"]
    assert not list(in_tmp.iterdir())


def test_nothing_of_the_user_is_overwritten(
    pets: Path, in_tmp: Path, make_picture: MakePicture
) -> None:
    picture = pets / "cats" / "0.png"
    before = picture.read_bytes()
    assert "inside the data folder" in refused(pets, "--out", picture)["message"]
    # A manifest's pictures lie anywhere: whatever is no earlier sheet is left alone.
    mine = make_picture(in_tmp / "mine.png", np.zeros((20, 20, 3), np.uint8))
    (in_tmp / "list.csv").write_text("path,label\nmine.png,a\n")
    for out in ("mine.png", mine, picture):
        error = refused("list.csv", "--out", out)
        assert "exists, and is not an earlier sheet" in error["message"]
    assert picture.read_bytes() == before
    (in_tmp / "link.png").symlink_to(picture)
    assert refused("list.csv", "--out", "link.png")["code"] == "out"
    assert picture.read_bytes() == before


def test_one_picture_is_enough(tmp_path: Path, in_tmp: Path, make_picture: MakePicture) -> None:
    make_picture(tmp_path / "one" / "a" / "0.png")
    done = run(tmp_path / "one", "--augment", "strong")
    assert done.exit_code == 0, done.stderr
    assert "1 of 1 picture (a 1)" in done.stdout


def test_it_runs_as_a_process(pets: Path, in_tmp: Path) -> None:
    command = [sys.executable, "-m", "tellapart", "augment-preview", str(pets), "--json", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert json.loads(done.stdout)["png"] == "pets-augmented.png"
    assert done.stderr == ""


def test_no_data_is_told(tmp_path: Path, in_tmp: Path) -> None:
    assert refused(tmp_path / "nowhere")["code"]
