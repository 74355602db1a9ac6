"""Requests and answers of ``/v1``: pictures out of bodies, answers as JSON."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tellapart.core.errors import PictureError, TellapartError
from tellapart.explanations import Explanation
from tellapart.serve.api.errors import RequestError
from tellapart.serve.api.forms import parts_of

FIELDS = ("picture", "pictures", "file", "files", "image", "images")
"""Names under which a form's files are taken."""
_NAME = 255  # characters of a picture's name that are given back
_MARKS = 300  # commas and brackets of JSON a picture: even a name may have 255


class Message(BaseModel):
    """Base of request bodies."""

    model_config = ConfigDict(strict=True, extra="forbid")


class PictureIn(Message):
    """A picture in a JSON body."""

    data: str = Field(description="The picture file, in base64.")
    path: str = Field(
        default="", max_length=_NAME, description="A name for it, which the answer repeats."
    )


class PicturesIn(Message):
    """The JSON body of ``/v1/predict``."""

    pictures: Annotated[list[PictureIn], Field(min_length=1, description="The pictures.")]


class ExplainIn(Message):
    """The JSON body of ``/v1/explain``."""

    picture: PictureIn


class Row(BaseModel):
    """What the model says of one picture."""

    path: str = Field(description="The name that the picture was sent with.")
    label: str | None = Field(description="The most probable class; null if there is an error.")
    probability: float | None = Field(description="What the model gives it, 0 to 1.")
    probabilities: dict[str, float] | None = Field(
        description="Of the most probable classes, the most probable first."
    )
    error: str | None = Field(description="Why there is no answer, or null.")
    code: str | None = Field(description="The same as a stable name, such as `cut_off`.")


class ModelName(BaseModel):
    """Which model answered."""

    name: str
    version: str = Field(description="The beginning of the SHA-256 of its file.")


class PredictOut(BaseModel):
    """The answer of ``/v1/predict``."""

    schema_: int = Field(alias="schema", description="1; a change of shape raises it.")
    model: ModelName
    rows: list[Row] = Field(description="One for each picture, in their order.")


class ExplainOut(BaseModel):
    """The answer of ``/v1/explain``; for a picture with an error, everything else is null."""

    schema_: int = Field(alias="schema")
    model: ModelName
    path: str
    label: str | None = Field(description="The most probable class.")
    target: str | None = Field(description="The class whose evidence is drawn.")
    method: str | None = Field(description="How the heat map was made.")
    probabilities: dict[str, float] | None
    heat: list[list[float]] | None = Field(
        description="Evidence for the class at each place, in logits; below 0, evidence against it."
    )
    png: str | None = Field(description="The picture under its heat map, a PNG file in base64.")
    error: str | None = Field(description="Why there is no answer, or null.")
    code: str | None = Field(description="The same as a stable name, such as `cut_off`.")


class ErrorMember(BaseModel):
    """Why a request got no answer."""

    code: str
    message: str
    remedy: str


class ErrorOut(BaseModel):
    """The body of every answer that is an error."""

    schema_: int = Field(alias="schema")
    error: ErrorMember


class InferenceError(BaseModel):
    """The body of an error of the Open Inference Protocol."""

    error: str


@dataclass(frozen=True, slots=True)
class Sent:
    """A picture as a client sent it.

    Attributes:
        path: What the client calls it.
        data: The file, or why there is none.
    """

    path: str
    data: bytes | PictureError


def pictures_in(body: bytes, content_type: str, *, most: int, single: bool = False) -> list[Sent]:
    """The pictures of a body: a form's files, or base64 in JSON.

    Args:
        body: The whole body.
        content_type: The request's ``Content-Type``.
        most: Most pictures that are taken.
        single: Whether it is the body of ``/v1/explain``.

    Raises:
        RequestError: If the body is of another type (415), broken (400), or has other members
            or too many pictures (422).
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        sent = [
            Sent((part.filename or "")[:_NAME], part.data)
            for part in parts_of(body, content_type, most=most + 8)
            if part.name in FIELDS and part.filename is not None
        ]
        if not sent:
            raise RequestError(
                422, "no_picture", "The form holds no picture.",
                "Send each in a field called 'picture', as curl -F picture=@cat.jpg does.",
            )  # fmt: skip
    elif kind == "application/json":
        _check_marks(body, most)
        sent = _from_json(body, single)
    else:
        raise RequestError(
            415, "content_type", "The body is neither a form nor JSON.",
            "Send multipart/form-data, or application/json with pictures in base64.",
        )  # fmt: skip
    if single and len(sent) > 1:
        raise RequestError(422, "too_many", "One picture is explained at a time.", "Send one.")
    if len(sent) > most:
        raise RequestError(
            422, "too_many", f"The request holds {len(sent):,} pictures.",
            f"Send at most {most} at once, or raise --max-pictures.",
        )  # fmt: skip
    return sent


def row_of(
    path: str, probabilities: Any, classes: Sequence[str], order: Sequence[int]
) -> dict[str, Any]:
    """A row of the answer: float32 ``[K]``, and the classes to name, the best first."""
    best = order[0]
    return {
        "path": path,
        "label": classes[best],
        "probability": float(probabilities[best]),
        "probabilities": {classes[index]: float(probabilities[index]) for index in order},
        "error": None,
        "code": None,
    }


def error_row(path: str, error: PictureError) -> dict[str, Any]:
    """The row of a picture without an answer."""
    return {
        "path": path,
        "label": None,
        "probability": None,
        "probabilities": None,
        "error": str(error),
        "code": error.code,
    }


def explained(answer: object) -> dict[str, Any]:
    """An :class:`Explanation` or an error as members of the answer."""
    if isinstance(answer, Explanation):
        return {
            "label": answer.predicted,
            "target": answer.target,
            "method": answer.method,
            "probabilities": dict(answer.probabilities),
            "heat": [[round(float(value), 6) for value in row] for row in answer.heat],
            "png": base64.b64encode(answer.png).decode("ascii"),
            "error": None,
            "code": None,
        }
    assert isinstance(answer, TellapartError)
    names = ("label", "target", "method", "probabilities", "heat", "png")
    return {**dict.fromkeys(names), "error": str(answer), "code": answer.code}


def from_base64(text: str) -> bytes:
    """Bytes from base64; white space is allowed, since many encoders break lines.

    Raises:
        ValueError: If it is not base64.
    """
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return base64.b64decode("".join(text.split()), validate=True)


def _check_marks(body: bytes, most: int) -> None:
    """Refuse JSON of very many values before it is read: each would take 500 bytes and more."""
    if sum(map(body.count, (b",", b"[", b"{"))) > 1000 + _MARKS * most:
        raise RequestError(
            422, "too_many", "The JSON has far more values than it needs for pictures.",
            f"Send at most {most} pictures at once, or raise --max-pictures.",
        )  # fmt: skip


def _from_json(body: bytes, single: bool) -> list[Sent]:
    try:
        if single:
            given = [ExplainIn.model_validate_json(body).picture]
        else:
            given = PicturesIn.model_validate_json(body).pictures
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise RequestError(400, "json", "The body is not a JSON document.") from None
        where = ".".join(map(str, first["loc"]))[:100]
        told = f"{where}: {first['msg']}" if where else first["msg"]
        raise RequestError(
            422, "json", f"The JSON does not fit: {told}.",
            'Send {"pictures": [{"data": "<base64>"}]}.' if not single
            else 'Send {"picture": {"data": "<base64>"}}.',
        ) from None  # fmt: skip
    return [Sent(one.path, _decoded(one.data)) for one in given]


def _decoded(text: str) -> bytes | PictureError:
    if text[:5].lower() == "data:":  # as a browser's FileReader gives it
        text = text.partition(",")[2]
    try:
        return from_base64(text)
    except ValueError:
        return PictureError("The data is not base64.", code="not_a_picture")
