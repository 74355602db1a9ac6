"""Whether the server is alive and ready, and its metrics."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from tellapart.serve.api.context import context_of
from tellapart.serve.api.errors import RequestError, as_json
from tellapart.serve.metrics import CONTENT_TYPE

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Is the process alive?")
async def healthz() -> Response:
    """Answers as long as the process runs."""
    return as_json({"status": "ok"})


@router.get(
    "/readyz",
    summary="Is the server ready for pictures?",
    responses={503: {"description": "The server is full, or about to stop."}},
)
async def readyz(request: Request) -> Response:
    """Answers 503 while the queue is full, and after the server was told to stop."""
    if not is_ready(request):
        raise RequestError(503, "not_ready", "The server is not ready for pictures.", retry_after=1)
    return as_json({"status": "ready"})


@router.get("/metrics", summary="Numbers for Prometheus", response_class=Response)
async def metrics(request: Request) -> Response:
    """Requests, pictures, stages, batches and the queue, in Prometheus' text format."""
    context = context_of(request)
    context.metrics.queue.set(context.engine.inside)
    context.metrics.bodies.set(context.bodies.held)
    return Response(context.metrics.text(), headers={"content-type": CONTENT_TYPE})


def is_ready(request: Request) -> bool:
    """Whether the engine has room and is not about to stop."""
    engine = context_of(request).engine
    return not engine.is_closing and engine.inside < engine.queue
