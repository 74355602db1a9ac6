"""Projects run: on real digits, and going on where they were interrupted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tellapart.core.errors import RunError, SettingsError
from tellapart.datasets import registry
from tellapart.datasets.copies import Found
from tellapart.datasets.digits import write_digits
from tellapart.lessons import ladder, running
from tellapart.lessons.base import Bound, Project, Target, Training
from tellapart.lessons.running import Find
from tellapart.lessons.workshop import Workshop


def tiny(*targets: Target, **more: object) -> Project:
    return Project(
        name="tiny",
        title="Tiny",
        idea="An idea.",
        task="A task.",
        data=("digits",),
        targets=targets,
        minutes=0.1,
        **more,  # type: ignore[arg-type]
    )


def copy(path: Path, *told: str) -> Find:
    return lambda _: Found(path, registry.named("digits"), told)


PROBE = Training("probe", "A head.", {"model": "probe", "size": 32})


def test_a_project_trains_and_judges(tmp_path: Path) -> None:
    digits = write_digits(tmp_path / "digits")
    project = tiny(
        Target("good", "probe.held_out", "about 90 %", Bound(low=0.5, unit="%")),
        Target("too good", "probe.held_out", "", Bound(low=1.01, unit="%")),
        trainings=(PROBE,),
    )
    result = running.run(project, find=copy(digits, "A copy."), out=tmp_path / "out", seed=3)
    told = result.as_json()
    assert [row["reached"] for row in told["targets"]] == [True, False]
    assert told["notes"] == ["A copy."] and told["seed"] == 3 and told["data"] == "digits"
    assert json.loads((tmp_path / "out" / "project.json").read_text()) == told
    run = Path(told["runs"]["probe"])
    metrics = json.loads((run / "metrics.json").read_text())
    assert told["numbers"]["probe.held_out"] == metrics["held_out"]["accuracy"]
    assert told["targets"][0]["got"] == f"{100 * metrics['held_out']['accuracy']:.1f} %"


def test_what_was_done_before_an_interruption_is_not_done_again(tmp_path: Path) -> None:
    digits = write_digits(tmp_path / "digits")
    stops = [True]

    def work(shop: Workshop) -> None:
        shop.train(PROBE)
        if stops:
            raise KeyboardInterrupt
        shop.tell("done", 1.0)

    project = tiny(work=work)
    with pytest.raises(running.Interrupted) as caught:
        running.run(project, find=copy(digits), out=tmp_path / "out")
    assert f"project run tiny --out {tmp_path / 'out'} --from {digits}" in caught.value.command
    model = tmp_path / "out" / "probe" / "model.onnx"
    before = model.stat().st_mtime_ns
    stops.clear()
    result = running.run(project, find=copy(digits), out=tmp_path / "out")
    assert result.numbers["done"] == 1.0 and "probe.held_out" in result.numbers
    assert model.stat().st_mtime_ns == before
    with pytest.raises(RunError, match="another seed"):
        running.run(project, find=copy(digits), out=tmp_path / "out", seed=1)
    with pytest.raises(RunError, match="another place"):
        running.run(project, find=copy(tmp_path / "b"), out=tmp_path / "out")


def test_nothing_is_written_among_the_pictures(tmp_path: Path) -> None:
    digits = write_digits(tmp_path / "digits")
    before = sorted(digits.rglob("*"))
    with pytest.raises(RunError, match="inside the data"):
        running.run(tiny(), find=copy(digits), out=digits / "projects" / "tiny-1")
    assert sorted(digits.rglob("*")) == before


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    with pytest.raises(RunError):
        running.run(tiny(), find=copy(tmp_path), out=tmp_path / "mine")
    assert [entry.name for entry in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_the_house_prices_need_no_pictures(tmp_path: Path) -> None:
    def find(project: Project) -> Found:
        raise AssertionError("it needs none")

    result = running.run(ladder.named("house-prices"), find=find, out=tmp_path / "out")
    assert [row["reached"] for row in result.as_json()["targets"]] == [True]


def test_an_unknown_project_suggests_the_near_one() -> None:
    with pytest.raises(SettingsError) as caught:
        ladder.named("house-price")
    assert "house-prices" in caught.value.remedy


def test_names_are_unique_and_settings_are_understood() -> None:
    from tellapart.core.config import TrainSettings, settings

    names = [project.name for project in ladder.PROJECTS]
    assert len(names) == len(set(names)) == 11
    for project in ladder.PROJECTS:
        for training in project.trainings:
            settings(TrainSettings, training.settings)
