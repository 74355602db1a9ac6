"""Run a lesson: find its data, train, draw, and compare its figures with the published ones."""

from __future__ import annotations

import datetime
import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tellapart import runs
from tellapart.core.errors import RunError
from tellapart.core.progress import SILENT, Progress
from tellapart.core.version import versions
from tellapart.datasets.copies import Found
from tellapart.lessons import illustrations
from tellapart.lessons.context import Context
from tellapart.lessons.lesson import Lesson, Result

FILE = "project.json"

_MARK = ".project.json"
"""In a lesson's folder: the settings it was started with."""

_WORDS = {
    "place": "place of its pictures",
    "cores": "number of cores",
    "versions": "set of versions",
}

Find = Callable[[Lesson], Found]
"""Finds a lesson's data."""


class Interrupted(KeyboardInterrupt):
    """A lesson was interrupted; finished trainings are kept.

    Args:
        name: The lesson.
        folder: Its folder.
        seed: Its seed.
        data: What it was trained on.
    """

    def __init__(self, name: str, folder: Path, seed: int, data: Path | None) -> None:
        super().__init__(name)
        self.name, self.folder, self.seed, self.data = name, folder, seed, data

    @property
    def command(self) -> str:
        """The command that continues it."""
        more = f" --seed {self.seed}" if self.seed else ""
        more += "" if self.data is None else f" --from {shlex.quote(str(self.data))}"
        where = shlex.quote(str(self.folder))
        return f"tellapart project run {self.name} --out {where}{more}"


def run(
    lesson: Lesson,
    *,
    find: Find,
    out: str | Path | None = None,
    seed: int = 0,
    progress: Progress = SILENT,
) -> Result:
    """Run a lesson.

    Args:
        lesson: The lesson.
        find: Returns the data of a lesson that needs some.
        out: Folder for the runs and ``project.json``; ``projects/NAME-1`` (the first free number)
            by default. Finished trainings in it are kept, so an interrupted lesson continues when
            it is run there again.
        seed: Seed of every random choice.
        progress: Receives the progress.

    Returns:
        The result, which is also in ``project.json``.

    Raises:
        DataError: If the data is not found.
        RunError: If ``out`` is inside the data, or belongs to another lesson, seed, data or
            version.
        Interrupted: If it was interrupted; it names the command that continues.
    """
    found = find(lesson) if lesson.data else None
    data = None if found is None else found.path
    folder = _folder(lesson, out)
    _check_outside(folder, data)
    about = _claim(folder, lesson, seed, data)
    context = Context(folder, data, seed, progress)
    for note in () if found is None else found.told:
        context.note(note)
    try:
        _work(lesson, context)
    except KeyboardInterrupt:
        raise Interrupted(lesson.name, folder, seed, data) from None
    drawn = list(context.drawn)
    if found is not None:
        shown = {one.name: context.runs[one.name] for one in lesson.trainings}
        drawn += illustrations.draw(folder / illustrations.FOLDER, found, shown, progress=progress)
    result = Result(
        lesson=lesson,
        folder=folder,
        numbers=context.numbers,
        notes=tuple(context.notes),
        runs={name: os.fspath(one.path) for name, one in context.runs.items()},
        pictures=tuple(drawn),
        about={
            **about,
            "data": None if data is None else data.name,
            "dataset": None if found is None else found.dataset.name,
            "shareable": found is not None and found.dataset.shareable,
        },
    )
    runs.write_json(folder / FILE, result.as_json())
    return result


def _work(lesson: Lesson, context: Context) -> None:
    if lesson.work is not None:
        lesson.work(context)
    for training in lesson.trainings:
        context.train(training)


def _folder(lesson: Lesson, out: str | Path | None) -> Path:
    if out is not None:
        return Path(out)
    parent = Path("projects")
    return parent / runs.next_name(parent, lesson.name)


def _check_outside(folder: Path, data: Path | None) -> None:
    if data is not None and data.is_dir() and folder.resolve().is_relative_to(data.resolve()):
        raise RunError(
            f"The folder '{folder}' would be inside the data folder.",
            remedy="Choose an --out outside it: nothing is written among your pictures.",
            code="inside_data",
        )


def _claim(folder: Path, lesson: Lesson, seed: int, data: Path | None) -> dict[str, Any]:
    """Create the folder, or check that it belongs to a run with the same settings.

    Returns:
        Date and settings of the run's start.

    Raises:
        RunError: If the folder is in use for something else.
    """
    mark = folder / _MARK
    now = _about(seed, lesson, data)
    if mark.is_file():
        begun = runs.read_json(mark)
        other = [name for name in now if name != "date" and begun.get(name) != now[name]]
        if other:
            raise RunError(
                f"'{folder}' was started with another {_WORDS.get(other[0], other[0])}.",
                remedy="Choose another --out.",
                code="other_project",
            )
        return _public(begun)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RunError(
            f"'{folder}' exists and is not a folder of this lesson.",
            remedy="Choose another --out.",
            code="folder_in_use",
        )
    folder.mkdir(parents=True, exist_ok=True)
    runs.write_json(mark, now)
    return _public(now)


def _about(seed: int, lesson: Lesson, data: Path | None) -> dict[str, Any]:
    return {
        "project": lesson.name,
        "place": None if data is None else os.fspath(data.absolute()),
        "seed": seed,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "versions": versions(),
    }


def _public(about: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in about.items() if name not in ("project", "place")}
