"""ONNX Runtime Web, as this package carries it: which files, and that they are the pinned ones.

``docs/tooling/fetch_ort_web.py`` downloads them.
"""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from typing import Any

from tellapart.core.errors import ModelError

_FOLDER = files("tellapart.exports.web").joinpath("vendor")

PINS: dict[str, Any] = json.loads(_FOLDER.joinpath("vendor.json").read_text(encoding="utf-8"))
"""Package, version, license, and the size and SHA-256 of every file."""
NAMES = tuple(PINS["files"])


def vendor(name: str) -> bytes:
    """A carried file.

    Raises:
        ModelError: If it is not the pinned one.
    """
    data = _FOLDER.joinpath(name).read_bytes()
    if hashlib.sha256(data).hexdigest() != PINS["files"][name]["sha256"]:
        raise ModelError(
            f"The installed file {name} of {PINS['package']} is not the one that tellapart was "
            "released with.",
            remedy="Install tellapart again.",
        )
    return data
