"""The engine's jobs: pictures, and the requests that they belong to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from tellapart.core.errors import TellapartError
from tellapart.core.typing import Floats
from tellapart.explanations import Explanation
from tellapart.images.resizing import RGB
from tellapart.serve.engine.loaded import LoadedRun

Answer = Floats | Explanation | TellapartError
"""Probabilities float32 ``[K]``, a heat map, or why there is none."""


class Full(Exception):
    """There is no room in the queue.

    Attributes:
        retry_after: Seconds after which there should be room.
    """

    def __init__(self, retry_after: int) -> None:
        super().__init__("the queue is full")
        self.retry_after = retry_after


@dataclass(slots=True, eq=False)
class Work:
    """One picture to be answered.

    Attributes:
        picture: An encoded file, or uint8 ``[H, W, 3]``.
        kind: Whether probabilities or a heat map is wanted.
        target: The class of the heat map; the predicted one unless given.
    """

    picture: bytes | RGB
    kind: Literal["predict", "explain"] = "predict"
    target: str | None = None
    answer: Answer | None = None
    order: Order | None = field(default=None, repr=False)
    square: RGB | None = field(default=None, repr=False)
    ready: float = 0.0


class Order:
    """The pictures of one request, answered together.

    Args:
        works: The pictures.
        served: The run that answers all of them.
        done: Called once from a thread of the engine when all have their answer.
    """

    def __init__(
        self, works: Sequence[Work], served: LoadedRun, done: Callable[[], object] | None = None
    ) -> None:
        self.works = works
        self.served = served
        self.done = done
        self.left = len(works)
        self.dropped = False
        for work in works:
            work.order = self
