"""Runs a browser for as long as whoever started this lives: ``python keeper.py PROGRAM ...``.

A browser has helpers, and knows nothing of who opened it: if that process is killed, they would
run on without an end. This one is told of it by the end of its standard input, a pipe, and ends
the whole process group, whose leader it is. It imports the standard library alone, so that it
starts at once, and gives back the program's own exit status.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading

GRACE = 5.0  # seconds to end by itself
NOT_STARTED = 126  # the exit status, as of a shell


def main(command: list[str]) -> int:
    """Run a program until it ends or nobody is left.

    Args:
        command: The program and its arguments.

    Returns:
        Its exit status.
    """
    # SIGTERM to the group is for the program. A function, since "ignore" would be handed on to it.
    signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        program = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    except OSError as error:
        sys.stderr.write(f"it cannot be started: {error.strerror}\n")
        return NOT_STARTED
    threading.Thread(target=_until_alone, args=(program,), daemon=True).start()
    status = program.wait()
    return status if status >= 0 else 128 - status


def _until_alone(program: subprocess.Popen[bytes]) -> None:
    """Wait for the end of standard input; then end the group, gently first."""
    while os.read(0, 4096):
        pass
    os.killpg(0, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        program.wait(GRACE)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    os._exit(main(sys.argv[1:]))
