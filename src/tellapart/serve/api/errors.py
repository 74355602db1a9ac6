"""Errors of requests, as a status and a JSON document."""

from __future__ import annotations

import json
from collections.abc import Mapping

from starlette.responses import Response


class RequestError(Exception):
    """A request that cannot be answered.

    Attributes:
        status: The HTTP status.
        code: A stable name for programs.
        message: What is wrong.
        remedy: What to do.
        headers: More headers of the answer.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        remedy: str = "",
        *,
        retry_after: int | None = None,
        close: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.remedy = remedy
        self.headers = dict(headers or {})
        if retry_after is not None:
            self.headers["retry-after"] = str(retry_after)
        if close:
            self.headers["connection"] = "close"

    def response(self, *, path: str = "") -> Response:
        """The answer, in the shape of the protocol of ``path``."""
        return as_json(self.document(path=path), status=self.status, headers=self.headers)

    def document(self, *, path: str = "") -> dict[str, object]:
        """The JSON document of the answer."""
        if path == "/v2" or path.startswith("/v2/"):
            return {"error": f"{self.message} {self.remedy}".rstrip()}
        error = {"code": self.code, "message": self.message, "remedy": self.remedy}
        return {"schema": 1, "error": error}


def as_json(
    content: object, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON answer: UTF-8, no NaN; a lone surrogate is escaped."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Response(
        text.encode("utf-8", "backslashreplace"),
        status,
        dict(headers) if headers else None,
        "application/json",
    )
