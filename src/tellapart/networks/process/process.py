"""A training in a child process of its own.

The parent never imports Keras: whatever an engine keeps (memory, seeds, policies, threads) ends
with the child. The child is :mod:`.worker`; :mod:`.showing` shows its events.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from tellapart.core.errors import RunError
from tellapart.core.process import Child, ChildError
from tellapart.core.progress import SILENT, Progress
from tellapart.networks.loop import checkpoints
from tellapart.networks.process import fitted, worker
from tellapart.networks.process.job import Job
from tellapart.networks.process.showing import Hear, count_of_trainings, table_of_epochs

LOG = "worker.log"
"""The child's standard error."""


def fit(
    job: Job,
    folder: Path,
    *,
    progress: Progress = SILENT,
    resume: bool = False,
    child: KerasProcess | None = None,
) -> fitted.Fitted:
    """Train a network in a child process.

    Args:
        job: What to train on what.
        folder: For job, checkpoints and results; made where it is missing.
        progress: Sees the stages ``Starting`` and ``Training``, with one line an epoch.
        resume: Go on from the folder's checkpoint, if there is one; a training that has ended is
            read and not done again.
        child: One that has been starting meanwhile, and is used up by this; or None.

    Returns:
        The trained network, also in the folder's files.

    Raises:
        TellapartError: Of the kind the child reports; see :func:`.trainer.fit`.
        RunError: With code ``training_killed`` if the child was killed, ``training_failed`` if it
            failed in an unforeseen way.
        KeyboardInterrupt: After the child was interrupted and has saved; ``resume`` goes on.
    """
    if resume and fitted.is_done(folder):
        if child is not None:
            child.end()
        return fitted.load(folder, fingerprint=job.fingerprint())
    _prepare(job, folder, resume)
    _run([folder], resume, table_of_epochs(progress), child)
    return fitted.load(folder)


def fit_all(
    jobs: Sequence[tuple[Path, Job]],
    *,
    title: str,
    unit: str,
    progress: Progress = SILENT,
    resume: bool = False,
) -> list[fitted.Fitted]:
    """Train several networks, one after the other, in one child process.

    Args:
        jobs: Folder and job of each; the folders are made where they are missing.
        title: Name of the stage that ``progress`` sees.
        unit: What the trainings are called there.
        progress: Sees the trainings counted.
        resume: As in :func:`fit`, for each.

    Returns:
        The trained networks, in order.

    Raises:
        TellapartError: As :func:`fit`.
        KeyboardInterrupt: As :func:`fit`.
    """
    todo = [(folder, job) for folder, job in jobs if not (resume and fitted.is_done(folder))]
    for folder, job in todo:
        _prepare(job, folder, resume)
    if todo:
        folders = [folder for folder, _ in todo]
        _run(folders, resume, count_of_trainings(progress, title, len(todo), unit))
    return [fitted.load(folder, fingerprint=job.fingerprint()) for folder, job in jobs]


def _prepare(job: Job, folder: Path, resume: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if not resume:
        for name in (checkpoints.NAME, fitted.OUTCOME):
            (folder / name).unlink(missing_ok=True)
    job.save(folder)


class KerasProcess(Child):
    """A child process that starts Keras while the parent does something else.

    Args:
        log: A file for its standard error.

    Example:
        >>> with KerasProcess(folder / LOG) as child:  # doctest: +SKIP
        ...     job = prepare()
        ...     fit(job, folder, child=child)
    """

    def __init__(self, log: Path) -> None:
        super().__init__(worker.__name__, log=log)


def _run(
    folders: Sequence[Path],
    resume: bool,
    shown: AbstractContextManager[Hear],
    waiting: KerasProcess | None = None,
) -> None:
    """Train the jobs of some folders in a child, whose log is in the first unless it waits."""
    # One that died while it waited, perhaps for want of memory, has taken nothing with it.
    alive = waiting is not None and waiting.status is None
    with waiting if waiting is not None and alive else KerasProcess(folders[0] / LOG) as child:
        child.send(
            {
                "folders": [str(folder.absolute()) for folder in folders],
                "resume": resume,
                "since": time.monotonic(),
            }
        )
        try:
            with shown as hear:
                for event in child.events():
                    hear(event)
        except KeyboardInterrupt:
            child.interrupt()
            raise
        except ChildError as error:
            if error.killed:
                raise RunError(
                    f"The training stopped: {error.cause}.",
                    remedy="What it saved is kept: go on with --resume, perhaps with a smaller "
                    "--batch.",
                    code="training_killed",
                ) from None
            raise RunError(
                f"The training failed: {error.cause}.",
                remedy=f"'{child.log}' has more.",
                code="training_failed",
            ) from None
