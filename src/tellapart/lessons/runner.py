"""Run a lesson: find its data, train, draw, and compare its figures with the published ones."""

from __future__ import annotations

import datetime
import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tellapart import runs
from tellapart.core.errors import RunError, TellapartError
from tellapart.core.progress import SILENT, Progress
from tellapart.core.version import versions
from tellapart.datasets.verification import Found
from tellapart.lessons import illustrations
from tellapart.lessons.context import Context
from tellapart.lessons.lesson import Lesson, Result

FILE = "project.json"

_MARK = ".project.json"
"""In a lesson's folder: the settings it was started with."""

_WORDS = {
    "project": "lesson",
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
        progress: Where progress is reported.

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
    parent = Path("projects")
    folder = parent / runs.next_name(parent, lesson.name) if out is None else Path(out)
    _check_outside(folder, data)
    settings = {
        "project": lesson.name,
        "place": None if data is None else os.fspath(data.absolute()),
        "seed": seed,
        "cores": os.cpu_count(),
        "versions": versions(),
    }
    date = _claim(folder, settings)
    context = Context(folder, data, seed, progress)
    for note in () if found is None else found.notes:
        context.note(note)
    try:
        if lesson.work is not None:
            lesson.work(context)
        for training in lesson.trainings:
            context.train(training)
    except KeyboardInterrupt:
        raise Interrupted(lesson.name, folder, seed, data) from None
    except TellapartError:
        _release(folder)
        raise
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
            "seed": seed,
            "date": date,
            "cores": settings["cores"],
            "versions": settings["versions"],
            "data": None if data is None else data.name,
            "dataset": None if found is None else found.dataset.name,
            "shareable": found is not None and found.dataset.shareable,
        },
    )
    runs.write_json(folder / FILE, result.as_json())
    return result


def _check_outside(folder: Path, data: Path | None) -> None:
    if data is not None and data.is_dir() and folder.resolve().is_relative_to(data.resolve()):
        raise RunError(
            f"The folder '{folder}' would be inside the data folder.",
            remedy="Choose an --out outside it: nothing is written among your pictures.",
            code="inside_data",
        )


def _claim(folder: Path, settings: dict[str, Any]) -> str:
    """Create the folder, or check that it was started with the same settings.

    Returns:
        The date of the start.

    Raises:
        RunError: If the folder is in use for something else.
    """
    mark = folder / _MARK
    if mark.is_file():
        begun = runs.read_json(mark)
        other = next((name for name in settings if begun.get(name) != settings[name]), None)
        if other is not None:
            raise RunError(
                f"'{folder}' was started with another {_WORDS.get(other, other)}.",
                remedy="Choose another --out.",
                code="other_project",
            )
        return str(begun["date"])
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RunError(
            f"'{folder}' exists and is not a folder of this lesson.",
            remedy="Choose another --out.",
            code="folder_in_use",
        )
    folder.mkdir(parents=True, exist_ok=True)
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    runs.write_json(mark, {**settings, "date": date})
    return date


def _release(folder: Path) -> None:
    """Remove a folder that holds nothing but the mark."""
    if [entry.name for entry in folder.iterdir()] == [_MARK]:
        (folder / _MARK).unlink()
        folder.rmdir()
