"""The parts of the server that all routes share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from starlette.requests import Request

from tellapart.serve.api.bodies import Bodies
from tellapart.serve.engine.scheduler import Engine
from tellapart.serve.metrics import Metrics
from tellapart.serve.settings import ServeSettings

T = TypeVar("T")

_LONG = 1024**2
"""Bytes; parsing a larger body would hold up the event loop."""
_AT_ONCE = 1
"""How many such bodies are parsed at once: parsed JSON takes up to 25 times the memory."""


@dataclass(frozen=True)
class Context:
    """A running server's parts.

    Attributes:
        settings: How it serves.
        engine: Runs the model.
        bodies: Reads bodies.
        metrics: Counts.
    """

    settings: ServeSettings
    engine: Engine
    bodies: Bodies
    metrics: Metrics
    _parsers: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(_AT_ONCE, "parser"), repr=False
    )

    async def parsed(self, size: int, parse: Callable[[], T]) -> T:
        """The result of ``parse``, which is called in a thread if the body is large."""
        if size < _LONG:
            return parse()
        return await asyncio.get_running_loop().run_in_executor(self._parsers, parse)


def context_of(request: Request) -> Context:
    """The parts of the server that answers a request."""
    context: Context = request.app.state.context
    return context
