"""A run's model in other formats, each run in its own runtime before it is saved.

A :class:`Target` is the record of one format, in a module of its own; :mod:`.registry` lists them.
:mod:`.pictures` finds the held-out pictures of a run again, :mod:`.parity` compares a target with
``model.onnx`` on them, :mod:`.folder` writes an export and opens one, and :mod:`.exporting` is the
whole job.

Example:
    >>> from tellapart.runs import open_run
    >>> done = export_run(open_run("runs/pets-1"), to="onnx")  # doctest: +SKIP
    >>> done.path, done.parity["same_top1"]  # doctest: +SKIP
    (PosixPath('exports/pets-1-onnx'), 1.0)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tellapart.exports.exporting import Export, export_run
    from tellapart.exports.loading import Exported, is_export, open_export
    from tellapart.exports.target import Target

# Where each name is; imported on first use, since the command line reads the registry at every
# start.
_HOMES = {
    "Export": "exporting",
    "Exported": "loading",
    "Target": "target",
    "export_run": "exporting",
    "is_export": "loading",
    "open_export": "loading",
}

__all__ = ["Export", "Exported", "Target", "export_run", "is_export", "open_export"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
