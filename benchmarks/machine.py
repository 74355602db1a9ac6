"""On what, and with which sources, something was measured. Nothing here names a path."""

from __future__ import annotations

import hashlib
import os
import platform
from pathlib import Path
from typing import Any

import tellapart
from tellapart.core.resources import processor


def describe() -> dict[str, Any]:
    """Cores, processor, memory, system, and how busy it was before."""
    return {
        "cores": cores(),
        "cpu": processor(),
        "memory_gb": memory_gb(),
        "system": f"{platform.system()} {platform.machine()}",
        "load_before": round(os.getloadavg()[0], 2),
    }


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_gb() -> float:
    """Memory of the machine in GB of 1,000,000,000 bytes."""
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)


def code() -> str:
    """Short hash of tellapart's sources: the same for the same code, committed or not."""
    root = Path(str(tellapart.__file__)).parent
    total = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            total.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()[:12]
