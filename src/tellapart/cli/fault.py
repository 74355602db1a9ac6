"""A fault of the program itself: a log file to send to its authors, and an apology."""

from __future__ import annotations

import platform
import sys
import tempfile
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tellapart.core.errors import TellapartError

EXIT_CODE = 3
LOGS = 20
"""Log files kept in the cache folder; older ones are removed."""


def explained(fault: Exception, settings: dict[str, Any]) -> TellapartError:
    """The fault as an error that names its log file.

    Args:
        fault: What a command raised.
        settings: The command's arguments and options by name.
    """
    said = f"Sorry, this is a fault in tellapart, not a mistake of yours ({type(fault).__name__})."
    path = _written(_log(fault, settings))
    if path is None:
        remedy = "Please report it. No log file could be written."
    else:
        remedy = f"Please report it and attach the log file, after reading it:\n  {path}"
    return TellapartError(said, remedy=remedy, code="internal")


def _log(fault: Exception, settings: dict[str, Any]) -> str:
    from tellapart.cli.terminal import quoted
    from tellapart.core.version import versions

    parts = {
        "Time": datetime.now(UTC).isoformat(timespec="seconds"),
        "System": platform.platform(),
        "Command": " ".join(map(quoted, sys.argv)),
        "Settings": "\n".join(f"{name} = {value!r}" for name, value in settings.items()),
        "Versions": "\n".join(f"{name} {version}" for name, version in versions().items()),
        "Traceback": "".join(traceback.format_exception(fault)).rstrip(),
    }
    return "\n\n".join(f"{name}\n{text}" for name, text in parts.items()) + "\n"


def _log_folder() -> Path:
    """The folder of logs in the cache, with room for one more."""
    from tellapart.core.cache import cache_folder

    folder = cache_folder() / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    for old in sorted(folder.glob("tellapart-*.log"))[: -(LOGS - 1)]:  # names begin with the time
        old.unlink(missing_ok=True)
    return folder


def _temporary_folder() -> Path:
    return Path(tempfile.gettempdir())


def _written(log: str) -> Path | None:
    """A new file in the cache folder, or in the temporary folder if that is not possible."""
    for find in (_log_folder, _temporary_folder):
        try:
            folder = find()
            with tempfile.NamedTemporaryFile(
                "w",
                prefix=f"tellapart-{datetime.now(UTC):%Y%m%d-%H%M%S}-",
                suffix=".log",
                dir=folder,
                delete=False,
                encoding="utf-8",
                errors="backslashreplace",
            ) as file:
                file.write(log)
            return Path(file.name)
        except (OSError, RuntimeError):  # RuntimeError: there is no home folder
            continue
    return None
