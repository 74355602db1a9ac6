"""The lessons' pages in docs/projects are what the stored results say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lesson_pages import pages, results
from lesson_pages.__main__ import main
from lesson_pages.commentary import COMMENTARY, SOURCES
from lesson_pages.glossary import used
from tellapart.datasets.verification import Found
from tellapart.lessons import runner
from tellapart.lessons.lesson import Lesson
from tellapart.lessons.registry import LESSONS, named

DOCS = Path(__file__).parents[2] / "docs" / "projects"


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_a_page_shows_what_its_stored_result_says(lesson: Lesson) -> None:
    stored = results.read(DOCS).get(lesson.name)
    shown = (DOCS / f"{lesson.name}.md").read_text(encoding="utf-8")
    assert shown == pages.page(lesson, stored), "write it again: make pages"
    for row in [] if stored is None else stored["targets"]:
        assert row["got"] is None or row["got"] in shown


def test_the_index_shows_every_project() -> None:
    shown = (DOCS / "index.md").read_text(encoding="utf-8")
    assert shown == pages.index(results.read(DOCS)), "write it again: make pages"
    assert all(
        f"**[{lesson.title}]({lesson.name}.md)** {lesson.idea}" in shown for lesson in LESSONS
    )


def test_stored_results_belong_to_lessons_as_they_are_and_name_no_place() -> None:
    for name, stored in results.read(DOCS).items():
        lesson = named(name)
        assert [row["what"] for row in stored["targets"]] == [t.what for t in lesson.targets]
        judged = [target.judged(stored["numbers"]) for target in lesson.targets]
        assert stored["targets"] == judged
        assert "/" not in json.dumps(stored["runs"]) + str(stored["data"])


def _needs_none(lesson: Lesson) -> Found:
    raise AssertionError(f"{lesson.name} needs no pictures")


def test_a_run_becomes_a_page(tmp_path: Path) -> None:
    runner.run(named("house-prices"), find=_needs_none, out=tmp_path / "out")
    main([str(tmp_path), str(tmp_path / "out"), str(tmp_path / "not run")])
    shown = (tmp_path / "house-prices.md").read_text(encoding="utf-8")
    assert "| about 4.0 | 3.98 to 4.02 | 4.00" in shown and "reached" in shown
    assert "not run yet" in (tmp_path / "fashion-dnn.md").read_text(encoding="utf-8")


def test_words_of_the_glossary_are_found_in_a_text() -> None:
    assert used("Two epochs of gradient descent; convolutional.") == [
        "convolution",
        "epoch",
        "gradient descent",
    ]


def test_commentary_belongs_to_lessons() -> None:
    assert {*COMMENTARY, *SOURCES} <= {lesson.name for lesson in LESSONS}


def test_a_page_shows_pictures_of_the_data_only_if_the_licence_allows_it(tmp_path: Path) -> None:
    (tmp_path / "out" / "pictures").mkdir(parents=True)
    drawn = [
        {"file": "cnn-learning.svg", "says": "Learning.", "of_data": False},
        {"file": "cnn-mistakes.webp", "says": "Mistakes.", "of_data": True},
    ]
    for one in drawn:
        (tmp_path / "out" / "pictures" / str(one["file"])).write_text("drawn")
    result = {"name": "a", "pictures": drawn, "shareable": True}
    kept = results.copy_pictures(tmp_path / "out", tmp_path / "all", result)
    assert [one["file"] for one in kept] == ["a-cnn-learning.svg", "a-cnn-mistakes.webp"]
    few = results.copy_pictures(tmp_path / "out", tmp_path / "few", {**result, "shareable": False})
    assert [one["file"] for one in few] == ["a-cnn-learning.svg"]
    assert [one.name for one in (tmp_path / "few").iterdir()] == ["a-cnn-learning.svg"]
