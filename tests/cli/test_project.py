"""``tellapart project``: listing and running lessons."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tellapart.cli.app import build
from tellapart.lessons import registry


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(build(), ["project", *arguments])


@pytest.fixture(autouse=True)
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_list_names_all() -> None:
    shown = invoke("list")
    assert shown.exit_code == 0
    assert [line.split()[0] for line in shown.stdout.splitlines()[:2]] == [
        "house-prices",
        "fashion-dnn",
    ]
    listed = json.loads(invoke("list", "--json").stdout)
    assert len(listed) == 11 and listed[0]["targets"][0]["published"] == "about 4.0"


def test_a_lesson_is_run_and_judged() -> None:
    shown = invoke("run", "house-prices")
    assert shown.exit_code == 0
    assert "about 4.0" in shown.stdout and "reached" in shown.stdout
    assert shown.stdout.splitlines()[-2:] == [
        "Wrote     projects/house-prices-1/   project.json · pictures/",
        "Next      tellapart project run fashion-dnn",
    ]
    assert Path("projects/house-prices-1/project.json").is_file()
    told = json.loads(invoke("run", "house-prices", "--json").stdout)
    assert told["name"] == "house-prices"
    assert {"what", "published", "to_reach", "got", "reached"} <= set(told["targets"][0])
    assert Path("projects/house-prices-2/project.json").is_file()


def test_without_its_pictures_one_message_says_how_to_get_them() -> None:
    shown = invoke("run", "cats-dogs-25k", "--json")
    assert shown.exit_code == 1
    error = json.loads(shown.stdout)["error"]
    assert "--from" in error["remedy"]
    assert not Path("projects").exists()


def test_a_notebook_is_written_and_nothing_run() -> None:
    shown = invoke("run", "digits-cnn", "--notebook", "lesson.ipynb", "--from", "my pictures")
    assert shown.exit_code == 0
    assert "my pictures" in Path("lesson.ipynb").read_text(encoding="utf-8")
    assert not Path("projects").exists()
    assert invoke("run", "digits-cnn", "--notebook", "lesson.ipynb").exit_code == 1


def test_all_of_them_go_into_one_folder_and_one_without_pictures_ends_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few = tuple(registry.named(name) for name in ("cats-dogs-25k", "house-prices"))
    monkeypatch.setattr(registry, "LESSONS", few)
    shown = invoke("run", "--all", "--out", "lessons", "--json")
    assert shown.exit_code == 1
    missing, prices = json.loads(shown.stdout)
    assert missing["error"]["code"] == "no_copy" and prices["targets"][0]["reached"] is True
    assert [entry.name for entry in Path("lessons").iterdir()] == ["house-prices"]
    drawn = Path("lessons/house-prices/pictures") / prices["pictures"][0]["file"]
    assert drawn.read_text(encoding="utf-8").startswith("<svg")


@pytest.mark.parametrize(
    "arguments",
    [(), ("house-prices", "--all"), ("--all", "--notebook", "x.ipynb"), ("--all", "--from", "x")],
)
def test_wrong_usage(arguments: tuple[str, ...]) -> None:
    assert invoke("run", *arguments).exit_code == 2


def test_an_unknown_name() -> None:
    shown = invoke("run", "house-price", "--json")
    assert shown.exit_code == 1
    assert json.loads(shown.stdout)["error"]["code"] == "unknown_project"
