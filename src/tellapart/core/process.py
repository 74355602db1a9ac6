"""Child processes: run a module in one, read its events, and end it with its parent.

The parent has a :class:`Child`. The child calls :func:`run`, which gives its work a
:class:`Reporter`. Events go through the child's standard output, one JSON object per line with its
name under ``"event"``. What libraries print goes to standard error, which is written to a log.

If the parent is killed, its end of a pipe closes. The child's standard input is such a pipe, so a
thread that waits for its end notices that the parent is gone.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, NoReturn, Self

from tellapart.core import errors
from tellapart.core.errors import TellapartError

DONE, FAILED, INTERRUPTED = 0, 1, 130
"""Exit statuses of a child; a child whose parent died ends with ``INTERRUPTED``."""

_LONGEST_LINE = 1 << 20  # characters
_TAIL = 4_000  # bytes read from the end of a log
_QUOTED = 300  # characters of its last line that are quoted


class ChildError(Exception):
    """A child process failed without reporting an error of ours.

    Args:
        cause: The reason, as the end of a sentence, without a period.
        killed: Whether a signal ended it.
    """

    def __init__(self, cause: str, *, killed: bool = False) -> None:
        super().__init__(cause)
        self.cause = cause
        self.killed = killed


# ------------------------------------------------------------------ in the parent


class Child:
    """A Python module that runs in a process of its own.

    A context manager: a child that is still running at the end of the block is killed.

    Args:
        module: The module's name; it is run as ``python -m`` runs it.
        arguments: Its arguments on the command line.
        log: A file for its standard error.
        environment: Environment variables in addition to ours.

    Attributes:
        log: The same file.

    Example:
        >>> with Child("some.module", log=folder / "log") as child:  # doctest: +SKIP
        ...     for event in child.events():
        ...         print(event)
    """

    def __init__(
        self,
        module: str,
        *arguments: str,
        log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.log = log
        with log.open("wb") as written:
            self._process = subprocess.Popen(
                # -P: the current folder may hold a keras.py or a random/ of the user's.
                [sys.executable, "-P", "-m", module, *arguments],
                stdin=subprocess.PIPE,  # its end tells the child that we died
                stdout=subprocess.PIPE,
                stderr=written,
                env={**os.environ, **(environment or {})},
                encoding="utf-8",
                errors="replace",
                # Ctrl-C in a terminal reaches a whole group of processes; the child is told once.
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    @property
    def status(self) -> int | None:
        """Its exit status, minus the number of the signal that ended it; None while it runs."""
        return self._process.poll()

    def send(self, message: Mapping[str, Any]) -> None:
        """Write a message to its standard input, unless the child has ended."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            # Not through the stream's buffer, which would try again when the stream is closed.
            os.write(self._process.stdin.fileno(), json.dumps(dict(message)).encode() + b"\n")

    def events(self) -> Iterator[dict[str, Any]]:
        """Its events as they come, until it ends.

        Raises:
            TellapartError: The error that it reported, of the same kind.
            ChildError: If it failed in another way.
            KeyboardInterrupt: If it was interrupted.
        """
        assert self._process.stdout is not None
        reported: dict[str, Any] | None = None
        for line in self._process.stdout:
            event = parse(line)
            if event is not None and event["event"] == "error":
                reported = event
            elif event is not None:
                yield event
        status = self._process.wait()
        if reported is not None:
            raise _error_of(reported)
        if status == INTERRUPTED:
            raise KeyboardInterrupt
        if status < 0:
            memory = "; perhaps the machine ran out of memory" * (status == -signal.SIGKILL)
            name = signal.Signals(-status).name
            raise ChildError(f"its process was ended by {name}{memory}", killed=True)
        if status != DONE:
            raise ChildError(last_line(self.log) or "its process ended without a message")

    def interrupt(self) -> None:
        """Ask it to save and end, and wait until it has; a second Ctrl-C kills it."""
        assert self._process.stdout is not None
        try:
            self._process.send_signal(signal.SIGINT)
            while self.status is None:
                self._process.stdout.read()  # a full pipe would hold it up
                time.sleep(0.02)
        except BaseException:
            self._process.kill()
            raise

    def end(self) -> None:
        """Kill it, unless it has ended."""
        if self.status is None:
            self._process.kill()
        self._process.__exit__(None, None, None)


def last_line(log: Path) -> str:
    """The last line of a log, for an error message: without its period, and not too long."""
    with contextlib.suppress(OSError), log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL))
        lines = file.read().decode(errors="replace").strip().splitlines()
        return lines[-1][:_QUOTED].rstrip(".") if lines else ""
    return ""


def parse(line: str) -> dict[str, Any] | None:
    """The event in a line of a child's output; None if the line is no event."""
    if len(line) > _LONGEST_LINE:
        return None
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and isinstance(event.get("event"), str) else None


def _error_of(event: Mapping[str, Any]) -> TellapartError:
    kind = getattr(errors, str(event.get("kind")), TellapartError)
    if not (isinstance(kind, type) and issubclass(kind, TellapartError)):
        kind = TellapartError
    return kind(
        str(event.get("message", "")),
        remedy=str(event.get("remedy", "")),
        code=str(event.get("code", kind.code)),
    )


# ------------------------------------------------------------------ in the child


class Reporter:
    """Reports events to the parent.

    Args:
        stream: A text stream that nobody else writes to. If its reader is gone, nothing is
            written and nothing raised.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream: IO[str] | None = stream

    def report(self, event: str, **values: Any) -> None:
        """Report an event, with values that can be written as JSON."""
        if self._stream is None:
            return
        try:
            self._stream.write(json.dumps({"event": event, **values}) + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            self._stream = None


def run(work: Callable[[Reporter], None]) -> NoReturn:
    """Do the work of a child process and end the process.

    An error of ours is reported and raised again in the parent. The traceback of any other goes to
    standard error, with its kind and first line last.

    Args:
        work: Does the work and reports events. It calls :func:`end_with_parent` or
            :func:`when_alone`, and raises ``KeyboardInterrupt`` where it was interrupted.
    """
    reporter = Reporter(_own_output())
    status = DONE
    try:
        work(reporter)
    except TellapartError as error:
        reporter.report("error", kind=type(error).__name__, **error.as_json())
        status = FAILED
    except KeyboardInterrupt:
        status = INTERRUPTED
    except Exception as error:
        traceback.print_exc()
        first = next(iter(str(error).strip().splitlines()), "")
        sys.stderr.write(f"{type(error).__name__}: {first}\n")
        status = FAILED
    sys.stderr.flush()
    # Exit at once: threads of engines may take seconds to end, and all files are written.
    os._exit(status)


def received() -> dict[str, Any]:
    """The next message on standard input.

    Raises:
        KeyboardInterrupt: If standard input ends instead, since the parent is gone.
    """
    line = b""
    while not line.endswith(b"\n"):
        more = os.read(0, 65536)
        if not more:
            raise KeyboardInterrupt
        line += more
    message: dict[str, Any] = json.loads(line)
    return message


def end_with_parent() -> None:
    """End this process as soon as its parent is gone."""
    when_alone(lambda: os._exit(INTERRUPTED))


def when_alone(act: Callable[[], object]) -> None:
    """Call ``act`` as soon as the parent is gone, in a thread that waits for that."""

    def wait() -> None:
        # Not through sys.stdin, whose lock a daemon thread would hold when Python ends.
        while os.read(0, 4096):
            pass
        act()

    threading.Thread(target=wait, daemon=True, name="parent").start()


def _own_output() -> IO[str]:
    """The standard output, only for events: other output is redirected to standard error."""
    own = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return os.fdopen(own, "w", encoding="utf-8")
