"""Fill the templates of the pages: one page per lesson, and ``index.md`` with all of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lesson_pages import results
from lesson_pages.commentary import COMMENTARY, COURSES, SOURCES
from lesson_pages.glossary import GLOSSARY, anchor, used
from tellapart.datasets.registry import named
from tellapart.lessons import notebooks
from tellapart.lessons.lesson import Lesson, Target, Training
from tellapart.lessons.registry import LESSONS

Result = Mapping[str, Any]
"""The content of a run's ``project.json``."""

_LIBRARIES = (
    "tellapart",
    "python",
    "keras",
    "tensorflow-cpu",
    "tensorflow",
    "jax",
    "torch",
    "onnxruntime",
)
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def write(folder: Path) -> None:
    """Write all pages from the results stored in the folder."""
    stored = results.read(folder)
    for lesson in LESSONS:
        text = page(lesson, stored.get(lesson.name))
        (folder / f"{lesson.name}.md").write_text(text, encoding="utf-8")
    (folder / "index.md").write_text(index(stored), encoding="utf-8")


def page(lesson: Lesson, result: Result | None) -> str:
    """A lesson's page, in Markdown.

    Args:
        lesson: The lesson.
        result: Its stored result, or None if it was not run.
    """
    commentary = COMMENTARY.get(lesson.name, "")
    return _TEMPLATES.get_template("lesson.md.jinja").render(
        lesson=lesson,
        result=result,
        figures=[_figure(target, result) for target in lesson.targets],
        source=SOURCES.get(lesson.name, COURSES),
        commentary=commentary,
        libraries=_LIBRARIES,
        timed=any(name.endswith(".seconds") for name in (result or {}).get("numbers", ())),
        images=results.IMAGES,
        shown=_credit(result),
        python=notebooks.code(lesson).rstrip(),
        commands=[_command(training) for training in lesson.trainings],
        words=used(" ".join((lesson.idea, lesson.task, commentary))),
        anchor=anchor,
    )


def index(stored: Mapping[str, Result]) -> str:
    """The first page: every lesson with its idea, all figures, and the glossary."""
    figures = [
        (lesson, _figure(target, stored.get(lesson.name)))
        for lesson in LESSONS
        for target in lesson.targets
    ]
    rows = [
        (name, row)
        for name, result in stored.items()
        for row in result["targets"]
        if row["to_reach"] != "shown"
    ]
    return _TEMPLATES.get_template("index.md.jinja").render(
        lessons=LESSONS,
        figures=figures,
        run=len(stored),
        rows=rows,
        reached=sum(row["reached"] for _, row in rows),
        glossary=GLOSSARY,
        anchor=anchor,
    )


def _figure(target: Target, result: Result | None) -> dict[str, str]:
    """A target's row of a table: the first four cells, and whether it was reached."""
    rows = [] if result is None else result["targets"]
    row = next((row for row in rows if row["what"] == target.what), None)
    bound, mark = target.to_reach.text(), ""
    if row is not None and row["got"] is not None and bound != "shown":
        mark = " reached" if row["reached"] else " **missed**"
    got = "not run yet" if row is None else row["got"] or "not measured"
    cells = (target.what, target.published or "–", bound, got)
    return {"cells": " | ".join(cells), "mark": mark}


def _credit(result: Result | None) -> str:
    """Whose pictures the page shows; empty if it shows none."""
    if result is None or not any(one["of_data"] for one in result["pictures"]):
        return ""
    data = named(result["dataset"])
    return f"{data.title}: {data.origin}, {data.licence}"


def _command(training: Training) -> str:
    options = [
        f"--{name.replace('_', '-')} "
        + (",".join(map(str, value)) if isinstance(value, tuple) else str(value))
        for name, value in training.settings.items()
        if value is not None and (name, value) != ("model", "probe")
    ]
    return " ".join(["tellapart train DATA", *options])
