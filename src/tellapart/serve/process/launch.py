"""From a run folder and settings to a server that answers."""

from __future__ import annotations

import errno
import importlib.util
import os
import socket
from collections.abc import Callable
from pathlib import Path

from tellapart.core.errors import SettingsError, TellapartError
from tellapart.runs import open_run
from tellapart.serve.settings import ServeSettings

_NEEDED = ("fastapi", "uvicorn", "httptools", "python_multipart", "prometheus_client")
_BACKLOG = 2048


def serve(
    folder: str | Path,
    settings: ServeSettings,
    *,
    quiet: bool = False,
    started: Callable[[str, str], object] = lambda address, run: None,
) -> None:
    """Serve a run until a signal says stop.

    Args:
        folder: The run folder.
        settings: How.
        quiet: Log warnings and errors only.
        started: Called with the address and the run's name when it answers.

    Raises:
        SettingsError: If the extra is not installed, or the address cannot be had.
        RunError: If the run is missing, damaged, or from a newer version.
        ModelError: If its model is.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise SettingsError(
            f"Serving needs packages that are not installed: {', '.join(missing)}.",
            remedy="Install them with: pip install 'tellapart[serve]'",
            code="no_serve_extra",
        )
    run = open_run(folder)
    listening = bind(settings.host, settings.port)
    with listening:
        address = _address(listening)
        if settings.workers > 1:
            from tellapart.serve.engine.loaded import name_of
            from tellapart.serve.process.workers import run_workers

            run.load_model(threads=1)  # a broken one is told once, and before anything starts
            run_workers(
                run.path, settings, listening, quiet=quiet,
                started=lambda: started(address, name_of(run)),
            )  # fmt: skip
            return
        from tellapart.serve.process.server import run_process

        run_process(
            run.path, settings, listening, quiet=quiet,
            started=lambda served: started(address, served.name),
        )  # fmt: skip


def bind(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        SettingsError: If the address cannot be had.
    """
    try:
        [(family, kind, protocol, _, where), *_] = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError as error:
        raise SettingsError(
            f"--host {host} is no address of this machine: {error.strerror}.",
            remedy="Use 127.0.0.1, or 0.0.0.0 for all of its addresses.",
            code="no_such_host",
        ) from None
    listening = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":  # elsewhere it would let two servers share a port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(where)
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise _refused(host, port, error) from None
    listening.setblocking(False)
    return listening


def _refused(host: str, port: int, error: OSError) -> TellapartError:
    if error.errno == errno.EADDRINUSE:
        return SettingsError(
            f"Port {port} on {host} is in use.",
            remedy="Stop what uses it, or choose another: --port 0 takes a free one.",
            code="port_in_use",
        )
    if error.errno == errno.EACCES:
        return SettingsError(
            f"Port {port} may not be used: {error.strerror}.",
            remedy="Choose one from 1024 up.",
            code="port_not_allowed",
        )
    return SettingsError(
        f"{host} port {port} cannot be used: {error.strerror}.",
        remedy="Use an address of this machine, such as 127.0.0.1.",
        code="no_such_host",
    )


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
