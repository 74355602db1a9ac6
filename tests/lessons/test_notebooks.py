"""Projects as notebooks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tellapart.core.errors import RunError
from tellapart.lessons import notebooks
from tellapart.lessons.base import Project
from tellapart.lessons.ladder import PROJECTS


@pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.name)
def test_every_project_is_a_notebook_whose_code_is_python(project: Project, tmp_path: Path) -> None:
    path = notebooks.write(project, tmp_path / "lesson.ipynb", data="pictures")
    read = json.loads(path.read_text(encoding="utf-8"))
    assert (read["nbformat"], read["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in read["cells"]}) == len(read["cells"])
    code = [cell["source"] for cell in read["cells"] if cell["cell_type"] == "code"]
    assert code
    for source in code:
        compile(source, project.name, "exec")
    compile(project.keras, project.name, "exec")
    words = "".join(cell["source"] for cell in read["cells"] if cell["cell_type"] == "markdown")
    assert project.idea in words and all(target.what in words for target in project.targets)


def test_the_code_of_the_house_prices_runs() -> None:
    project = next(one for one in PROJECTS if one.name == "house-prices")
    known: dict[str, object] = {}
    exec(compile(notebooks.code(project), "house-prices", "exec"), known)
    assert abs(known["line"].at(7.0) - 4) < 0.02  # type: ignore[attr-defined]


def test_no_notebook_is_overwritten_and_the_ending_is_checked(tmp_path: Path) -> None:
    (tmp_path / "mine.ipynb").write_text("mine")
    for name in ("mine.ipynb", "mine.txt", "nowhere/mine.ipynb"):
        with pytest.raises(RunError):
            notebooks.write(PROJECTS[0], tmp_path / name)
    assert (tmp_path / "mine.ipynb").read_text() == "mine"
