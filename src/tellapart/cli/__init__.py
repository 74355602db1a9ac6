"""The command line: one file per command, each a thin call of the package's verbs.

:func:`main` runs a command. Exit codes: 0 done, 1 something the user can mend, 2 wrong usage,
3 a fault in tellapart itself, 130 interrupted.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run ``tellapart`` with the given arguments, or the process's own, and exit."""
    from tellapart.cli.app import build

    _mend_streams()
    with contextlib.suppress(ValueError):  # only the main thread may say so
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # end as cleanly as Ctrl-C
    build()(args=list(sys.argv[1:] if arguments is None else arguments), prog_name="tellapart")


def _mend_streams() -> None:
    """A stream that is closed swallows; one that cannot write a character escapes it."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")
