"""What applies to every request: its id, the host name, the key, and the headers of the answer."""

from __future__ import annotations

import base64
import binascii
import hmac
import logging
import re
import secrets
import time
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tellapart.serve.api.errors import RequestError
from tellapart.serve.logs import RequestLog, log
from tellapart.serve.metrics import Metrics
from tellapart.serve.settings import ServeSettings

OPEN = frozenset({"/healthz", "/readyz", "/v2/health/live", "/v2/health/ready"})
"""Paths that need neither key nor host name: monitoring has no key, and asks by address."""
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^\s:/@\[\]]+)(?::[0-9]{1,5})?")
_ID = re.compile(r"[A-Za-z0-9._\-]{1,64}")
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(self), microphone=(), geolocation=()"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
    (b"cache-control", b"no-store"),
)
"""Headers of every answer that does not set them itself."""


@dataclass
class Seen:
    """What is recorded about a request while it is answered.

    Attributes:
        id: Its id.
        pictures: How many pictures it held.
        status: Of its answer, 0 before there is one.
    """

    id: str
    pictures: int = 0
    status: int = 0


def seen(scope: Scope) -> Seen:
    """What is recorded about a request."""
    found: Seen = scope["tellapart.seen"]
    return found


def internal() -> RequestError:
    """What a client is told of an error of ours; the log has the rest, under the request's id."""
    return RequestError(
        500, "internal", "The server failed on this request.",
        "Its log says more, under the id in X-Request-ID.",
    )  # fmt: skip


class Gate:
    """The outermost layer: ids, the log, the numbers, the headers of every answer, the host.

    Args:
        app: What is inside.
        settings: Which hosts are allowed.
        metrics: Where requests are counted.
        requests: Where they are written down.
    """

    def __init__(
        self, app: ASGIApp, settings: ServeSettings, metrics: Metrics, requests: RequestLog
    ) -> None:
        self._app = app
        self._log = requests
        self._hosts = settings.hosts
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and complete its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        note = Seen(given if _ID.fullmatch(given) else secrets.token_hex(8))
        is_head = scope["method"] == "HEAD"
        if is_head:  # asks for what GET would get, without the body
            scope = {**scope, "method": "GET"}
        scope["tellapart.seen"] = note

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                note.status = message["status"]
                made = list(message.get("headers", ()))
                there = {name for name, _ in made}
                made += [pair for pair in _HEADERS if pair[0] not in there]
                made.append((b"x-request-id", note.id.encode("ascii")))
                message["headers"] = made
            elif is_head:
                message = {**message, "body": b""}
            await send(message)

        try:
            if self._has_wrong_host(scope["path"], headers):
                fault = RequestError(
                    421, "host", "This server does not accept that host name.",
                    "Use its address, or start it with --allow-host.",
                )  # fmt: skip
                await fault.response(path=scope["path"])(scope, receive, answer)
            else:
                await self._app(scope, receive, answer)
        except Exception:
            log("error", level=logging.ERROR, exc_info=True, request_id=note.id)
            if not note.status:
                await internal().response(path=scope["path"])(scope, receive, answer)
        finally:
            method = "HEAD" if is_head else scope["method"]
            self._note(scope, method, note, time.perf_counter() - start)

    def _has_wrong_host(self, path: str, headers: Headers) -> bool:
        """Whether a request uses a host name that is not allowed."""
        return self._hosts is not None and path not in OPEN and _host(headers) not in self._hosts

    def _note(self, scope: Scope, method: str, note: Seen, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "other")
        method = method if method in _METHODS else "other"
        self._metrics.request(route, method, note.status, seconds)
        self._log.add(
            {
                "request_id": note.id,
                "method": method,
                "path": scope["path"][:200],
                "status": note.status,
                "ms": round(1000 * seconds, 1),
                "pictures": note.pictures,
                "client": scope["client"][0] if scope.get("client") else None,
            }
        )


class Key:
    """Refuses requests without the key, if one is set, and requests from pages of other sites.

    Programs send the key as ``Authorization: Bearer KEY`` or ``X-API-Key: KEY``; browsers ask
    for it as a password and send it as ``Basic``, with any user name.

    Args:
        app: What is inside.
        settings: The key, and the origins that may ask.
    """

    def __init__(self, app: ASGIApp, settings: ServeSettings) -> None:
        self._app = app
        key = settings.api_key
        self._key = None if key is None else key.get_secret_value().encode("ascii")
        self._origins = frozenset(settings.cors)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "http" and scope["path"] not in OPEN:
            headers = Headers(scope=scope)
            fault = self._cross_site(headers) or self._without_key(headers)
            if fault is not None:
                await fault.response(path=scope["path"])(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _without_key(self, headers: Headers) -> RequestError | None:
        if self._key is None or hmac.compare_digest(_sent_key(headers), self._key):
            return None
        return RequestError(
            401, "key", "The key is missing or wrong.",
            "Send it as 'Authorization: Bearer KEY' or as 'X-API-Key: KEY'.",
            headers={"www-authenticate": 'Basic realm="tellapart", charset="UTF-8"'},
        )  # fmt: skip

    def _cross_site(self, headers: Headers) -> RequestError | None:
        """Refuse a request that the browser marks as coming from another site."""
        if headers.get("sec-fetch-site") != "cross-site":
            return None
        if headers.get("sec-fetch-mode") == "navigate" and "origin" not in headers:
            return None  # somebody followed a link
        if self._origins & {"*", headers.get("origin", "")}:
            return None
        return RequestError(
            403, "cross_site", "Pages of other sites may not use this server.",
            "Allow their origin with --cors.",
        )  # fmt: skip


def _sent_key(headers: Headers) -> bytes:
    scheme, _, rest = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip().encode("utf-8")
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest.strip(), validate=True).partition(b":")[2]
        except (binascii.Error, ValueError):
            return b""
    return headers.get("x-api-key", "").encode("utf-8")


def _host(headers: Headers) -> str | None:
    """The host name of a request; None if there is not exactly one."""
    given = headers.getlist("host")
    found = _HOST.fullmatch(given[0].lower()) if len(given) == 1 else None
    return found[1].strip("[]") if found else None


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
