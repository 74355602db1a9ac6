"""The command line: one file a command, each a thin call of the package's verbs.

:func:`main` runs a command. Exit codes: 0 done, 1 something the user can mend, 2 wrong usage,
130 interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run ``tellapart`` with the given arguments, or the process's own, and exit."""
    from tellapart.cli.app import build

    build()(args=list(sys.argv[1:] if arguments is None else arguments), prog_name="tellapart")
