"""What the OpenAPI document says of bodies and errors that FastAPI cannot see by itself."""

from __future__ import annotations

from typing import Any

from tellapart.serve.api.messages import ExplainIn, Message, PicturesIn

# A whole PNG file of one pixel, so that the examples can be sent as they stand.
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
)
_SAYS = {
    400: "The body is broken.",
    401: "There is no key, or a wrong one.",
    403: "A page of another site asks.",
    404: "There is no such thing.",
    408: "The body took too long.",
    413: "The body is too large.",
    415: "The body is of a kind that is not taken.",
    421: "The server is not called by that name.",
    422: "The body or a parameter is not what is asked for, or holds too many pictures.",
    503: "The server has no room now; `Retry-After` says when to come again.",
    504: "There was no answer in time.",
}
_MODELS: dict[str, type[Message]] = {"PicturesIn": PicturesIn, "ExplainIn": ExplainIn}


def responses(model: Any, *statuses: int, gate: bool = True) -> dict[int | str, dict[str, Any]]:
    """What errors a route may answer with.

    Args:
        model: Their shape.
        statuses: Their statuses.
        gate: Whether those of the key and of other sites are among them.
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


INFER: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["inputs"],
                    "properties": {
                        "id": {"type": "string"},
                        "inputs": {
                            "type": "array",
                            "minItems": 1,
                            "maxItems": 1,
                            "items": {
                                "type": "object",
                                "required": ["name", "datatype", "shape", "data"],
                                "properties": {
                                    "name": {"type": "string", "enum": ["encoded", "image"]},
                                    "datatype": {"type": "string", "enum": ["BYTES", "UINT8"]},
                                    "shape": {"type": "array", "items": {"type": "integer"}},
                                    "data": {"type": "array", "items": {}},
                                },
                            },
                        },
                    },
                },
                "example": {
                    "inputs": [
                        {"name": "encoded", "datatype": "BYTES", "shape": [1], "data": [PIXEL]}
                    ]
                },
            },
        },
    }
}
"""The body of the Open Inference Protocol as JSON; with bytes behind it, it is no JSON any more."""

_METADATA = {
    "name": "tellapart",
    "versions": ["1"],
    "platform": "onnxruntime_onnx",
    "inputs": [
        {"name": "image", "datatype": "UINT8", "shape": [-1, -1, -1, 3]},
        {"name": "encoded", "datatype": "BYTES", "shape": [-1]},
    ],
    "outputs": [
        {"name": "probabilities", "datatype": "FP32", "shape": [-1, 2]},
        {"name": "label", "datatype": "BYTES", "shape": [-1]},
    ],
}
_INFERRED = {
    "model_name": "tellapart",
    "model_version": "1",
    "outputs": [
        {"name": "probabilities", "datatype": "FP32", "shape": [1, 2], "data": [0.9995, 0.0005]},
        {"name": "label", "datatype": "BYTES", "shape": [1], "data": ["cats"]},
    ],
}
_NAMED = {"name": "tellapart", "version": "ceec1d1bf367"}
ANSWERS: dict[str, Any] = {
    "/v1/predict": {
        "schema": 1,
        "model": _NAMED,
        "rows": [
            {
                "path": "new.jpg",
                "label": "cats",
                "probability": 0.9995,
                "probabilities": {"cats": 0.9995, "dogs": 0.0005},
                "error": None,
                "code": None,
            }
        ],
    },
    "/v1/explain": {
        "schema": 1,
        "model": _NAMED,
        "path": "new.jpg",
        "label": "cats",
        "target": "cats",
        "method": "evidence",
        "probabilities": {"cats": 0.9995, "dogs": 0.0005},
        "heat": [[0.2, 3.1], [-0.4, 1.7]],
        "png": PIXEL,
        "error": None,
        "code": None,
    },
    "/v1/model": {
        "schema": 1,
        "name": "pets-1",
        "version": "ceec1d1bf367",
        "sha256": "ceec1d1bf3673b9416bac173f958cbbdf458b641ba01c28204e6a0f46cf4c2b8",
        "classes": ["cats", "dogs"],
        "size": 224,
        "fit": "squash",
        "model": "probe",
        "backbone": "efficientnet-lite0",
        "trained": "2026-11-26T11:00:16+00:00",
        "data": {"name": "pets", "fingerprint": "89c9124bc2a14fea", "pictures": 3000},
        "held_out": {
            "accuracy": 0.987,
            "accuracy_ci95": [0.977886, 0.992387],
            "majority_accuracy": 0.5,
            "method": "split",
            "n": 1000,
        },
        "verdict": {"code": "healthy", "sentence": "Healthy: training 100 %, gap 1.3 points."},
        "heat_map": "evidence",
        "report": True,
        "serves_as": "tellapart",
    },
    "/v2": {
        "name": "tellapart",
        "version": "0.1.0",
        "extensions": ["binary_tensor_data", "classification"],
    },
    "/v2/health/live": {"live": True},
    "/v2/health/ready": {"ready": True},
    "/v2/models/{name}": _METADATA,
    "/v2/models/{name}/ready": {"ready": True},
    "/v2/models/{name}/infer": _INFERRED,
    "/healthz": {"status": "ok"},
    "/readyz": {"status": "ready"},
}
"""What the routes answer when all is well, by path; a path with a version has the same."""
