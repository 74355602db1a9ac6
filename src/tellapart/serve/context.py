"""What the routes share."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from tellapart.serve.bodies import Bodies
from tellapart.serve.engine import Engine
from tellapart.serve.metrics import Metrics
from tellapart.serve.settings import ServeSettings


@dataclass(frozen=True)
class Context:
    """A running server's parts.

    Attributes:
        settings: How it serves.
        engine: What answers.
        bodies: What reads bodies.
        metrics: What counts.
    """

    settings: ServeSettings
    engine: Engine
    bodies: Bodies
    metrics: Metrics


def context_of(request: Request) -> Context:
    """The parts of the server that a request came to."""
    context: Context = request.app.state.context
    return context
