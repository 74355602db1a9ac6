"""Bodies of requests, in bounded memory and time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from starlette.requests import ClientDisconnect, Request

from tellapart.serve.api.errors import RequestError
from tellapart.serve.settings import MEGABYTE, ServeSettings

_PLACES = 64
"""Number of parts at which they are joined: many small parts cost more than their bytes."""


class Bodies:
    """The memory that the bodies of all requests share.

    Args:
        settings: Their limits.
    """

    def __init__(self, settings: ServeSettings) -> None:
        self._settings = settings
        self._most = int(settings.max_bodies_mb * MEGABYTE)
        self._held = 0

    @property
    def held(self) -> int:
        """Bytes of all bodies that are in memory now."""
        return self._held

    @contextlib.asynccontextmanager
    async def of(self, request: Request) -> AsyncIterator[bytes]:
        """The whole body of a request, which counts as held until the block ends.

        Raises:
            RequestError: If it is too large (413), took too long (408), is compressed (415),
                or if there is no room for it now (503).
        """
        coding = request.headers.get("content-encoding", "identity").strip().lower()
        if coding not in ("", "identity"):
            raise RequestError(
                415, "encoding", "Compressed request bodies are not accepted.",
                "Send it uncompressed: pictures are compressed already.",
            )  # fmt: skip
        length = _length(request.headers.get("content-length"))
        if length is not None and length > self._settings.max_body:
            # A client that waits for "100 Continue" will not send the body now, so the next
            # request could not be told from it.
            raise self._too_large(close="expect" in request.headers)
        held = 0
        try:
            parts: list[bytes] = []
            async with asyncio.timeout(self._settings.body_timeout):
                async for part in request.stream():
                    if held + len(part) > self._settings.max_body:
                        raise self._too_large()
                    if self._held + len(part) > self._most:
                        raise RequestError(
                            503, "busy", "There is no room for this body now.", "Send it again.",
                            retry_after=1,
                        )  # fmt: skip
                    held += len(part)
                    self._held += len(part)
                    parts.append(part)
                    if len(parts) > _PLACES and len(parts[-1]) < 1024:
                        parts = [b"".join(parts)]
            body = b"".join(parts)
            del parts
            yield body
        except TimeoutError:
            raise RequestError(
                408, "slow", f"The body took longer than {self._settings.body_timeout:g} s.",
                "Send it faster, or less of it.", close=True,
            ) from None  # fmt: skip
        except ClientDisconnect:
            raise RequestError(
                400, "gone", "The client closed the connection before the body was complete."
            ) from None
        finally:
            self._held -= held

    def _too_large(self, *, close: bool = False) -> RequestError:
        return RequestError(
            413, "too_large", f"The body is larger than {self._settings.max_body_mb:g} MiB.",
            "Send fewer or smaller pictures, or raise --max-body-mb.", close=close,
        )  # fmt: skip


def _length(text: str | None) -> int | None:
    """The length that a request states; httptools has checked that it is digits."""
    return int(text[:20]) if text is not None and text.isdecimal() else None
