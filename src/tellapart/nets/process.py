"""A training in a child process of its own.

The parent never imports Keras: whatever an engine keeps (memory, seeds, policies, threads) ends
with the child. The child is :mod:`tellapart.nets.worker`; this module starts it, shows what it
says, and raises what it reports.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tellapart import errors
from tellapart.errors import RunError, TellapartError
from tellapart.nets import checkpoints, events, fitted, worker
from tellapart.nets.events import EpochRow
from tellapart.nets.job import Job
from tellapart.nets.stopping import percent, seconds
from tellapart.progress import SILENT, Progress, Stage

LOG = "worker.log"
"""The child's standard error."""

_TAIL = 2000  # bytes of it that are quoted
_QUOTED = 300  # characters
_COLUMNS = "epoch   loss   accuracy  val. loss  val. acc.  pictures/s  time left"


def fit(
    job: Job, folder: Path, *, progress: Progress = SILENT, resume: bool = False
) -> fitted.Fitted:
    """Train a network in a child process.

    Args:
        job: What to train on what.
        folder: For job, checkpoints and results; made where it is missing.
        progress: Sees a stage ``Training`` with one line an epoch.
        resume: Go on from the folder's checkpoint, if there is one; a training that has ended is
            read and not done again.

    Returns:
        The trained network, also in the folder's files.

    Raises:
        TellapartError: Of the kind the child reports; see :func:`tellapart.nets.fitting.fit`.
        RunError: With code ``training_killed`` if the child was killed, ``training_failed`` if it
            failed in an unforeseen way.
        KeyboardInterrupt: After the child was interrupted and has saved; ``resume`` goes on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if resume and fitted.is_done(folder):
        return fitted.load(folder, fingerprint=job.fingerprint())
    if not resume:
        for name in (checkpoints.NAME, fitted.OUTCOME):
            (folder / name).unlink(missing_ok=True)
    job.save(folder)
    # -P: the folder the user stands in may hold a keras.py or a random/ of its own.
    command = [sys.executable, "-P", "-m", worker.__name__, str(folder.absolute())]
    with (folder / LOG).open("wb") as log:
        child = subprocess.Popen(
            command + [worker.RESUME] * resume,
            stdin=subprocess.PIPE,  # never written to: its end tells the child that we died
            stdout=subprocess.PIPE,
            stderr=log,
            encoding="utf-8",
            errors="replace",
            # Ctrl-C in a terminal reaches a whole group of processes; the child is told once.
            start_new_session=True,
        )
        with child:
            try:
                problem = _follow(child, progress)
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
        raise _died(status, folder)
    return fitted.load(folder)


def _follow(child: subprocess.Popen[str], progress: Progress) -> TellapartError | None:
    """Show what the child says until it ends; the error it reports, or None."""
    problem: TellapartError | None = None
    with ExitStack() as stack:
        table: _Table | None = None
        early: list[str] = []
        for event in _events(child):
            match event["event"]:
                case "begin":
                    total = int(event["pictures"]) * int(event["epochs"])
                    table = _Table(stack.enter_context(progress.stage("Training", total=total)))
                    table.begin(event, early)
                case "advance" if table is not None:
                    table.stage.advance(int(event["pictures"]))
                case "note" if table is None:
                    early.append(str(event["sentence"]))
                case "note" if table is not None:
                    table.stage.note(str(event["sentence"]))
                case "epoch" if table is not None:
                    table.add(events.row_of(event))
                case "error":
                    problem = _error(event)
        if table is not None:
            table.end()
    return problem


def _events(child: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    assert child.stdout is not None
    for line in child.stdout:
        event = events.read(line)
        if event is not None:
            yield event


class _Table:
    """The lines that a training leaves in a terminal."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._pictures = self._epochs = 0
        self._times: list[float] = []
        self._last: EpochRow | None = None

    def begin(self, event: dict[str, Any], notes: list[str]) -> None:
        self._pictures, self._epochs = int(event["pictures"]), int(event["epochs"])
        self.stage.advance(self._pictures * int(event["done"]))
        for sentence in notes:
            self.stage.note(sentence)
        self.stage.note(_COLUMNS)

    def add(self, row: EpochRow) -> None:
        self._last = row
        self._times.append(row.seconds)
        recent = self._times[-3:]
        left = max(0, self._epochs - row.epoch) * sum(recent) / len(recent)
        self.stage.note(line(row, pictures=self._pictures, left=left))

    def end(self) -> None:
        if self._last is not None:
            summary = f"{self._last.epoch} epochs, training accuracy {percent(self._last.accuracy)}"
            if self._last.validation_accuracy is not None:
                summary += f", validation {percent(self._last.validation_accuracy)}"
            self.stage.summarize(summary)


def line(row: EpochRow, *, pictures: int, left: float) -> str:
    """One epoch as a line of the table.

    Args:
        row: The epoch.
        pictures: Training pictures.
        left: Seconds that the rest will take.
    """
    loss = "–" if row.validation_loss is None else f"{row.validation_loss:.4f}"
    accuracy = "–" if row.validation_accuracy is None else percent(row.validation_accuracy)
    speed = pictures / max(row.seconds, 1e-9)
    return (
        f"{row.epoch:>5}  {row.loss:>7.4f}  {percent(row.accuracy):>7}  {loss:>9}  "
        f"{accuracy:>9}  {speed:>10,.0f}  {seconds(left):>9}"
    )


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


def _died(status: int, folder: Path) -> RunError:
    log = folder / LOG
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
