"""What a child process of ours does: it says what it has to say, and ends with its parent.

A parent that is killed tells nobody. But its end of a pipe is closed then: a child whose standard
input is such a pipe reads the end of it, and needs no look at process numbers for that.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import IO

ALONE = 130
"""The exit status of a child that was left alone."""


def end_with_parent() -> None:
    """End this process, at once, when its standard input does: in a thread that waits for that."""
    when_alone(lambda: os._exit(ALONE))


def when_alone(act: Callable[[], object]) -> None:
    """Do something when standard input ends, in a thread that waits for that."""
    threading.Thread(target=_wait, args=(act,), daemon=True, name="parent").start()


def own_output() -> IO[str]:
    """Standard output for ourselves; what others write there goes to standard error."""
    own = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return os.fdopen(own, "w", encoding="utf-8")


def _wait(act: Callable[[], object]) -> None:
    # Not through sys.stdin, whose lock a daemon thread would hold when Python ends.
    while os.read(0, 4096):
        pass
    act()
