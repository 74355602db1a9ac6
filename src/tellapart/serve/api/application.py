"""The application: routes, errors and middleware, built from a run and settings."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from tellapart.core.version import __version__
from tellapart.serve.api import health, open_inference, openapi, pages, predictions
from tellapart.serve.api.bodies import Bodies
from tellapart.serve.api.context import Context
from tellapart.serve.api.direct import Direct
from tellapart.serve.api.errors import RequestError
from tellapart.serve.api.middleware import Gate, Key, internal
from tellapart.serve.engine.loaded import LoadedRun
from tellapart.serve.engine.scheduler import Engine
from tellapart.serve.logs import RequestLog
from tellapart.serve.metrics import Metrics
from tellapart.serve.settings import ServeSettings

_ABOUT = """\
Classifies pictures with one model that tellapart trained. `/v1` is made for it; `/v2` is the Open
Inference Protocol, for existing clients of it. If a key is set, send it as
`Authorization: Bearer KEY` or `X-API-Key: KEY`.
"""


def build(
    served: LoadedRun, settings: ServeSettings, *, threads: int, requests: RequestLog | None = None
) -> tuple[ASGIApp, Context]:
    """The application of one process.

    Args:
        served: The run that answers.
        settings: How.
        threads: Threads that decode and run the model.
        requests: The log of requests, if there is one.

    Returns:
        The application, and its parts; the engine is running.
    """
    metrics = Metrics()
    engine = Engine(
        served,
        threads=threads,
        batch=settings.batch,
        max_latency=settings.max_latency_ms / 1000,
        queue=settings.queue,
        max_pixels=settings.max_pixels,
        watch=metrics.watch,
    )
    context = Context(settings, engine, Bodies(settings), metrics)
    app = FastAPI(
        title="tellapart",
        version=__version__,
        description=_ABOUT,
        docs_url=None,  # their pages load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.context = context
    for part in (predictions, open_inference, health, pages):
        app.include_router(part.router)
    pages.mount(app)
    app.add_exception_handler(RequestError, _fault)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _internal)
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]
    infer = partial(open_inference.infer, name=settings.name)
    direct = Direct(
        app,
        {
            "/v1/predict": ("/v1/predict", predictions.predict),
            f"/v2/models/{settings.name}/infer": ("/v2/models/{name}/infer", infer),
        },
    )
    inner: ASGIApp = Key(direct, settings)
    if settings.cors:
        inner = CORSMiddleware(
            inner,
            allow_origins=list(settings.cors),
            allow_methods=["GET", "POST"],
            allow_headers=[
                *("authorization", "content-type", "x-api-key", "x-request-id"),
                "inference-header-content-length",
            ],
            expose_headers=["x-request-id", "retry-after", "inference-header-content-length"],
        )
    return Gate(inner, settings, metrics, requests or RequestLog(None)), context


def _fault(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)
    return error.response(path=request.url.path)


def _internal(request: Request, error: Exception) -> Response:
    """The answer; the gate logs the traceback."""
    return internal().response(path=request.url.path)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    codes = {404: "no_such_page", 405: "method"}
    fault = RequestError(
        error.status_code,
        codes.get(error.status_code, "http"),
        f"{error.detail}.",
        headers=error.headers,
    )
    return fault.response(path=request.url.path)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])[:100]
    return RequestError(422, "parameter", f"{where}: {first['msg']}.").response(
        path=request.url.path
    )


def _document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, made once."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        for path, methods in made["paths"].items():
            for route in methods.values():
                _complete(route, path)
        schemas = made.setdefault("components", {}).setdefault("schemas", {})
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        schemas.update(openapi.definitions())
        many = made["paths"]["/v1/predict"]["post"]["requestBody"]["content"].values()
        for content in many:
            [pictures] = content["schema"]["properties"].values()
            pictures["maxItems"] = app.state.context.settings.max_pictures
        app.openapi_schema = made
    return app.openapi_schema


def _complete(route: dict[str, Any], path: str) -> None:
    """Correct FastAPI's description of a route: its errors, and versions not in the path."""
    if "HTTPValidationError" in str(route["responses"].get("422")):
        del route["responses"]["422"]  # we never send it
    if path.startswith("/v2"):  # the version is part of the path, or is not given
        given = route.get("parameters", [])
        route["parameters"] = [one for one in given if one["in"] == "path"]
    example = openapi.ANSWERS.get(path.replace("/versions/{version}", ""))
    if example is not None:
        route["responses"]["200"]["content"]["application/json"]["example"] = example
