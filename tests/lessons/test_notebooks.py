"""Projects as notebooks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tellapart.core.errors import RunError
from tellapart.lessons import notebooks
from tellapart.lessons.lesson import Lesson
from tellapart.lessons.registry import LESSONS


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_every_lesson_is_a_notebook_whose_code_is_python(lesson: Lesson, tmp_path: Path) -> None:
    path = notebooks.write(lesson, tmp_path / "lesson.ipynb", data="pictures")
    read = json.loads(path.read_text(encoding="utf-8"))
    assert (read["nbformat"], read["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in read["cells"]}) == len(read["cells"])
    code = [cell["source"] for cell in read["cells"] if cell["cell_type"] == "code"]
    assert code
    for source in code:
        compile(source, lesson.name, "exec")
    compile(lesson.keras, lesson.name, "exec")
    words = "".join(cell["source"] for cell in read["cells"] if cell["cell_type"] == "markdown")
    assert lesson.idea in words and all(target.what in words for target in lesson.targets)


def test_the_code_of_the_house_prices_runs() -> None:
    lesson = next(one for one in LESSONS if one.name == "house-prices")
    known: dict[str, object] = {}
    exec(compile(notebooks.code(lesson), "house-prices", "exec"), known)
    assert abs(known["line"].at(7.0) - 4) < 0.02  # type: ignore[attr-defined]


def test_no_notebook_is_overwritten_and_the_ending_is_checked(tmp_path: Path) -> None:
    (tmp_path / "mine.ipynb").write_text("mine")
    for name in ("mine.ipynb", "mine.txt", "nowhere/mine.ipynb"):
        with pytest.raises(RunError):
            notebooks.write(LESSONS[0], tmp_path / name)
    assert (tmp_path / "mine.ipynb").read_text() == "mine"
