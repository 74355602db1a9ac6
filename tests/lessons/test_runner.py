"""Projects run: on real digits, and going on where they were interrupted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tellapart.core.errors import RunError, SettingsError, TellapartError
from tellapart.datasets.registry import named
from tellapart.datasets.verification import Found
from tellapart.lessons import registry, runner
from tellapart.lessons.context import Context
from tellapart.lessons.lesson import Bound, Lesson, Target, Training
from tellapart.lessons.runner import Find


def tiny(*targets: Target, **more: object) -> Lesson:
    return Lesson(
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
    return lambda _: Found(path, named("digits"), told)


PROBE = Training("probe", "A head.", {"model": "probe", "size": 32})


def test_a_lesson_trains_and_judges(digits: Found, tmp_path: Path) -> None:
    lesson = tiny(
        Target("good", "probe.held_out", "about 90 %", Bound(low=0.5, unit="%")),
        Target("too good", "probe.held_out", "", Bound(low=1.01, unit="%")),
        trainings=(PROBE,),
    )
    result = runner.run(lesson, find=copy(digits.path, "A copy."), out=tmp_path / "out", seed=3)
    told = result.as_json()
    assert [row["reached"] for row in told["targets"]] == [True, False]
    assert told["notes"] == ["A copy."] and told["seed"] == 3 and told["data"] == "digits"
    assert json.loads((tmp_path / "out" / "project.json").read_text()) == told
    run = Path(told["runs"]["probe"])
    metrics = json.loads((run / "metrics.json").read_text())
    assert told["numbers"]["probe.held_out"] == metrics["held_out"]["accuracy"]
    assert told["targets"][0]["got"] == f"{100 * metrics['held_out']['accuracy']:.1f} %"


def test_what_was_done_before_an_interruption_is_kept(digits: Found, tmp_path: Path) -> None:
    stops = [True]

    def work(context: Context) -> None:
        context.train(PROBE)
        if stops:
            raise KeyboardInterrupt
        context.record("done", 1.0)

    lesson = tiny(work=work)
    with pytest.raises(runner.Interrupted) as caught:
        runner.run(lesson, find=copy(digits.path), out=tmp_path / "out")
    assert f"project run tiny --out {tmp_path / 'out'} --from {digits.path}" in caught.value.command
    model = tmp_path / "out" / "probe" / "model.onnx"
    before = model.stat().st_mtime_ns
    stops.clear()
    result = runner.run(lesson, find=copy(digits.path), out=tmp_path / "out")
    assert result.numbers["done"] == 1.0 and "probe.held_out" in result.numbers
    assert model.stat().st_mtime_ns == before
    with pytest.raises(RunError, match="another seed"):
        runner.run(lesson, find=copy(digits.path), out=tmp_path / "out", seed=1)
    with pytest.raises(RunError, match="another place"):
        runner.run(lesson, find=copy(tmp_path / "b"), out=tmp_path / "out")


def test_nothing_is_written_among_the_pictures(digits: Found, tmp_path: Path) -> None:
    before = sorted(digits.path.rglob("*"))
    with pytest.raises(RunError, match="inside the data"):
        runner.run(tiny(), find=copy(digits.path), out=digits.path / "projects" / "tiny-1")
    assert sorted(digits.path.rglob("*")) == before


def test_a_lesson_that_cannot_start_leaves_no_folder(digits: Found, tmp_path: Path) -> None:
    wrong = Training("wrong", "Unknown.", {"model": "telescope"})
    with pytest.raises(TellapartError):
        runner.run(tiny(trainings=(wrong,)), find=copy(digits.path), out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    with pytest.raises(RunError):
        runner.run(tiny(), find=copy(tmp_path), out=tmp_path / "mine")
    assert [entry.name for entry in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_the_house_prices_need_no_pictures(tmp_path: Path) -> None:
    def find(lesson: Lesson) -> Found:
        raise AssertionError("it needs none")

    result = runner.run(registry.named("house-prices"), find=find, out=tmp_path / "out")
    assert [row["reached"] for row in result.as_json()["targets"]] == [True]


def test_an_unknown_lesson_suggests_the_near_one() -> None:
    with pytest.raises(SettingsError) as caught:
        registry.named("house-price")
    assert "house-prices" in caught.value.remedy


def test_names_are_unique_and_settings_are_understood() -> None:
    from tellapart.core.config import TrainSettings, settings

    names = [lesson.name for lesson in registry.LESSONS]
    assert len(names) == len(set(names)) == 11
    for lesson in registry.LESSONS:
        for training in lesson.trainings:
            settings(TrainSettings, training.settings)
