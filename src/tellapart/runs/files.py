"""The JSON files of a run: bounded on reading, the same bytes for the same content."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from tellapart.core.errors import RunError

_JSON_LIMIT = 1024**3  # bytes; the confusion matrix of 2,500 classes has 70 MB


def write_json(path: Path, content: Any) -> None:
    r"""Write JSON: members in the order given, two spaces, no NaN, a final newline.

    The file is UTF-8 whatever names it holds: a byte that is not stands as ``\udcff``, which
    JSON reads back as Python had it.
    """
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object of bounded size.

    Raises:
        RunError: If it is missing, too large, or no JSON object.
    """
    try:
        if path.stat().st_size > _JSON_LIMIT:
            raise damaged(path, "it is too large")
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise damaged(path, str(error)) from None
    if not isinstance(content, dict):
        raise damaged(path, "it is not a JSON object")
    return cast(dict[str, Any], content)


def damaged(path: Path, reason: str) -> RunError:
    """The error about a file of a run that is not what it should be."""
    return RunError(
        f"'{path}' is damaged: {reason}.", remedy="Copy the run folder again, or train again."
    )
