"""One process of the server: its socket, its signals, its end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Generator
from pathlib import Path

import uvicorn

from tellapart.core.errors import TellapartError
from tellapart.core.resources import cores
from tellapart.serve import logs
from tellapart.serve.api.application import build
from tellapart.serve.api.context import Context
from tellapart.serve.engine.loaded import LoadedRun
from tellapart.serve.logs import RequestLog, log
from tellapart.serve.process.connections import BoundedProtocol
from tellapart.serve.settings import ServeSettings

_SPARE_FILES = 64  # descriptors that are not connections


def threads_of(settings: ServeSettings) -> int:
    """Threads of one process that decode and run the model."""
    return settings.threads or max(1, cores() // settings.workers)


def run_process(
    folder: str | Path,
    settings: ServeSettings,
    listening: socket.socket,
    *,
    quiet: bool = False,
    started: Callable[[LoadedRun], object] = lambda served: None,
) -> None:
    """Serve until a signal says stop; then finish what is in flight.

    SIGTERM and SIGINT stop the server, a second SIGINT at once; SIGHUP loads the run again.

    Args:
        folder: The run folder.
        settings: How.
        listening: A bound socket.
        quiet: Log warnings and errors only.
        started: Called when requests are answered.

    Raises:
        RunError: If the run cannot be served.
        ModelError: If its model cannot.
    """
    if hasattr(signal, "SIGHUP"):  # until there is something to load again
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    threads = threads_of(settings)
    served = LoadedRun.load(folder, threads=threads)
    logs.set_up(quiet=quiet)
    requests = RequestLog(None if quiet else sys.stderr)
    app, context = build(served, settings, threads=threads, requests=requests)
    BoundedProtocol.header_timeout = settings.header_timeout
    BoundedProtocol.most = min(settings.connections, _room_for_connections(settings.connections))
    BoundedProtocol.refused = context.metrics.refused
    config = uvicorn.Config(
        app,
        loop="auto",
        http=BoundedProtocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=settings.idle_timeout,  # type: ignore[arg-type]
        timeout_graceful_shutdown=max(1, round(settings.grace)),
    )

    gc.collect()
    gc.freeze()  # what is here now stays: it is not looked through again

    def begun() -> None:
        log("started", run=served.name, model=served.version, threads=threads, process=os.getpid())
        started(served)

    _Server(config, context, Path(folder), threads, begun).run([listening])
    context.engine.close(settings.grace)
    requests.flush()
    log("stopped", process=os.getpid())


class _Server(uvicorn.Server):
    """uvicorn's server with our signals: it ends with 0 where it was told to end."""

    def __init__(
        self,
        config: uvicorn.Config,
        context: Context,
        folder: Path,
        threads: int,
        begun: Callable[[], object],
    ) -> None:
        super().__init__(config)
        self._begun = begun
        self._context = context
        self._folder = folder
        self._threads = threads
        self._reloading = threading.Lock()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so: by now every signal has its handler."""
        await super().startup(sockets)
        if self.started:
            self._begun()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Stop on SIGTERM and SIGINT, load again on SIGHUP, while the server runs."""
        loop = asyncio.get_running_loop()
        handled = [signal.SIGTERM, signal.SIGINT]
        for one in handled:
            loop.add_signal_handler(one, self._stop, one)
        if hasattr(signal, "SIGHUP"):
            handled.append(signal.SIGHUP)
            loop.add_signal_handler(signal.SIGHUP, self._reload)
        try:
            yield
        finally:
            for one in handled:
                loop.remove_signal_handler(one)

    def _stop(self, number: int) -> None:
        if self.should_exit and number == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True

    def _reload(self) -> None:
        threading.Thread(target=self._load_again, name="reload", daemon=True).start()

    def _load_again(self) -> None:
        """Swap the run; one that cannot be served leaves the old one where it is."""
        with self._reloading:
            count = self._context.metrics.reloads
            try:
                served = LoadedRun.load(self._folder, threads=self._threads)
            except (TellapartError, OSError, MemoryError) as error:
                count.labels("failed").inc()
                log("reload_failed", level=logging.ERROR, error=str(error))
                return
            self._context.engine.swap(served)
            count.labels("ok").inc()
            log("reloaded", run=served.name, model=served.version)


def _room_for_connections(wanted: int) -> int:
    """Raise the limit of open files as far as is needed and allowed; what it leaves."""
    try:
        import resource
    except ImportError:
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    need = wanted + _SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < need:
        allowed = need if hard == resource.RLIM_INFINITY else min(need, hard)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
            soft = allowed
    return wanted if soft == resource.RLIM_INFINITY else max(1, soft - _SPARE_FILES)
