"""Load a server with wrk, a client that takes next to nothing of the cores it shares with it."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from benchmarks import processes
from benchmarks.bench import Said
from benchmarks.errors import BenchmarkError

_PICTURES = 500
_SCRIPT = processes.OURS / "post.lua"


def load(url: str, field: str, folder: Path, *, clients: int, seconds: int) -> Said:
    """Post forms of one picture each, on connections that stay open, the next after the answer.

    Args:
        url: Where to.
        field: What the form calls the picture.
        folder: Some 500 of its JPEGs, spread evenly, are sent in turn.
        clients: Connections at once.
        seconds: How long.

    Returns:
        ``seconds``, ``pictures``, and of the latency ``p50_ms`` and ``p99_ms``.

    Raises:
        BenchmarkError: If wrk is missing, or an answer was not 200 or did not come.
    """
    program = shutil.which("wrk")
    if program is None:
        raise BenchmarkError("wrk is missing. Debian and Ubuntu: apt install wrk.")
    found = sorted(folder.rglob("*.jpg"))
    found = found[:: max(1, len(found) // _PICTURES)][:_PICTURES]
    with tempfile.TemporaryDirectory() as work:
        listing = Path(work) / "pictures"
        listing.write_text("".join(f"{path.resolve()}\n" for path in found), encoding="utf-8")
        how = ("-t1", f"-c{clients}", f"-d{seconds}s", "--timeout", "60s", "-s", _SCRIPT)
        command = [program, *how, url, "--", field, listing]
        said: Said = processes.run(command, env=os.environ, cwd=Path(work)).json()
    if said.pop("failed"):
        raise BenchmarkError(f"{url} did not answer all requests of {clients} clients with 200.")
    return said
