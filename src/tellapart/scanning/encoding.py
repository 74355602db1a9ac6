"""How the cache stores the facts and the thumbnail of one picture."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.images.decoder import DECODER
from tellapart.scanning.consumers import Consumer
from tellapart.scanning.facts import FACTS, THUMB, VERSION, Fact, Record

KIND = f"facts/{VERSION}/{DECODER}"
"""Names the records in the cache."""

PASSING = ("unreadable", "unsupported")
"""Errors that can disappear later or with another package, so they are never stored."""


def pack(record: Record, thumb: NDArray[np.uint8] | None) -> bytes:
    """Record and thumbnail as one value of the cache."""
    pixels = np.zeros((THUMB, THUMB), np.uint8) if thumb is None else thumb
    return pixels.tobytes() + json.dumps(record, separators=(",", ":")).encode()


def unpack(
    value: bytes | None, facts: Sequence[Fact] = FACTS
) -> tuple[Record, NDArray[np.uint8]] | None:
    """Record and thumbnail, or None if there are none, a fact is missing, or it is damaged."""
    if value is None:
        return None
    cut = THUMB * THUMB
    try:
        record = json.loads(value[cut:])
    except ValueError:
        return None
    if not isinstance(record, dict) or "error" not in record:
        return None
    if record["error"] is None and any(fact.name not in record for fact in facts):
        return None
    return record, np.frombuffer(value, np.uint8, cut).reshape(THUMB, THUMB)


def unpack_answer(consumer: Consumer, value: bytes | None) -> NDArray[Any] | None:
    """A consumer's answer, or None if there is none or it has another shape."""
    if value is None or len(value) != math.prod(consumer.shape) * consumer.dtype.itemsize:
        return None
    return np.frombuffer(value, consumer.dtype).reshape(consumer.shape)
