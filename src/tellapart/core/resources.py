"""Time per stage, peak memory, and the processor: what differs between two equal runs.

Memory is anonymous memory (``RssAnon`` in Linux's ``/proc/self/status``), which does not include
mapped files. On other systems it is the peak resident size.
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_STATUS = Path("/proc/self/status")
_EVERY = 0.05  # seconds between two measurements of memory


def processor() -> str:
    """The name of the processor, from the operating system."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor() or platform.machine()
    match = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return match[1].strip() if match else platform.machine()


class Stopwatch:
    """Measures the time of named stages, and the peak memory while it is open.

    Example:
        >>> with Stopwatch() as watch:
        ...     with watch.stage("reading", pictures=100):
        ...         pass
        >>> sorted(watch.as_json())
        ['images_per_second', 'peak_memory_mb', 'seconds']
    """

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._seconds: dict[str, float] = {}
        self._pictures: dict[str, int] = {}
        self._peak = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory", daemon=True)

    def __enter__(self) -> Stopwatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @contextlib.contextmanager
    def stage(self, name: str, *, pictures: int | None = None) -> Iterator[None]:
        """Measure the time of a ``with`` block, and its speed if ``pictures`` is given."""
        start = time.perf_counter()
        yield
        self.add(name, time.perf_counter() - start, pictures=pictures)

    def add(self, name: str, seconds: float, *, pictures: int | None = None) -> None:
        """Add seconds that were measured elsewhere."""
        self._seconds[name] = self._seconds.get(name, 0.0) + seconds
        if pictures is not None:
            self._pictures[name] = pictures

    def as_json(self) -> dict[str, Any]:
        """Content of ``timings.json``."""
        self._peak = max(self._peak, anonymous_mb())
        total = time.perf_counter() - self._start
        return {
            "seconds": {
                "total": round(total, 3),
                **{name: round(value, 3) for name, value in self._seconds.items()},
            },
            "images_per_second": {
                name: round(count / max(self._seconds[name], 1e-9), 1)
                for name, count in self._pictures.items()
            },
            "peak_memory_mb": round(self._peak, 1),
        }

    def _watch(self) -> None:
        while not self._stop.wait(_EVERY):
            self._peak = max(self._peak, anonymous_mb())


def cores() -> int:
    """Cores that this process may use; in a container these can be fewer than the machine's."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


def anonymous_mb() -> float:
    """Anonymous memory of this process now, in MB (of 1,000,000 bytes)."""
    try:
        match = re.search(r"RssAnon:\s+(\d+) kB", _STATUS.read_text(encoding="ascii"))
    except OSError:
        match = None
    if match is not None:
        return int(match[1]) * 1024 / 1e6
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
