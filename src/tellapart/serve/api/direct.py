"""A short cut for the most frequent requests, around FastAPI.

FastAPI documents all routes, and answers all requests that have a query. A POST of pictures without
a query goes straight to the same function: FastAPI's routing, dependencies and layers cost as much
as everything else that Python does for a request (docs/decisions/0074).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import SimpleNamespace

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tellapart.serve.api.errors import RequestError

Endpoint = Callable[[Request], Awaitable[Response]]


class Direct:
    """Answers some POST requests itself, and passes on all others.

    Args:
        app: The application that has all routes.
        routes: By path: the name of the path in the metrics, and the function that answers.
    """

    def __init__(self, app: ASGIApp, routes: Mapping[str, tuple[str, Endpoint]]) -> None:
        self._app = app
        self._routes = {
            path: (SimpleNamespace(path=name), answer) for path, (name, answer) in routes.items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        found = None
        if scope["type"] == "http" and scope["method"] == "POST" and not scope["query_string"]:
            found = self._routes.get(scope["path"])
        if found is None:
            await self._app(scope, receive, send)
            return
        scope["route"], endpoint = found
        scope["app"] = self._app
        try:
            response = await endpoint(Request(scope, receive))
        except RequestError as fault:
            response = fault.response(path=scope["path"])
        await response(scope, receive, send)
