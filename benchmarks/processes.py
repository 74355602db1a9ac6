"""Processes that are measured: how long they took, what they said, how much memory they had.

Seconds count from just before the process is started to its end. Anonymous memory is what
Linux calls ``RssAnon``, summed over the process and all its descendants.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.errors import BenchmarkError

ROOT = Path(__file__).parents[1]
PEERS = Path(__file__).parent / "peers"
OURS = Path(__file__).parent / "ours"
LOOK_EVERY = 0.1  # seconds between two looks at memory
START_WITHIN = 120.0  # seconds for a server to answer


@dataclass(frozen=True)
class Finished:
    """A process that ended well.

    Attributes:
        seconds: From its start to its end.
        output: What it wrote to standard output.
        memory_mb: Most anonymous memory of its whole tree in MB (1,000,000 bytes), or None
            where it was not watched or the system does not tell.
    """

    seconds: float
    output: str
    memory_mb: float | None

    def json(self) -> Any:
        """The JSON document in its last line, or in all of its output.

        Raises:
            BenchmarkError: If there is none.
        """
        lines = self.output.strip().splitlines() or [""]
        for text in (lines[-1], self.output):
            try:
                return json.loads(text)
            except ValueError:
                continue
        raise BenchmarkError(f"A measured process did not end with JSON but with: {lines[-1]!r}")


def run(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path,
    watch_memory: bool = False,
) -> Finished:
    """Run a command to its end.

    Args:
        command: Program and arguments.
        env: Its whole environment.
        cwd: Where it runs.
        watch_memory: Look at the memory of its tree ten times a second.

    Raises:
        BenchmarkError: If it cannot be started or exits with another code than 0.
    """
    arguments = [str(part) for part in command]
    # Files, not pipes: no thread of ours reads along while something is timed.
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        try:
            process = subprocess.Popen(
                arguments, env=dict(env), cwd=cwd, stdout=output, stderr=errors
            )
        except OSError as error:
            raise BenchmarkError(f"{arguments[0]} cannot be started: {error}") from error
        memory: float | None = None
        try:
            if watch_memory:
                memory = _watch(process)
            process.wait()
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
        seconds = time.perf_counter() - start
        said = _text(output)
        if process.returncode != 0:
            tail = "\n".join((_text(errors) + said).strip().splitlines()[-15:])
            shown = " ".join(arguments[:6])
            raise BenchmarkError(f"{shown} … ended with code {process.returncode}:\n{tail}")
    return Finished(seconds, said, memory)


@contextlib.contextmanager
def serving(
    command: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path, port: int
) -> Iterator[Callable[[], float]]:
    """A server that runs as long as the block.

    Args:
        command: Program and arguments.
        env: Its whole environment.
        cwd: Where it runs.
        port: Of the loopback; the block begins when somebody answers there.

    Yields:
        What gives the anonymous memory of its whole tree now, in MB (1,000,000 bytes).

    Raises:
        BenchmarkError: If nobody answers within two minutes.
    """
    arguments = [str(part) for part in command]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(arguments, env=dict(env), cwd=cwd, stdout=said, stderr=said)
        try:
            until = time.monotonic() + START_WITHIN
            while not _answers(port):
                if process.poll() is not None or time.monotonic() > until:
                    tail = "\n".join(_text(said).strip().splitlines()[-15:])
                    raise BenchmarkError(f"{' '.join(arguments[:4])} … does not answer:\n{tail}")
                time.sleep(LOOK_EVERY)
            yield lambda: round(anonymous_mb(_statuses(), process.pid), 1)
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def _answers(port: int) -> bool:
    """Whether a server answers; some listen a while before they do."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            return connection.recv(16).startswith(b"HTTP/1.1 ")
    except OSError:
        return False


def tellapart_command() -> list[str]:
    """How ``tellapart`` is started with the Python that runs this."""
    script = Path(sys.executable).parent / "tellapart"
    if script.is_file():
        return [str(script)]
    return [sys.executable, "-c", "from tellapart.cli import main; main()"]


def our_environment(cache: Path) -> dict[str, str]:
    """The environment of a process of ours, with its cache in ``cache``."""
    env = {**os.environ, "TELLAPART_CACHE": str(cache)}
    env.pop("TELLAPART_CACHE_LIMIT", None)
    if named := env.get("PYTHONPATH"):  # it runs in another folder
        env["PYTHONPATH"] = os.pathsep.join(
            str(Path(part).resolve()) for part in named.split(os.pathsep)
        )
    return env


def peers_python() -> Path:
    """The Python with TensorFlow: ``BENCH_PEERS_PYTHON``, or that of ``.venv-peers``.

    Raises:
        BenchmarkError: If there is none.
    """
    named = os.environ.get("BENCH_PEERS_PYTHON", "")
    path = Path(named) if named else ROOT / ".venv-peers" / "bin" / "python"
    if not path.exists():
        raise BenchmarkError(
            f"The peers' Python is missing ({path}). 'make bench' installs it; or let "
            "BENCH_PEERS_PYTHON name one that has what requirements/peers.in lists."
        )
    return path


def peers_environment() -> dict[str, str]:
    """The environment of a peer: Keras on TensorFlow, and nothing of ours."""
    env = {**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    env.pop("PYTHONPATH", None)
    return env


def anonymous_mb(statuses: Mapping[int, str], root: int) -> float:
    """Anonymous memory of a process and all its descendants, in MB.

    Args:
        statuses: Content of ``/proc/PID/status`` by process number.
        root: The process.
    """
    parents = {pid: int(_field(text, "PPid")) for pid, text in statuses.items()}
    family = {root}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    kilobytes = sum(int(_field(statuses.get(pid, ""), "RssAnon")) for pid in family)
    return kilobytes * 1024 / 1e6


def _watch(process: subprocess.Popen[bytes]) -> float | None:
    if not Path("/proc/self/status").is_file():
        return None
    peak = 0.0
    ended = threading.Event()
    while process.poll() is None:
        peak = max(peak, anonymous_mb(_statuses(), process.pid))
        ended.wait(LOOK_EVERY)
    return round(peak, 1)


def _statuses() -> dict[int, str]:
    found: dict[int, str] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                found[int(folder.name)] = (folder / "status").read_text(errors="replace")
            except OSError:  # it has ended meanwhile
                continue
    return found


def _field(status: str, name: str) -> str:
    match = re.search(rf"^{name}:\s+(\d+)", status, re.MULTILINE)
    return match[1] if match else "0"


def _text(file: Any) -> str:
    file.seek(0)
    return str(file.read().decode("utf-8", errors="replace"))
