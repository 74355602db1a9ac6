"""A process that is killed, and what it had started: gone with it, or running on?"""

from __future__ import annotations

import errno
import os
import select
import subprocess
import sys
import time
from pathlib import Path

LIMIT = 60.0  # seconds for what takes one


def kill_while_read(fifo: Path, script: str, *arguments: object) -> None:
    """Run a script whose child reads a named pipe, kill the script, and wait for the child's end.

    Args:
        fifo: The pipe; made here, and never written to: who reads it waits.
        script: Python that starts a child which opens the pipe for reading.
        arguments: Of the script.

    Raises:
        TimeoutError: If the child never reads, or runs on.
    """
    os.mkfifo(fifo)
    parent = subprocess.Popen([sys.executable, "-c", script, *map(str, arguments)])
    try:
        end = _opened_by_reader(fifo)
    finally:
        parent.kill()
        parent.wait()
    try:
        _wait_for_no_reader(end)
    finally:
        os.close(end)


def _opened_by_reader(fifo: Path) -> int:
    """The writing end of a pipe, as soon as somebody reads it."""
    until = time.monotonic() + LIMIT
    while time.monotonic() < until:
        try:
            return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:  # nobody reads yet
                raise
        time.sleep(0.02)
    raise TimeoutError("the child never came to read")


def _wait_for_no_reader(end: int) -> None:
    """Wait until nobody has a pipe open for reading any more."""
    watched = select.poll()
    watched.register(end, 0)  # the error that nobody reads is told unasked
    if not watched.poll(LIMIT * 1000):
        raise TimeoutError("the child runs on")
