"""Run a project: its data found, its trainings done, its figures set beside the published ones."""

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
from tellapart.lessons import pictures
from tellapart.lessons.base import Project, Result
from tellapart.lessons.workshop import Workshop

FILE = "project.json"

_MARK = ".project.json"
"""In a project's folder: what it was begun with."""

_WORDS = {
    "place": "place of its pictures",
    "cores": "number of cores",
    "versions": "set of versions",
}

Find = Callable[[Project], Found]
"""Finds a project's data."""


class Interrupted(KeyboardInterrupt):
    """A project was interrupted; the trainings that had ended are kept.

    Args:
        name: The project.
        folder: Its folder.
        seed: Its seed.
        data: What it was trained on.
    """

    def __init__(self, name: str, folder: Path, seed: int, data: Path | None) -> None:
        super().__init__(name)
        self.name, self.folder, self.seed, self.data = name, folder, seed, data

    @property
    def command(self) -> str:
        """The command line that goes on."""
        more = f" --seed {self.seed}" if self.seed else ""
        more += "" if self.data is None else f" --from {shlex.quote(str(self.data))}"
        where = shlex.quote(str(self.folder))
        return f"tellapart project run {self.name} --out {where}{more}"


def run(
    project: Project,
    *,
    find: Find,
    out: str | Path | None = None,
    seed: int = 0,
    progress: Progress = SILENT,
) -> Result:
    """Run a project.

    Args:
        project: Which.
        find: Asked for the data of a project that needs some.
        out: Its folder: run folders and ``project.json``. ``projects/NAME-1`` (the first free
            number) unless given. Trainings that lie there whole are taken as they are, so an
            interrupted project goes on when it is run there again.
        seed: Draws every random choice.
        progress: Who is told how far it is.

    Returns:
        What it gave; the same is in ``project.json``.

    Raises:
        DataError: If the data is nowhere.
        RunError: If ``out`` lies among the data, or belongs to another project, seed, data or
            version.
        Interrupted: If it was interrupted; it names the command that goes on.
    """
    found = find(project) if project.data else None
    data = None if found is None else found.path
    folder = _folder(project, out)
    _check_outside(folder, data)
    about = _claim(folder, project, seed, data)
    shop = Workshop(folder, data, seed, progress)
    for note in () if found is None else found.told:
        shop.note(note)
    try:
        _work(project, shop)
    except KeyboardInterrupt:
        raise Interrupted(project.name, folder, seed, data) from None
    drawn = list(shop.drawn)
    if found is not None:
        shown = {one.name: shop.runs[one.name] for one in project.trainings}
        drawn += pictures.draw(folder / pictures.FOLDER, found, shown, progress=progress)
    result = Result(
        project=project,
        numbers=shop.numbers,
        notes=tuple(shop.notes),
        runs={name: os.fspath(one.path) for name, one in shop.runs.items()},
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


def _work(project: Project, shop: Workshop) -> None:
    if project.work is not None:
        project.work(shop)
    for training in project.trainings:
        shop.train(training)


def _folder(project: Project, out: str | Path | None) -> Path:
    if out is not None:
        return Path(out)
    parent = Path("projects")
    return parent / runs.next_name(parent, project.name)


def _check_outside(folder: Path, data: Path | None) -> None:
    if data is not None and data.is_dir() and folder.resolve().is_relative_to(data.resolve()):
        raise RunError(
            f"The folder '{folder}' would lie inside the data folder.",
            remedy="Choose an --out outside it: nothing is written among your pictures.",
            code="inside_data",
        )


def _claim(folder: Path, project: Project, seed: int, data: Path | None) -> dict[str, Any]:
    """Make the folder this project's own, or see that it is already.

    Returns:
        When, with what and on what the project was begun.

    Raises:
        RunError: If it is somebody else's, or what lies there was made of other things.
    """
    mark = folder / _MARK
    now = _about(seed, project, data)
    if mark.is_file():
        begun = runs.read_json(mark)
        other = [name for name in now if name != "date" and begun.get(name) != now[name]]
        if other:
            raise RunError(
                f"What lies in '{folder}' was begun with another {_WORDS.get(other[0], other[0])}.",
                remedy="Choose another --out.",
                code="other_project",
            )
        return _public(begun)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RunError(
            f"'{folder}' exists and is no folder of this project.",
            remedy="Choose another --out.",
            code="folder_in_use",
        )
    folder.mkdir(parents=True, exist_ok=True)
    runs.write_json(mark, now)
    return _public(now)


def _about(seed: int, project: Project, data: Path | None) -> dict[str, Any]:
    return {
        "project": project.name,
        "place": None if data is None else os.fspath(data.absolute()),
        "seed": seed,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "versions": versions(),
    }


def _public(about: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in about.items() if name not in ("project", "place")}
