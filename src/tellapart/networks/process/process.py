"""A training in a child process of its own.

The parent never imports Keras: whatever an engine keeps (memory, seeds, policies, threads) ends
with the child. The child is :mod:`.worker`; this module starts it and raises what
it reports; :mod:`tellapart.networks.process.showing` shows what it says.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tellapart.core import errors
from tellapart.core.errors import RunError, TellapartError
from tellapart.core.progress import SILENT, Progress
from tellapart.networks.loop import checkpoints
from tellapart.networks.process import events, fitted, worker
from tellapart.networks.process.job import Job
from tellapart.networks.process.showing import Epochs, Shown, Turns

LOG = "worker.log"
"""The child's standard error."""

_TAIL = 2000  # bytes of it that are quoted
_QUOTED = 300  # characters


def fit(
    job: Job,
    folder: Path,
    *,
    progress: Progress = SILENT,
    resume: bool = False,
    child: Child | None = None,
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
    _run([folder], resume, Epochs(progress), child)
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
        _run(folders, resume, Turns(progress, title, len(todo), unit))
    return [fitted.load(folder, fingerprint=job.fingerprint()) for folder, job in jobs]


def _prepare(job: Job, folder: Path, resume: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if not resume:
        for name in (checkpoints.NAME, fitted.OUTCOME):
            (folder / name).unlink(missing_ok=True)
    job.save(folder)


class Child:
    """A child process that starts Keras while the parent does something else.

    A context manager: what was not handed to :func:`fit` until the end is killed.

    Args:
        log: A file for its standard error.

    Example:
        >>> with Child(folder / LOG) as child:  # doctest: +SKIP
        ...     job = prepare()
        ...     fit(job, folder, child=child)
    """

    def __init__(self, log: Path) -> None:
        self.log = log
        self.process = _started([worker.LATER], log)

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Kill it, unless it has ended."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.__exit__(None, None, None)

    def hand_over(self, arguments: Sequence[str]) -> None:
        """Let it begin. One that dies at this moment is noticed by what it does not say."""
        assert self.process.stdin is not None
        told = {"arguments": list(arguments), "since": time.monotonic()}
        line = json.dumps(told).encode() + b"\n"
        with contextlib.suppress(BrokenPipeError):
            # Past the stream's buffer, which would try again when the stream is closed.
            os.write(self.process.stdin.fileno(), line)


def _started(arguments: Sequence[str], log: Path) -> subprocess.Popen[str]:
    # -P: the folder the user stands in may hold a keras.py or a random/ of its own.
    with log.open("wb") as errors:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", worker.__name__, *arguments],
            stdin=subprocess.PIPE,  # its end tells the child that we died
            stdout=subprocess.PIPE,
            stderr=errors,
            encoding="utf-8",
            errors="replace",
            # Ctrl-C in a terminal reaches a whole group of processes; the child is told once.
            start_new_session=True,
        )


def _run(folders: Sequence[Path], resume: bool, shown: Shown, waiting: Child | None = None) -> None:
    """Run the child on the jobs of some folders; its standard error goes into the first."""
    arguments = [worker.RESUME] * resume + [str(folder.absolute()) for folder in folders]
    # One that died while it waited, perhaps for want of memory, has taken nothing with it.
    if waiting is None or waiting.process.poll() is not None:
        log = folders[0] / LOG
        child = _started(arguments, log)
    else:
        log, child = waiting.log, waiting.process
        waiting.hand_over(arguments)
    with child:
        try:
            problem = _follow(child, shown)
            status = child.wait()
        except KeyboardInterrupt:
            _interrupt(child)
            raise
        except BaseException:
            child.kill()
            raise
    if problem is not None:
        raise problem
    if status == worker.INTERRUPTED:
        raise KeyboardInterrupt
    if status != worker.DONE:
        raise _died(status, log)


def _follow(child: subprocess.Popen[str], shown: Shown) -> TellapartError | None:
    """Show what the child says until it ends; the error it reports, or None."""
    problem: TellapartError | None = None
    with shown:
        for event in _events(child):
            if event["event"] == "error":
                problem = _error(event)
            else:
                shown.hear(event)
    return problem


def _events(child: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    assert child.stdout is not None
    for line in child.stdout:
        event = events.read(line)
        if event is not None:
            yield event


def _error(event: dict[str, Any]) -> TellapartError:
    kind = getattr(errors, str(event.get("kind")), RunError)
    if not (isinstance(kind, type) and issubclass(kind, TellapartError)):
        kind = RunError
    return kind(
        str(event.get("message", "")),
        remedy=str(event.get("remedy", "")),
        code=str(event.get("code", kind.code)),
    )


def _interrupt(child: subprocess.Popen[str]) -> None:
    """Ask the child to save and end, and wait; who asks again does not want to wait."""
    try:
        with contextlib.suppress(ProcessLookupError):
            child.send_signal(signal.SIGINT)
        while child.poll() is None:
            if child.stdout is not None:
                child.stdout.read()  # until it ends: a full pipe would hold it up
            time.sleep(0.02)
    except BaseException:
        child.kill()
        raise


def _died(status: int, log: Path) -> RunError:
    if status < 0:
        name = signal.Signals(-status).name
        likely = " Perhaps the machine ran out of memory." if -status == signal.SIGKILL else ""
        return RunError(
            f"The training was ended by {name}.{likely}",
            remedy="What it saved is kept: go on with --resume, perhaps with a smaller --batch.",
            code="training_killed",
        )
    tail = log.read_bytes()[-_TAIL:].decode(errors="replace").strip() if log.exists() else ""
    last = tail.splitlines()[-1][:_QUOTED] if tail else "it said nothing"
    return RunError(
        f"The training failed: {last}",
        remedy=f"More stands in '{log}'.",
        code="training_failed",
    )
