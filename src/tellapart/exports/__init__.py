"""A run's model in other forms, each run in its own runtime before it is put in place.

Who does what: a :class:`Target` writes its files and answers for them in its own runtime;
:mod:`.pictures` finds the held-out pictures of a run again, :mod:`.parity` compares a target with
``model.onnx`` on them, :mod:`.folder` keeps an export whole and opens one, :mod:`.exporting` brings
all of it together. :mod:`.registry` lists the targets: a module each.

Example:
    >>> from tellapart.runs import open_run  # doctest: +SKIP
    >>> done = export_run(open_run("runs/pets-1"), to="onnx")  # doctest: +SKIP
    >>> done.path, done.parity["same_top1"]  # doctest: +SKIP
    (PosixPath('exports/pets-1-onnx'), 1.0)
"""

from __future__ import annotations

from tellapart.exports.exporting import Export, export_run
from tellapart.exports.folder import is_export
from tellapart.exports.loading import Exported, open_export
from tellapart.exports.parity import Parity, compared
from tellapart.exports.registry import target_named, target_names
from tellapart.exports.target import SAME_NUMBERS, Answers, Runner, Target, Tolerance, Work

__all__ = [
    "SAME_NUMBERS",
    "Answers",
    "Export",
    "Exported",
    "Parity",
    "Runner",
    "Target",
    "Tolerance",
    "Work",
    "compared",
    "export_run",
    "is_export",
    "open_export",
    "target_named",
    "target_names",
]
