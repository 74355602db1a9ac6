"""``/v2``: the Open Inference Protocol, so that existing clients work unchanged.

The model takes one of two inputs: ``image``, UINT8 ``[N, H, W, 3]`` (RGB of any size), or
``encoded``, BYTES ``[N]``: picture files, in JSON as base64. It gives ``probabilities``, FP32
``[N, K]``, and ``label``, BYTES ``[N]``; a ``classification`` of n asks instead for the n most
probable classes as texts ``probability:index:class``. The protocol has no error for a single
picture: one that cannot be decoded fails the whole request, and the message names it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from fastapi import APIRouter, Request
from starlette.responses import Response

from tellapart.core.errors import PictureError, TellapartError
from tellapart.core.version import __version__
from tellapart.images.opening import MAX_SIDE
from tellapart.serve.api import openapi
from tellapart.serve.api.context import Context, context_of
from tellapart.serve.api.errors import RequestError, as_json
from tellapart.serve.api.health import is_ready
from tellapart.serve.api.messages import InferenceError
from tellapart.serve.api.middleware import seen
from tellapart.serve.api.predictions import answered
from tellapart.serve.api.tensors import HEADER, Tensor, inputs_of, pack, split
from tellapart.serve.engine.jobs import Work
from tellapart.serve.engine.loaded import LoadedRun

router = APIRouter(prefix="/v2", tags=["Open Inference Protocol"])

IMAGE, ENCODED = "image", "encoded"
PROBABILITIES, LABEL = "probabilities", "label"
VERSION = "1"
_MODEL = "/models/{name}"
_VERSIONED = "/models/{name}/versions/{version}"


@router.get("", summary="The server")
async def server() -> Response:
    """Name, version and extensions of the server."""
    extensions = ["binary_tensor_data", "classification"]
    return as_json({"name": "tellapart", "version": __version__, "extensions": extensions})


@router.get("/health/live", summary="Is the process alive?")
async def live() -> Response:
    """Answers as long as the process runs."""
    return as_json({"live": True})


@router.get(
    "/health/ready",
    summary="Is the server ready for pictures?",
    responses=openapi.responses(InferenceError, 503, gate=False),
)
async def ready(request: Request) -> Response:
    """Answers 503 while the queue is full, and after the server was told to stop."""
    if not is_ready(request):
        raise RequestError(503, "not_ready", "The server is not ready for pictures.", retry_after=1)
    return as_json({"ready": True})


@router.get(
    _MODEL, summary="The model's inputs and outputs",
    responses=openapi.responses(InferenceError, 404),
)  # fmt: skip
@router.get(
    _VERSIONED, summary="The model's inputs and outputs",
    responses=openapi.responses(InferenceError, 404),
)  # fmt: skip
async def metadata(request: Request, name: str, version: str = VERSION) -> Response:
    """Names, datatypes and shapes; a request gives one of the two inputs."""
    context = _known(request, name, version)
    classes = context.engine.served.classes
    return as_json(
        {
            "name": name,
            "versions": [VERSION],
            "platform": "onnxruntime_onnx",
            "inputs": [
                {"name": IMAGE, "datatype": "UINT8", "shape": [-1, -1, -1, 3]},
                {"name": ENCODED, "datatype": "BYTES", "shape": [-1]},
            ],
            "outputs": [
                {"name": PROBABILITIES, "datatype": "FP32", "shape": [-1, len(classes)]},
                {"name": LABEL, "datatype": "BYTES", "shape": [-1]},
            ],
        }
    )


@router.get(
    f"{_MODEL}/ready", summary="Is the model ready?",
    responses=openapi.responses(InferenceError, 404, 503),
)  # fmt: skip
@router.get(
    f"{_VERSIONED}/ready", summary="Is the model ready?",
    responses=openapi.responses(InferenceError, 404, 503),
)  # fmt: skip
async def model_ready(request: Request, name: str, version: str = VERSION) -> Response:
    """The same as the server's own readiness."""
    _known(request, name, version)
    return await ready(request)


@router.post(
    f"{_MODEL}/infer", summary="Classify pictures",
    responses=openapi.responses(InferenceError, 400, 404, 408, 413, 415, 503, 504),
    openapi_extra=openapi.INFER,
)  # fmt: skip
@router.post(
    f"{_VERSIONED}/infer", summary="Classify pictures",
    responses=openapi.responses(InferenceError, 400, 404, 408, 413, 415, 503, 504),
    openapi_extra=openapi.INFER,
)  # fmt: skip
async def infer(request: Request, name: str, version: str = VERSION) -> Response:
    """Pixels, or encoded pictures, to probabilities and labels.

    Requests and answers are JSON, or JSON followed by bytes: with the header
    `Inference-Header-Content-Length`, an input whose parameters give a `binary_data_size` follows
    the JSON, and so does, in the answer, an output whose parameters ask for `binary_data`.
    """
    context = _known(request, name, version)
    header = request.headers.get(HEADER)
    async with context.bodies.of(request) as body:
        document, works = await context.parsed(len(body), partial(_read, body, header, context))
        del body
        seen(request.scope).pictures = len(works)
        served = context.engine.served
        answers = await answered(context, works, served)
    for number, answer in enumerate(answers):
        code = answer.code if isinstance(answer, TellapartError) else "ok"
        context.metrics.pictures.labels(code).inc()
        if isinstance(answer, PictureError):
            raise RequestError(400, answer.code, f"Picture {number}: {answer}")
    probabilities = np.stack(answers)  # type: ignore[arg-type]
    outputs = _outputs(document, probabilities, served)
    told: dict[str, Any] = {"model_name": name, "model_version": VERSION}
    if isinstance(document.get("id"), str):
        told["id"] = document["id"][:256]
    content, length = pack(outputs, told)
    headers = {HEADER: str(length)} if length else {}
    kind = "application/octet-stream" if length else "application/json"
    return Response(content, headers=headers, media_type=kind)


def _known(request: Request, name: str, version: str) -> Context:
    context = context_of(request)
    if name != context.settings.name:
        raise RequestError(404, "no_such_model", "There is no model of that name.")
    if version != VERSION:
        raise RequestError(404, "no_such_version", "The model has no such version.")
    return context


def _read(
    body: bytes, header: str | None, context: Context
) -> tuple[dict[str, Any], Sequence[Work]]:
    document, behind = split(body, header)
    _check_outputs(document)
    given = inputs_of(document, behind, most=context.settings.max_pictures)
    if len(given) != 1:
        raise RequestError(400, "inputs", f"Give one input: '{IMAGE}' or '{ENCODED}'.")
    [one] = given
    works = _works(one, context.settings.max_pixels)
    del document["inputs"]  # the numbers of the JSON take much room, and are arrays now
    return document, works


def _works(one: Tensor, max_pixels: int) -> list[Work]:
    if one.name == IMAGE and one.datatype == "UINT8":
        if len(one.shape) != 4 or one.shape[3] != 3 or 0 in one.shape:
            raise RequestError(400, "shape", f"'{IMAGE}' is UINT8 [N, H, W, 3], none of them 0.")
        if one.shape[1] * one.shape[2] > max_pixels or max(one.shape[1:3]) > MAX_SIDE:
            raise RequestError(400, "too_large", "The pictures have too many pixels.")
        return [Work(pixels) for pixels in one.data]
    if one.name == ENCODED and one.datatype == "BYTES":
        if len(one.data) == 0:
            raise RequestError(400, "shape", "There is no picture.")
        return [Work(bytes(data)) for data in one.data]
    raise RequestError(
        400, "inputs", f"The inputs are '{IMAGE}', UINT8 [N, H, W, 3], and '{ENCODED}', BYTES [N].",
        "Give one of them.",
    )  # fmt: skip


def _check_outputs(document: dict[str, Any]) -> None:
    """Refuse unknown outputs before any picture is decoded."""
    wanted = document.get("outputs", [])
    if not isinstance(wanted, list) or len(wanted) > 16:
        raise RequestError(400, "outputs", "'outputs' is not a list of outputs.")
    for part in (document, *wanted):
        if not isinstance(part, dict) or not isinstance(part.get("parameters", {}), dict):
            raise RequestError(400, "outputs", "An output or its parameters are not an object.")
    for one in wanted:
        if one.get("name") not in (PROBABILITIES, LABEL):
            raise RequestError(400, "outputs", f"The outputs are '{PROBABILITIES}' and '{LABEL}'.")
        count = one.get("parameters", {}).get("classification", 0)
        if type(count) is not int or count < 0:
            raise RequestError(400, "outputs", "A 'classification' is not a count.")
        if count and one["name"] != PROBABILITIES:
            raise RequestError(
                400, "outputs", f"Only '{PROBABILITIES}' can have a 'classification'."
            )


def _outputs(
    document: dict[str, Any], probabilities: npt.NDArray[np.float32], served: LoadedRun
) -> list[tuple[Tensor, bool]]:
    """The outputs that were asked for, each with whether it is sent as bytes."""
    everywhere = document.get("parameters", {}).get("binary_data_output") is True
    wanted = document.get("outputs") or [{"name": PROBABILITIES}, {"name": LABEL}]
    made = []
    for one in wanted:
        parameters = one.get("parameters", {})
        is_binary = parameters.get("binary_data", everywhere) is True
        count = parameters.get("classification", 0)
        if one["name"] == LABEL:
            best = probabilities.argmax(axis=1)
            labels = [_utf8(served.classes[index]) for index in best]
            tensor = Tensor(LABEL, "BYTES", (len(labels),), labels)
        elif count:
            tensor = _classification(probabilities, served.classes, count)
        else:
            tensor = Tensor(PROBABILITIES, "FP32", probabilities.shape, probabilities)
        made.append((tensor, is_binary))
    return made


def _classification(
    probabilities: npt.NDArray[np.float32], classes: Sequence[str], count: int
) -> Tensor:
    count = min(count, len(classes))
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :count]
    texts = [
        _utf8(f"{row[index]:f}:{index}:{classes[index]}")
        for row, indices in zip(probabilities, order, strict=True)
        for index in indices
    ]
    return Tensor(PROBABILITIES, "BYTES", order.shape, texts)


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")
