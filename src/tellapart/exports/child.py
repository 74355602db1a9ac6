"""A child process in which another runtime works, and ends with all that it keeps.

It ends when its parent does, too, however that ended: its standard input is a pipe that says so.

TensorFlow takes memory, threads and the choice of Keras's engine for a whole process; the parent
imports neither it nor Keras. The child is :mod:`tellapart.exports.worker`.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tellapart.core.errors import ModelError, TellapartError
from tellapart.runs.writing import unwritable

LOG = "worker.log"
_TAIL = 4_000  # bytes of the child's standard error that are looked at
_QUOTED = 300  # characters of it that are quoted
_FULL = 1024**2  # bytes that are left on a disk that is full

# Whatever engine trains, this is TensorFlow's; and on the processor, where numbers are float32
# (graphics cards multiply with fewer bits unless told otherwise).
_ENVIRONMENT = {
    "KERAS_BACKEND": "tensorflow",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "-1",
}


def call(
    task: str,
    job: Mapping[str, Any],
    scratch: Path,
    advance: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Let the child do one task.

    Args:
        task: One of :data:`tellapart.exports.worker.TASKS`.
        job: Its arguments, as JSON takes them.
        scratch: A folder for what the child writes to standard error.
        advance: Hears of every ``n`` more pictures that are done.

    Returns:
        What the task answers.

    Raises:
        ModelError: With code ``export_failed`` if it fails.
        RunError: With code ``disk_full`` if it fails for want of room.
        KeyboardInterrupt: If it was interrupted; the child is ended first.
    """
    from tellapart.exports import worker

    log = scratch / LOG
    with (
        log.open("wb") as errors,
        # -P: the folder the user stands in may hold a keras.py or a random/ of its own.
        subprocess.Popen(
            [sys.executable, "-P", "-m", worker.__name__, task, json.dumps(dict(job))],
            stdin=subprocess.PIPE,  # its end tells the child that we died
            stdout=subprocess.PIPE,
            stderr=errors,
            env=os.environ | _ENVIRONMENT,
            encoding="utf-8",
            errors="replace",
        ) as child,
    ):
        answer: dict[str, Any] | None = None
        try:
            assert child.stdout is not None
            for line in child.stdout:
                told = _read(line)
                if advance is not None and isinstance(told.get("advance"), int):
                    advance(told["advance"])
                answer = told.get("answer", answer)
            status = child.wait()
        except BaseException:
            child.kill()
            raise
    if status != 0 or answer is None:
        raise _failed(task, status, log)
    return answer


def _read(line: str) -> dict[str, Any]:
    """A line of JSON that the child said; what else comes there is no event."""
    try:
        told = json.loads(line)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _failed(task: str, status: int, log: Path) -> TellapartError:
    # The log lies on that disk, too: what the child would have said of it may be lost.
    if shutil.disk_usage(log.parent).free < _FULL:
        return unwritable("export", OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    tail = log.read_bytes()[-_TAIL:].decode(errors="replace").strip().splitlines()
    why = tail[-1][:_QUOTED] if tail else "it said nothing"
    if status < 0:
        why = f"it was ended by signal {-status}" + (
            "; perhaps the machine ran out of memory" if status == -9 else ""
        )
    return ModelError(
        f"The export failed while another process did '{task}': {why}.",
        remedy="Nothing was put in place. Try again with other programs closed, or --to onnx.",
        code="export_failed",
    )
