"""Several processes on one socket: started, watched, told, and ended together."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from tellapart.core.errors import TellapartError
from tellapart.serve.metrics import FOLDER
from tellapart.serve.settings import ServeSettings

_LOOK_EVERY = 0.2


def run_workers(
    folder: Path,
    settings: ServeSettings,
    listening: socket.socket,
    *,
    quiet: bool,
    started: Callable[[], object],
) -> None:
    """Serve from several processes until a signal stops them.

    A process that dies is replaced, unless it died before it could answer. SIGHUP goes to all of
    them; SIGTERM and SIGINT end them.

    Args:
        folder: The run folder.
        settings: How; ``workers`` of them.
        listening: The socket that all accept from.
        quiet: Log warnings and errors only.
        started: Called when all are ready.

    Raises:
        TellapartError: If a process cannot start.
    """
    numbers = tempfile.mkdtemp(prefix="tellapart-metrics-")
    os.environ[FOLDER] = numbers  # before any process counts anything
    processes = _Processes(folder, settings, listening, quiet=quiet)
    try:
        processes.run(started)
    finally:
        processes.end()
        os.environ.pop(FOLDER, None)
        shutil.rmtree(numbers, ignore_errors=True)


class _Processes:
    """The processes."""

    def __init__(
        self, folder: Path, settings: ServeSettings, listening: socket.socket, *, quiet: bool
    ) -> None:
        self._arguments = (str(folder), settings, listening, quiet)
        self._listening = listening
        self._count = settings.workers
        self._grace = settings.grace
        self._spawn = multiprocessing.get_context("spawn")
        # Each with the event that it sets when it is ready.
        self._processes: list[tuple[BaseProcess, Any]] = []
        self._stop = threading.Event()

    def run(self, started: Callable[[], object]) -> None:
        """Start all, and replace those that die, until a signal stops them."""
        previous = {
            one: signal.signal(one, handler)
            for one, handler in (
                (signal.SIGTERM, self._told_to_stop),
                (signal.SIGINT, self._told_to_stop),
                *([(signal.SIGHUP, self._told_to_load)] if hasattr(signal, "SIGHUP") else []),
            )
        }
        try:
            waiting = [self._start() for _ in range(self._count)]
            for ready, process in waiting:
                while not ready.wait(_LOOK_EVERY):
                    if not process.is_alive():
                        raise _no_start()
                    if self._stop.is_set():
                        return
            started()
            while not self._stop.wait(_LOOK_EVERY):
                self._replace_dead()
        finally:
            for one, handler in previous.items():
                signal.signal(one, handler)

    def end(self) -> None:
        """Tell all to stop, and wait until they have."""
        self._tell(signal.SIGTERM)
        self._listening.close()  # otherwise new clients would wait for an answer that never comes
        until = time.monotonic() + self._grace + 10
        for process, _ in self._processes:
            process.join(max(0.1, until - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()

    def _start(self) -> tuple[Any, BaseProcess]:
        ready = self._spawn.Event()
        process = self._spawn.Process(target=_work, args=(*self._arguments, ready), daemon=False)
        process.start()
        self._processes.append((process, ready))
        return ready, process

    def _replace_dead(self) -> None:
        from prometheus_client.multiprocess import mark_process_dead

        for entry in list(self._processes):
            process, ready = entry
            if process.is_alive():
                continue
            self._processes.remove(entry)
            mark_process_dead(process.pid)  # type: ignore[no-untyped-call]
            if not ready.is_set():  # the next one would end the same way
                raise _no_start()
            self._start()

    def _told_to_stop(self, number: int, frame: object) -> None:
        self._stop.set()

    def _told_to_load(self, number: int, frame: object) -> None:
        if hasattr(signal, "SIGHUP"):
            self._tell(signal.SIGHUP)

    def _tell(self, number: int) -> None:
        for process, _ in self._processes:
            if process.pid is not None and process.is_alive():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, number)


def _no_start() -> TellapartError:
    return TellapartError(
        "A process of the server ended before it was ready.",
        remedy="Its own message is above; with --workers 1 there is no other process.",
        code="worker",
    )


def _work(
    folder: str, settings: ServeSettings, listening: socket.socket, quiet: bool, ready: Any
) -> None:
    """The body of one process."""
    from tellapart.serve.process.server import run_process

    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_DFL)
    threading.Thread(target=_follow_parent, name="parent", daemon=True).start()
    with listening:
        run_process(folder, settings, listening, quiet=quiet, started=lambda served: ready.set())


def _follow_parent() -> None:
    """End with the process that started this one, however it ended."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
