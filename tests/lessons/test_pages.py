"""The committed pages are what the stored results say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tellapart.datasets.copies import Found
from tellapart.lessons import pages, running
from tellapart.lessons.base import Project
from tellapart.lessons.ladder import PROJECTS, named

DOCS = Path(__file__).parents[2] / "docs" / "projects"


@pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.name)
def test_a_page_shows_what_its_stored_result_says(project: Project) -> None:
    stored = pages.read_results(DOCS).get(project.name)
    shown = (DOCS / f"{project.name}.md").read_text(encoding="utf-8")
    assert shown == pages.page(project, stored), "write it again: make pages"
    for row in [] if stored is None else stored["targets"]:
        assert row["got"] is None or row["got"] in shown


def test_the_ladder_shows_every_project() -> None:
    shown = (DOCS / "index.md").read_text(encoding="utf-8")
    assert shown == pages.index(pages.read_results(DOCS)), "write it again: make pages"
    assert all(
        f"**[{project.title}]({project.name}.md)** {project.idea}" in shown for project in PROJECTS
    )


def test_stored_results_belong_to_projects_as_they_are_and_name_no_place() -> None:
    for name, stored in pages.read_results(DOCS).items():
        project = named(name)
        assert [row["what"] for row in stored["targets"]] == [t.what for t in project.targets]
        judged = [target.judged(stored["numbers"]) for target in project.targets]
        assert stored["targets"] == judged
        assert "/" not in json.dumps(stored["runs"]) + str(stored["data"])


def _needs_none(project: Project) -> Found:
    raise AssertionError(f"{project.name} needs no pictures")


def test_a_run_becomes_a_page(tmp_path: Path) -> None:
    running.run(named("house-prices"), find=_needs_none, out=tmp_path / "out")
    pages.main([str(tmp_path), "keep", str(tmp_path / "out")])
    shown = (tmp_path / "house-prices.md").read_text(encoding="utf-8")
    assert "| about 4.0 | 3.98 to 4.02 | 4.00" in shown and "reached" in shown
    assert "not run yet" in (tmp_path / "fashion-dnn.md").read_text(encoding="utf-8")
