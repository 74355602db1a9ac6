"""``/v1``: pictures to predictions and heat maps."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from tellapart.core.errors import PictureError, TellapartError
from tellapart.serve.api import openapi
from tellapart.serve.api.context import Context, context_of
from tellapart.serve.api.errors import RequestError, as_json
from tellapart.serve.api.messages import (
    ErrorOut,
    ExplainOut,
    PredictOut,
    Sent,
    error_row,
    explained,
    pictures_in,
    row_of,
)
from tellapart.serve.api.middleware import seen
from tellapart.serve.engine.jobs import Answer, Full, Work
from tellapart.serve.engine.loaded import LoadedRun

router = APIRouter(prefix="/v1", tags=["pictures"])

Top = Annotated[
    int | None,
    Query(ge=1, le=100_000, description="Return only this many classes, the most probable ones."),
]


@router.post(
    "/predict",
    summary="Classify pictures",
    response_model=PredictOut,
    responses=openapi.responses(ErrorOut, 400, 408, 413, 415, 422, 503, 504),
    openapi_extra=openapi.body("PicturesIn", many=True),
)
async def predict(request: Request, top: Top = None) -> Response:
    """Classify one picture or many.

    Send files as a form (`curl -F picture=@cat.jpg`, once for each picture), or base64 in JSON. A
    picture that cannot be decoded gets a row with its `error`; the others are classified.
    """
    context = context_of(request)
    async with context.bodies.of(request) as body:
        sent = await _sent(request, body, context, single=False)
        del body
        seen(request.scope).pictures = len(sent)
        served = context.engine.served
        works = [Work(one.data) for one in sent if isinstance(one.data, bytes)]
        answers = iter(await answered(context, works, served))
        count = len(served.classes) if top is None else min(top, len(served.classes))
        rows = []
        for one in sent:
            answer = one.data if isinstance(one.data, PictureError) else next(answers)
            if isinstance(answer, PictureError):
                context.metrics.pictures.labels(answer.code).inc()
                rows.append(error_row(one.path, answer))
                continue
            assert isinstance(answer, np.ndarray)
            context.metrics.pictures.labels("ok").inc()
            order = np.argsort(-answer, kind="stable")[:count].tolist()
            rows.append(row_of(one.path, answer, served.classes, order))
    return as_json({"schema": 1, "model": _model(context, served), "rows": rows})


@router.post(
    "/explain",
    summary="Draw a heat map",
    response_model=ExplainOut,
    responses=openapi.responses(ErrorOut, 400, 404, 408, 413, 415, 422, 503, 504),
    openapi_extra=openapi.body("ExplainIn", many=False),
)
async def explain(
    request: Request,
    target: Annotated[
        str | None, Query(max_length=1000, description="The class; the predicted one unless given.")
    ] = None,
) -> Response:
    """Where in a picture the evidence for a class lies.

    Send one picture, as a form or as base64 in JSON. If it cannot be decoded, the answer has its
    `error`. Only for models whose heat map costs no more than a second run of the network:
    `heat_map` in `GET /v1/model` says whether this one does.
    """
    context = context_of(request)
    served = context.engine.served
    if served.heat is None:
        raise RequestError(
            404, "no_heat_map", "This model has no quick heat map.",
            "Use 'tellapart explain RUN PICTURE --method occlusion'.",
        )  # fmt: skip
    if target is not None and target not in served.classes:
        raise RequestError(
            404, "unknown_class", "The model has no such class.", "See GET /v1/model."
        )
    async with context.bodies.of(request) as body:
        [one] = await _sent(request, body, context, single=True)
        del body
        seen(request.scope).pictures = 1
        answer: Answer = one.data if isinstance(one.data, PictureError) else np.empty(0, np.float32)
        if isinstance(one.data, bytes):
            [answer] = await answered(context, [Work(one.data, "explain", target)], served)
    context.metrics.pictures.labels(
        answer.code if isinstance(answer, TellapartError) else "ok"
    ).inc()
    return as_json(
        {"schema": 1, "model": _model(context, served), "path": one.path, **explained(answer)}
    )


@router.get("/model", summary="The model's card")
async def model(request: Request) -> Response:
    """The model: its classes, its measured accuracy, and when it was trained on which data."""
    context = context_of(request)
    return as_json({"schema": 1, **context.engine.served.card, "serves_as": context.settings.name})


async def answered(context: Context, works: Sequence[Work], served: LoadedRun) -> Sequence[Answer]:
    """The engine's answers.

    Raises:
        RequestError: If there is no room (503), or it took too long (504).
    """
    try:
        return await context.engine.run(works, timeout=context.settings.timeout, served=served)
    except Full as full:
        raise RequestError(
            503, "busy", "The queue is full.", f"Send it again in {full.retry_after} s.",
            retry_after=full.retry_after,
        ) from None  # fmt: skip
    except TimeoutError:
        raise RequestError(
            504, "timeout", f"There was no answer within {context.settings.timeout:g} s.",
            "Send fewer or smaller pictures.",
        ) from None  # fmt: skip


async def _sent(request: Request, body: bytes, context: Context, *, single: bool) -> list[Sent]:
    kind = request.headers.get("content-type", "")
    most = context.settings.max_pictures
    return await context.parsed(
        len(body), partial(pictures_in, body, kind, most=most, single=single)
    )


def _model(context: Context, served: LoadedRun) -> dict[str, Any]:
    return {"name": context.settings.name, "version": served.version}
