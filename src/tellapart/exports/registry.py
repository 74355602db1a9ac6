"""The targets there are."""

from __future__ import annotations

import difflib
from collections.abc import Callable

from tellapart.core.errors import SettingsError
from tellapart.exports.target import Target


def _onnx() -> Target:
    from tellapart.exports.onnx_file import OnnxFile

    return OnnxFile()


def _int8() -> Target:
    from tellapart.exports.int8 import OnnxInt8

    return OnnxInt8()


def _litert() -> Target:
    from tellapart.exports.litert import LiteRT

    return LiteRT()


def _saved_model() -> Target:
    from tellapart.exports.saved_model import SavedModel

    return SavedModel()


def _web() -> Target:
    from tellapart.exports.web.target import Web

    return Web()


_TARGETS: dict[str, Callable[[], Target]] = {
    "onnx": _onnx,
    "onnx-int8": _int8,
    "litert": _litert,
    "saved-model": _saved_model,
    "web": _web,
}


def target_names() -> tuple[str, ...]:
    """What ``--to`` takes."""
    return tuple(_TARGETS)


def target_named(name: str) -> Target:
    """The target of a name.

    Raises:
        SettingsError: If there is none.
    """
    if name in _TARGETS:
        return _TARGETS[name]()
    near = difflib.get_close_matches(name, _TARGETS, n=1)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    raise SettingsError(
        f"There is no target {name!r} to export to.",
        remedy=f"{hint}Known are: {', '.join(_TARGETS)}.",
        code="unknown_target",
    )
