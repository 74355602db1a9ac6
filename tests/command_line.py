"""Run commands of ``tellapart`` in the test's own process: a tenth of the time of a new one.

What only a process of its own can show (signals, closed streams, what is imported) starts one.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tellapart.cli import main


class Answer(NamedTuple):
    """What a command printed, in the order in which it did, and its exit code."""

    text: str
    stdout: str
    stderr: str
    code: int


class _Both(io.TextIOWrapper):
    """A stream whose text also goes into a second one, as a terminal shows both."""

    def __init__(self, screen: io.StringIO) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)
        self._screen = screen

    def write(self, text: str) -> int:
        self._screen.write(text)
        return super().write(text)

    def text(self) -> str:
        self.flush()
        return self.buffer.getvalue().decode("utf-8")  # type: ignore[attr-defined,no-any-return]


def tellapart(*arguments: object, cwd: Path | None = None, **env: str) -> Answer:
    """Run one command.

    Args:
        arguments: What follows ``tellapart`` on the command line.
        cwd: The folder it runs in; the current one by default.
        env: Environment variables that it gets on top.
    """
    screen = io.StringIO()
    out, err = _Both(screen), _Both(screen)
    handler = signal.getsignal(signal.SIGTERM)
    try:
        with (
            pytest.MonkeyPatch.context() as patch,
            contextlib.chdir(cwd or Path.cwd()),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            pytest.raises(SystemExit) as ended,
        ):
            for name, value in env.items():
                patch.setenv(name, value)
            main([os.fspath(a) if isinstance(a, Path) else str(a) for a in arguments])
    finally:
        signal.signal(signal.SIGTERM, handler)
    return Answer(screen.getvalue(), out.text(), err.text(), int(ended.value.code or 0))


def answered(*arguments: object, **options: Any) -> Any:
    """The JSON document of a command that must do well, with nothing else on standard output."""
    done = tellapart(*arguments, "--json", **options)
    assert done.code == 0, done.stderr
    return json.loads(done.stdout)


def refused(*arguments: object, **options: Any) -> dict[str, str]:
    """The error of a command that must exit with 1, without a traceback."""
    done = tellapart(*arguments, "--json", **options)
    assert done.code == 1, done.text
    assert "Traceback" not in done.stderr
    document = json.loads(done.stdout)
    assert document["schema"] == 1
    assert set(document["error"]) == {"code", "message", "remedy"}
    error: dict[str, str] = document["error"]
    return error
