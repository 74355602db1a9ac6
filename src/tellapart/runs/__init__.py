"""The run folder: everything that a training leaves behind, whole or not at all, no pickle.

A run is written into ``runs/.NAME.partial/`` and renamed when it is whole, so a run folder
that exists is complete. A lock file in it tells other processes that a run is being written.
The leftover of a process that died is recognized by its free lock; it is kept while it holds a
checkpoint to resume from, and cleared otherwise.

Who does what: :mod:`.folder` reads a run, :mod:`.writing` makes and locks the folder of a new one,
:mod:`.saving` fills it, :mod:`.request` keeps what is needed to resume, and :mod:`.files` reads and
writes JSON.

Example:
    >>> run = open_run("runs/pets-1")  # doctest: +SKIP
    >>> run.metrics["held_out"]["accuracy"]  # doctest: +SKIP
"""

from __future__ import annotations

from tellapart.runs.files import read_json, write_json
from tellapart.runs.folder import SCHEMA, Run, open_run
from tellapart.runs.saving import Content, save
from tellapart.runs.writing import create, next_name

__all__ = [
    "SCHEMA",
    "Content",
    "Run",
    "create",
    "next_name",
    "open_run",
    "read_json",
    "save",
    "write_json",
]
