"""The scan's work on a few pictures: bytes and plain options in, plain values out.

:func:`read_chunk` knows neither cache nor catalog nor any other picture. Its arguments and its
result pickle (if the consumers do), so it can run in a thread, another process or on another
machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tellapart.core.errors import PictureError
from tellapart.images.decoder import decode
from tellapart.images.resizing import RGB, Fit, resize
from tellapart.scanning.consumers import Consumer
from tellapart.scanning.facts import FACTS, SIDE, Fact, Record, failure, measure


class Request(NamedTuple):
    """A request about one picture.

    Attributes:
        data: The file's bytes.
        facts: Whether its facts are requested.
        consumers: Keys of the consumers whose answers are requested.
    """

    data: bytes
    facts: bool
    consumers: frozenset[str]


class Reading(NamedTuple):
    """The result for one picture.

    Attributes:
        record: Its facts, or why it cannot be decoded; None if facts were not requested.
        thumb: uint8 ``[64, 64]`` luma; None if ``record`` has no facts.
        answers: The consumers' answers by key.
    """

    record: Record | None
    thumb: NDArray[np.uint8] | None
    answers: dict[str, NDArray[Any]]


def read_chunk(
    requests: Sequence[Request], consumers: Sequence[Consumer], facts: Sequence[Fact] = FACTS
) -> list[Reading]:
    """Decode and measure pictures, then give each consumer its pixels as one batch.

    Args:
        requests: The pictures.
        consumers: All consumers that requests can name.
        facts: The facts to measure.

    Returns:
        A reading for each request, in the same order.
    """
    readings: list[Reading] = []
    batches: dict[str, list[tuple[Reading, RGB]]] = {each.key: [] for each in consumers}
    for request in requests:
        record, thumb = None, None
        answers: dict[str, NDArray[Any]] = {}
        squares: dict[tuple[int, Fit], RGB] = {}  # consumers of one size share one resize
        waiting: list[tuple[str, RGB]] = []
        try:
            picture = decode(request.data)
        except PictureError as error:
            readings.append(Reading(failure(error), None, answers))
            continue
        for consumer in consumers:
            if consumer.key in request.consumers:
                target = (consumer.size, consumer.fit)
                if target not in squares:
                    squares[target] = resize(picture.pixels, *target)
                waiting.append((consumer.key, squares[target]))
        if request.facts:
            record, thumb = measure(picture, squares.get((SIDE, "squash")), facts)
        reading = Reading(record, thumb, answers)
        readings.append(reading)
        for key, pixels in waiting:
            batches[key].append((reading, pixels))
    for consumer in consumers:
        if batch := batches[consumer.key]:
            found = consumer.apply(np.stack([pixels for _, pixels in batch]))
            for (reading, _), answer in zip(batch, found, strict=True):
                reading.answers[consumer.key] = answer
    return readings
