"""The folder of a new run: whole or not at all, by one process at a time, resumable in between."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

from tellapart.core.errors import RunError

_LOCK = "lock"
RESUME = "resume.json"
"""In an unfinished run: what it was asked for, so that it can be resumed."""
TRAINING = "training"
"""In an unfinished run: the folder of pixels and checkpoints."""
CHECKPOINT = "checkpoint.npz"


class Interrupted(KeyboardInterrupt):
    """A training was interrupted, and what it learnt is kept.

    Args:
        target: The run folder that it was to become.
    """

    def __init__(self, target: Path) -> None:
        super().__init__(str(target))
        self.target = target

    @property
    def command(self) -> str:
        """The command line that goes on."""
        return f"tellapart train --resume {shlex.quote(str(self.target))}"


def next_name(parent: Path, stem: str) -> str:
    """The first free name ``stem-1``, ``stem-2``, … under a folder.

    The leftover of a process that died is free, since :func:`create` takes it over, unless
    its training can be resumed.
    """
    stem = re.sub(r"[^\w.-]+", "-", stem).strip("-.") or "run"
    taken = {entry.name for entry in parent.iterdir()} if parent.is_dir() else set()
    number = 1
    while f"{stem}-{number}" in taken or _is_in_use(parent / f".{stem}-{number}.partial"):
        number += 1
    return f"{stem}-{number}"


def partial_of(target: Path) -> Path:
    """Where a run stands until it is whole."""
    return target.parent / f".{target.name}.partial"


def is_resumable(partial: Path) -> bool:
    """Whether an unfinished run holds a checkpoint to go on from."""
    training = partial / TRAINING
    if not (partial / RESUME).is_file() or not training.is_dir():
        return False
    return any(training.glob(f"*/{CHECKPOINT}")) or any(training.glob("*/weights.npz"))


def _is_in_use(partial: Path) -> bool:
    return _is_locked(partial) or is_resumable(partial)


def _is_locked(partial: Path) -> bool:
    """Whether a living process is writing there."""
    import fcntl

    try:
        with (partial / _LOCK).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


@contextlib.contextmanager
def create(target: Path, *, resume: bool = False) -> Iterator[Path]:
    """Give the folder to fill, which becomes ``target`` when the block ends well.

    On any failure, an interrupt too, nothing is left of it, unless a training in it can be
    resumed.

    Args:
        target: The run folder.
        resume: Go on with what an unfinished run left, instead of starting anew.

    Raises:
        RunError: If the target exists, somebody else is writing it, the disk is full, or there
            is nothing to resume (or something that would be lost by not resuming).
        Interrupted: If the block was interrupted and can be resumed.
    """
    partial = partial_of(target)
    with explained(f"run '{target}'"):
        if target.exists() or target.is_symlink():
            raise RunError(
                f"'{target}' exists already.",
                remedy="It is whole: there is nothing to resume."
                if resume
                else "Choose another --out, or remove it.",
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        _check_leftover(target, partial, resume)
        try:
            with locked(partial, f"run '{partial}'", keep=resume):
                yield from _filled(partial, target)
        except KeyboardInterrupt:  # perhaps between the making and the locking of the folder
            if not _is_in_use(partial):
                shutil.rmtree(partial, ignore_errors=True)
            raise


def _filled(partial: Path, target: Path) -> Iterator[Path]:
    """Give the locked folder to fill; rename it when it is whole, remove it otherwise."""
    try:
        yield partial
        shutil.rmtree(partial / TRAINING, ignore_errors=True)
        (partial / RESUME).unlink(missing_ok=True)
        (partial / _LOCK).unlink(missing_ok=True)
        partial.rename(target)
    except BaseException as error:
        if not is_resumable(partial):
            shutil.rmtree(partial, ignore_errors=True)
        elif isinstance(error, KeyboardInterrupt):
            raise Interrupted(target) from None
        raise


def _check_leftover(target: Path, partial: Path, resume: bool) -> None:
    known = is_resumable(partial)
    if resume and not known:
        raise RunError(
            f"There is no interrupted training of '{target}' to resume.",
            remedy="Give the name that the interrupted command printed; "
            "before its first checkpoint, simply train again.",
            code="nothing_to_resume",
        )
    if known and not resume and not _is_locked(partial):
        raise RunError(
            f"An interrupted training of '{target}' can be resumed.",
            remedy=f"Run '{Interrupted(target).command}', remove '{partial}', "
            "or choose another --out.",
            code="can_be_resumed",
        )


@contextlib.contextmanager
def locked(partial: Path, what: str, *, keep: bool = False, name: str = _LOCK) -> Iterator[None]:
    """Make and lock a folder to be filled; take over the leftover of a process that died.

    Args:
        partial: The folder.
        what: What is written there, for the message.
        keep: Whether the leftover stays.
        name: Of the lock file in it.

    Raises:
        RunError: If another process has it.
    """
    import fcntl

    partial.mkdir(exist_ok=True)
    with (partial / name).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(
                f"Another process is writing the {what}.",
                remedy="Wait for it, or choose another --out.",
            ) from None
        for entry in partial.iterdir():
            if entry.name != name and not keep:
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        yield


def unwritable(what: str, error: OSError) -> RunError:
    """The error about what cannot be written, with what the system says of it."""
    full = error.errno == errno.ENOSPC
    return RunError(
        f"The {what} cannot be written: "
        f"{'the disk is full' if full else os.strerror(error.errno or errno.EIO)}.",
        remedy="Free some space, or choose another --out." if full else "Choose another --out.",
        code="disk_full" if full else None,
    )


@contextlib.contextmanager
def explained(what: str) -> Iterator[None]:
    """Say of what cannot be written what the system says of it, as a RunError."""
    try:
        yield
    except OSError as error:
        raise unwritable(what, error) from error
