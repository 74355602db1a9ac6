"""What FastAPI cannot know by itself for the OpenAPI document: bodies, errors and examples."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from tellapart.serve.api.messages import ExplainIn, Message, PicturesIn

# A PNG file of one pixel, so that the examples work as they are.
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
)
_SAYS = {
    400: "The body is broken.",
    401: "The key is missing or wrong.",
    403: "The request comes from a page of another site.",
    404: "There is nothing by that name.",
    408: "The body took too long.",
    413: "The body is too large.",
    415: "The content type of the body is not accepted.",
    421: "The server does not accept this host name.",
    422: "The body or a parameter does not fit, or there are too many pictures.",
    503: "The server is busy; `Retry-After` says when to try again.",
    504: "The answer took too long.",
}
_MODELS: dict[str, type[Message]] = {"PicturesIn": PicturesIn, "ExplainIn": ExplainIn}


def responses(model: Any, *statuses: int, gate: bool = True) -> dict[int | str, dict[str, Any]]:
    """The errors that a route may answer with.

    Args:
        model: Their shape.
        statuses: Their statuses.
        gate: Whether the errors about keys and other sites are among them.
    """
    found = {*statuses, 421, *((401, 403) if gate else ())}
    return {status: {"model": model, "description": _SAYS[status]} for status in sorted(found)}


def body(name: str, *, many: bool) -> dict[str, Any]:
    """The two bodies of a route that takes pictures: a form, or JSON."""
    schema = _MODELS[name].model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    picture = {"type": "string", "contentMediaType": "application/octet-stream"}
    field: dict[str, Any] = {"type": "array", "items": picture, "minItems": 1} if many else picture
    one = {"data": PIXEL, "path": "pixel.png"}
    example = {"pictures": [one]} if many else {"picture": one}
    return {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": schema, "example": example},
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": ["picture"],
                        "properties": {"picture": field},
                    },
                },
            },
        }
    }


def definitions() -> dict[str, Any]:
    """Schemas that the bodies refer to."""
    found: dict[str, Any] = {}
    for model in _MODELS.values():
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        found.update(schema.get("$defs", {}))
    return found


_TEXTS = json.loads((files(__package__) / "openapi.json").read_text(encoding="utf-8"))
INFER: dict[str, Any] = _TEXTS["infer_request"]
"""The JSON body of the Open Inference Protocol; a body with bytes after it is no JSON."""
ANSWERS: dict[str, Any] = _TEXTS["answers"]
"""An example of every route's answer, by path; a path with a version has the same."""
