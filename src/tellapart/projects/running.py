"""Run a project: its data found, its trainings done, its figures set beside the published ones."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from tellapart import runs
from tellapart.errors import RunError
from tellapart.progress import SILENT, Progress
from tellapart.projects.base import Project, Result
from tellapart.projects.workshop import Workshop

FILE = "project.json"
_VERSIONS = ("tellapart", "keras", "tensorflow-cpu", "tensorflow", "jax", "numpy", "onnxruntime")

Find = Callable[[Project], tuple[Path, list[str]]]
"""Finds a project's data: the path to train on, and sentences worth telling."""


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
        RunError: If ``out`` belongs to another project or seed.
    """
    data, notes = find(project) if project.data else (None, [])
    folder = _folder(project, out)
    _claim(folder, project, seed)
    shop = Workshop(folder, data, seed, progress)
    for note in notes:
        shop.note(note)
    if project.work is not None:
        project.work(shop)
    else:
        for training in project.trainings:
            shop.train(training)
    result = Result(
        project=project,
        numbers=shop.numbers,
        notes=tuple(shop.notes),
        runs={name: os.fspath(one.path) for name, one in shop.runs.items()},
        about=_about(seed, data),
    )
    runs.write_json(folder / FILE, result.as_json())
    return result


def _folder(project: Project, out: str | Path | None) -> Path:
    if out is not None:
        return Path(out)
    parent = Path("projects")
    return parent / runs.next_name(parent, project.name)


def _claim(folder: Path, project: Project, seed: int) -> None:
    """Make the folder this project's own, or see that it is already.

    Raises:
        RunError: If it is somebody else's.
    """
    mark = folder / ".project.json"
    wanted = {"name": project.name, "seed": seed}
    if mark.is_file():
        if runs.read_json(mark) != wanted:
            raise RunError(
                f"'{folder}' belongs to another project or another seed.",
                remedy="Choose another --out.",
                code="folder_in_use",
            )
        return
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RunError(
            f"'{folder}' exists and is no folder of this project.",
            remedy="Choose another --out.",
            code="folder_in_use",
        )
    folder.mkdir(parents=True, exist_ok=True)
    runs.write_json(mark, wanted)


def _about(seed: int, data: Path | None) -> dict[str, object]:
    return {
        "seed": seed,
        "data": None if data is None else data.name,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {name: version for name in _VERSIONS if (version := _version(name))},
    }


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
