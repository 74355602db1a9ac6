"""The child process that trains: ``python -m``, this module, ``[--resume] FOLDER...``.

It reads the job from each folder, says on standard output what happens (one line of JSON an
event), and ends with 0 when it is done, 1 after an ``error`` event, and 130 when it was
interrupted and has saved. SIGINT and SIGTERM interrupt it, and so does the end of its standard
input, which is the death of its parent. Whatever libraries print goes to standard error.

With ``-`` as its only argument, Keras starts at once, and the arguments come later: one line of
JSON on standard input, ``{"arguments": [texts], "since": the parent's time.monotonic()}``.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path

from tellapart.core.process import own_output, when_alone

DONE, FAILED, INTERRUPTED = 0, 1, 130
RESUME = "--resume"
LATER = "-"


def main(arguments: list[str]) -> int:
    """Train the job of a folder.

    Args:
        arguments: ``--resume`` where checkpoints are to be gone on from; then one folder or more,
            whose jobs are trained one after the other. Or ``-`` alone.

    Returns:
        The exit status.
    """
    started = time.monotonic()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    stream = own_output()
    later = arguments == [LATER]
    if not later:
        when_alone(stop.set)

    from tellapart.core.errors import TellapartError
    from tellapart.networks.loop import backend, trainer
    from tellapart.networks.process import events
    from tellapart.networks.process.job import Job

    writer = events.Writer(stream)
    try:
        backend.start()
        if later:
            arguments, since = _handed_over()
            # A budget counts what is left of Keras's start; both clocks are the system's.
            started = min(max(since, started), time.monotonic())
            when_alone(stop.set)
        resume = arguments[:1] == [RESUME]
        for folder in map(Path, arguments[resume:]):
            trainer.fit(
                Job.load(folder),
                folder,
                listener=writer,
                stop=stop,
                resume=resume,
                started=started,
            )
            writer.write("trained")
            started = time.monotonic()
    except TellapartError as error:
        writer.write("error", kind=type(error).__name__, **error.as_json())
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        traceback.print_exc()
        writer.write(
            "error",
            kind="RunError",
            code="training_failed",
            message=f"The training failed: {type(error).__name__}: {_first_line(error)}.",
            remedy="",
        )
        return FAILED
    writer.write("done")
    return DONE


def _handed_over() -> tuple[list[str], float]:
    """The arguments that come on standard input, and when they were sent.

    Raises:
        KeyboardInterrupt: If it ends instead: there is nothing to do any more.
    """
    line = b""
    while not line.endswith(b"\n"):
        more = os.read(0, 65536)
        if not more:
            raise KeyboardInterrupt
        line += more
    told = json.loads(line)
    return [str(text) for text in told["arguments"]], float(told["since"])


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), "")[:300].rstrip(".")


if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stderr.flush()
    # At once: engines' threads may take seconds to end, and everything is on the disk.
    os._exit(status)
