"""The server's log on standard error: no picture, no key, no query.

Each line is a JSON object; in a terminal it is the same in words.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TextIO

from tellapart.core.text import counted
from tellapart.data.sources.names import printable

LOGGER = "tellapart.serve"

_FLUSH_AFTER = 0.05  # seconds that lines of requests wait to be written together
_FLUSH_AT = 256  # of them


Line = dict[str, Any]


def as_json(line: Line) -> str:
    """A line for programs."""
    return json.dumps(line, ensure_ascii=True, default=str)


def as_words(line: Line) -> str:
    """A line for a person: the local time, the event, and its fields.

    Example:
        >>> as_words({"time": "2026-01-02T03:04:05Z", "level": "info", "event": "stopped"})[8:]
        '  stopped'
    """
    rest = dict(line)
    at = datetime.fromisoformat(rest.pop("time")).astimezone()
    level, event, trace = rest.pop("level"), rest.pop("event"), rest.pop("traceback", "")
    if event == "request":
        pictures = rest["pictures"]
        told = [
            f"{rest['method']} {rest['path']}  {rest['status'] or 'no answer'}",
            f"{rest['ms']} ms",
            *([counted(pictures, "picture")] if pictures else []),
        ]
    else:
        named = (f"{name.replace('_', ' ')} {value}" for name, value in rest.items())
        told = [event.replace("_", " ") if level == "info" else f"{level}: {event}", *named]
    text = printable(" · ".join(told))  # clients choose paths, which may steer a terminal
    return f"{at:%H:%M:%S}  {text}" + (f"\n{trace.rstrip()}" if trace else "")


def for_reader(stream: TextIO) -> Callable[[Line], str]:
    """How lines are written to a stream: in words if it is a terminal."""
    return as_words if stream.isatty() else as_json


class Lines(logging.Formatter):
    """A record as one line.

    Args:
        write: How.
    """

    def __init__(self, write: Callable[[Line], str] = as_json) -> None:
        super().__init__()
        self._write = write

    def format(self, record: logging.LogRecord) -> str:
        """The line: time, level, event or message, and the fields of the event."""
        line: Line = {
            "time": _time(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["traceback"] = "".join(traceback.format_exception(*record.exc_info))[-8000:]
        return self._write(line)


class RequestLog:
    """Writes the lines of many requests together, which ``logging`` would do one by one.

    Args:
        stream: Where they go; None for nowhere.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._write = as_json if stream is None else for_reader(stream)
        self._lines: list[str] = []
        self._timer: asyncio.TimerHandle | None = None

    def add(self, fields: dict[str, Any]) -> None:
        """Write a line soon. Called in the event loop."""
        if self._stream is None:
            return
        at = _time(datetime.now(UTC))
        line = {"time": at, "level": "info", "event": "request", **fields}
        self._lines.append(self._write(line))
        if len(self._lines) >= _FLUSH_AT:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_FLUSH_AFTER, self.flush)

    def flush(self) -> None:
        """Write the lines that are waiting."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._lines and self._stream is not None:
            text = "\n".join(self._lines) + "\n"
            self._lines.clear()
            with contextlib.suppress(OSError, ValueError):  # nobody reads it any more
                self._stream.write(text)
                self._stream.flush()


def set_up(*, quiet: bool) -> None:
    """Send the server's log, and uvicorn's, to standard error.

    Args:
        quiet: Only warnings and errors.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines(for_reader(sys.stderr)))
    for name, level in ((LOGGER, logging.INFO), ("uvicorn.error", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.propagate = False
        logger.setLevel(logging.WARNING if quiet else level)
    logging.getLogger("uvicorn.access").disabled = True


def log(event: str, *, level: int = logging.INFO, exc_info: bool = False, **fields: Any) -> None:
    """Write one line.

    Args:
        event: What happened, such as ``request`` or ``reloaded``.
        level: Of the standard library's levels.
        exc_info: Whether to add the traceback of the exception that is being handled.
        fields: More members of the line.
    """
    logger = logging.getLogger(LOGGER)
    if logger.isEnabledFor(level):
        logger.log(level, event, extra={"fields": fields}, exc_info=exc_info)


def _time(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
