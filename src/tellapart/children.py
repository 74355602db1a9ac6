"""Child processes that end with their parent, however it ended.

A parent that is killed tells nobody. But its end of a pipe is closed then: a child whose standard
input is such a pipe reads the end of it, and needs no look at process numbers for that.
"""

from __future__ import annotations

import os
import threading

ALONE = 130
"""The exit status of a child that was left alone."""


def end_with_parent() -> None:
    """End this process, at once, when its standard input does: in a thread that waits for that."""
    threading.Thread(target=_until_alone, daemon=True, name="parent").start()


def _until_alone() -> None:
    # Not through sys.stdin, whose lock a daemon thread would hold when Python ends.
    while os.read(0, 4096):
        pass
    os._exit(ALONE)
