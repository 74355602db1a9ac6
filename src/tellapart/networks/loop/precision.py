"""Which precision a network trains in: float32, or mixed_bfloat16 where that is faster."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from tellapart.networks.devices import hardware
from tellapart.networks.loop import backend
from tellapart.networks.loop.learner import Learner
from tellapart.networks.loop.throughput import Throughput

_WORTH = 0.95  # of the time in float32 that mixed_bfloat16 may take at most
_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}
_CPUINFO = Path("/proc/cpuinfo")


def has_bfloat16() -> bool:
    """Whether the processor computes in bfloat16, or there is another device."""
    devices = hardware.found(backend.keras())
    if any(not name.lower().startswith("cpu") for name in devices):
        return True
    try:
        text = _CPUINFO.read_text(errors="replace")
    except OSError:
        return False
    flags = re.search(r"^(?:flags|Features)\s*:(.*)$", text, re.MULTILINE)
    return flags is not None and bool(_FLAGS & set(flags[1].split()))


def faster(
    build: Callable[[str], Learner], measure: Callable[[Learner], Throughput], steps: int
) -> tuple[Learner, str, Throughput, str]:
    """Train a little in both precisions, and take the faster one.

    Args:
        build: Makes a learner in a precision.
        measure: Measures its speed.
        steps: Batches of an epoch.

    Returns:
        The learner, its precision, its speed, and a sentence for the report.
    """
    plain, mixed = build("float32"), build("mixed_bfloat16")
    plain_speed, mixed_speed = measure(plain), measure(mixed)
    usual, other = plain_speed.epoch_seconds(steps), mixed_speed.epoch_seconds(steps)
    ratio = usual / max(other, 1e-9)
    if other < _WORTH * usual:
        sentence = f"Trained in mixed_bfloat16, {ratio:.2f} times as fast as float32 here."
        return mixed, "mixed_bfloat16", mixed_speed, sentence
    sentence = f"Trained in float32; mixed_bfloat16 is {ratio:.2f} times as fast here."
    return plain, "float32", plain_speed, sentence
