"""Another runtime at work in a child process.

TensorFlow takes memory, threads and the choice of Keras's engine for a whole process; the parent
imports neither it nor Keras. The child is :mod:`tellapart.exports.worker`.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tellapart.core.errors import ModelError, TellapartError
from tellapart.core.process import Child, ChildError
from tellapart.runs.writing import unwritable

LOG = "worker.log"
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
    answer: dict[str, Any] | None = None
    with Child(
        worker.__name__, task, json.dumps(dict(job)), log=log, environment=_ENVIRONMENT
    ) as child:
        try:
            for event in child.events():
                if event["event"] == "advance" and advance is not None:
                    advance(int(event["pictures"]))
                elif event["event"] == "answer":
                    answer = event["answer"]
        except (ChildError, TellapartError) as error:
            raise _failed(task, error, log) from None
    if answer is None:
        raise _failed(task, ChildError("its process ended without an answer"), log)
    return answer


def _failed(task: str, error: ChildError | TellapartError, log: Path) -> TellapartError:
    # The log is on that disk, too: what the child would have written may be lost.
    if shutil.disk_usage(log.parent).free < _FULL:
        return unwritable("export", OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    cause = error.cause if isinstance(error, ChildError) else error.message.rstrip(".")
    return ModelError(
        f"The export failed in '{task}': {cause}.",
        remedy="Nothing was put in place. Try again with other programs closed, or --to onnx.",
        code="export_failed",
    )
