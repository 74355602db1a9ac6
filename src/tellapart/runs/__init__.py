"""The run folder: everything a training leaves behind, whole or not at all, no pickle.

A run is written into ``runs/.NAME.partial/`` and renamed when it is whole, so a run folder
that exists is complete. While it is written, a lock file tells other processes that
somebody is at work; the leftover of a process that died is recognized by its free lock. A
leftover that holds a training's checkpoint is kept until it is resumed or removed.

Who does what: :mod:`.folder` reads a whole run, :mod:`.writing` makes one, :mod:`.files` knows
its JSON.

Example:
    >>> run = open_run("runs/pets-1")  # doctest: +SKIP
    >>> run.metrics["held_out"]["accuracy"]  # doctest: +SKIP
"""

from __future__ import annotations

from tellapart.runs.files import read_json, write_json
from tellapart.runs.folder import FILES, SCHEMA, Run, open_run
from tellapart.runs.writing import (
    CHECKPOINT,
    RESUME,
    TRAINING,
    Interrupted,
    is_resumable,
    next_name,
    partial_of,
    writing,
)

__all__ = [
    "CHECKPOINT",
    "FILES",
    "RESUME",
    "SCHEMA",
    "TRAINING",
    "Interrupted",
    "Run",
    "is_resumable",
    "next_name",
    "open_run",
    "partial_of",
    "read_json",
    "write_json",
    "writing",
]
