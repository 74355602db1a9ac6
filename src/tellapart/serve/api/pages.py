"""The page for people, with its style and script, and the run's report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import Response

from tellapart.core import text
from tellapart.reports.render import environment
from tellapart.reports.sections import without
from tellapart.serve.api.context import Context, context_of
from tellapart.serve.api.errors import RequestError
from tellapart.serve.engine.loaded import LoadedRun

router = APIRouter(include_in_schema=False)

ASSETS: Mapping[str, str] = {
    "house.css": "text/css; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "camera.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
"""The files under ``/static/``, by name: no other name leads to a file."""

PAGE_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
REPORT_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
MANY_CLASSES = 60
"""With more classes, the card names the first ones only."""


@router.get("/")
async def page(request: Request) -> Response:
    """The page for people."""
    context = context_of(request)
    html = render(context.engine.served, context)
    return Response(
        html.encode("utf-8", "backslashreplace"),
        headers={
            "content-type": "text/html; charset=utf-8",
            "content-security-policy": PAGE_POLICY,
        },
    )


@router.get("/report")
async def report(request: Request) -> Response:
    """The run's report, as it was when the run was loaded."""
    content = context_of(request).engine.served.report
    if content is None:
        raise RequestError(404, "no_report", "This run has no report.")
    headers = {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": REPORT_POLICY,
    }
    return Response(content, headers=headers)


def mount(app: FastAPI) -> None:
    """Give each asset its own route: a request names a route, never a file."""
    for name, kind in ASSETS.items():
        content = _file(name).read_bytes()
        headers = {"content-type": kind, "cache-control": "no-cache"}
        app.add_api_route(
            f"/static/{name}", _giving(content, headers), methods=["GET"], include_in_schema=False
        )


def _file(name: str) -> Traversable:
    """An asset; ``house.css`` is the style of the reports."""
    if name == "house.css":
        return files("tellapart.reports") / "templates" / "report.css"
    return files("tellapart.serve") / "static" / name


def render(served: LoadedRun, context: Context) -> str:
    """The page for a run."""
    card, settings = served.card, context.settings
    held = card["held_out"]
    verdict_title = str(card["verdict"]["code"] or "").replace("_", " ").capitalize()
    return environment("tellapart.serve").get_template("page.html.j2").render(
        card=card,
        held=held,
        headline=text.percent(held["accuracy"]).removesuffix(" %"),
        interval=text.interval(*held["accuracy_ci95"]),
        guessing=text.percent(held["majority_accuracy"]),
        counted=text.count(held["n"]),
        verdict_title=verdict_title,
        verdict_sentence=without(verdict_title, str(card["verdict"]["sentence"])),
        trained=text.moment(str(card["trained"])) if card["trained"] else None,
        pictures=text.count(card["data"]["pictures"]) if card["data"]["pictures"] else None,
        classes=card["classes"][:MANY_CLASSES],
        more_classes=max(0, len(card["classes"]) - MANY_CLASSES),
        options=_attribute(
            {
                "heat": served.heat is not None,
                "fit": served.model.fit,
                "maxBytes": settings.max_body,
                "maxMegabytes": settings.max_body_mb,
                "classes": len(card["classes"]),
            }
        ),
    )  # fmt: skip


def _giving(content: bytes, headers: Mapping[str, str]) -> Any:
    async def asset() -> Response:
        return Response(content, headers=dict(headers))

    return asset


def _attribute(options: Mapping[str, Any]) -> str:
    """Options for the script, as an attribute: the page has no inline script."""
    return json.dumps(options)
