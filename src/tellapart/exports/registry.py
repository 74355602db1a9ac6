"""The list of targets; each is a record, :class:`.target.Target`, in its own module."""

from __future__ import annotations

import difflib
import importlib
from typing import TYPE_CHECKING

from tellapart.core.errors import SettingsError

if TYPE_CHECKING:
    from tellapart.exports.target import Target

TARGETS = {
    "onnx": ("tellapart.exports.onnx_file", "ONNX"),
    "onnx-int8": ("tellapart.exports.int8", "ONNX in 8-bit integers"),
    "litert": ("tellapart.exports.litert", "LiteRT (TensorFlow Lite)"),
    "saved-model": ("tellapart.exports.saved_model", "a TensorFlow SavedModel"),
    "web": ("tellapart.exports.web.target", "a page that runs in any browser"),
}
"""What ``--to`` takes: the module whose ``TARGET`` is the record, and the format in words. Nothing
is imported for it, since the command line lists it at every start."""


def target_named(name: str) -> Target:
    """The target of a name.

    Raises:
        SettingsError: If there is none.
    """
    if name in TARGETS:
        target: Target = importlib.import_module(TARGETS[name][0]).TARGET
        return target
    near = difflib.get_close_matches(name, TARGETS, n=1)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    raise SettingsError(
        f"There is no target {name!r} to export to.",
        remedy=f"{hint}Known are: {', '.join(TARGETS)}.",
        code="unknown_target",
    )
