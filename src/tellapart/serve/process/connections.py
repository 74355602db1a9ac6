"""What a connection may cost before, between and after requests.

uvicorn bounds how long a connection may be silent after an answer, and nothing else: a client that
sends a header a minute, or never reads, holds its connection for ever. This protocol adds bounds
for the time and the bytes of headers, for clients that do not read, and for the number of
connections.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from prometheus_client import Counter
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEADER = 32 * 1024
"""Bytes of a request's line and headers; also of what may stand between two parts of a body."""


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1 on one connection, within bounds.

    Attributes:
        header_timeout: Seconds for headers to arrive, and for a client to read.
        most: Connections at once.
        refused: Counts connections that are closed for what they did, by reason.
    """

    header_timeout: ClassVar[float] = 10.0
    most: ClassVar[int] = 2048
    refused: ClassVar[Counter | None] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._headers_timer: asyncio.TimerHandle | None = None
        self._read_timer: asyncio.TimerHandle | None = None
        self._unheard = 0  # bytes since the last whole headers or part of a body
        self._head = 0  # bytes of the headers that are read now
        self._unread = 0  # bytes that the client had not taken when it was last looked at

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count the connection, and expect headers."""
        super().connection_made(transport)
        if len(self.connections) > self.most:
            self._refuse("too_many", b"503 Service Unavailable", b"retry-after: 1\r\n")
            return
        self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop its clocks."""
        self._stop(self._headers_timer)
        self._stop(self._read_timer)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes, and count those that lead to nothing."""
        if self.transport.is_closing():
            return
        if self._headers_timer is None and self._is_idle():
            self._expect_headers()
        self._unheard += len(data)
        super().data_received(data)
        if self._unheard > MAX_HEADER and not self.transport.is_closing():
            self._refuse("large_headers", b"431 Request Header Fields Too Large")

    def on_headers_complete(self) -> None:
        """Headers are whole: their clock stops."""
        self._unheard = 0
        self._stop(self._headers_timer)
        self._headers_timer = None
        if self._head > MAX_HEADER:
            self._count("large_headers")
            self.app = _refuse_headers
        super().on_headers_complete()

    def on_message_begin(self) -> None:
        """A request begins."""
        self._head = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Take a part of the address."""
        self._head += len(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; what follows a body is passed over."""
        if self.cycle is not None and self.cycle.scope is self.scope:  # a trailer
            return
        self._head += len(name) + len(value) + 4
        super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        self._unheard = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is whole."""
        self._unheard = 0
        super().on_message_complete()
        if self._is_idle() and self._headers_timer is not None:
            # The rest of a body whose answer was given early has passed by.
            self._stop(self._headers_timer)
            self._headers_timer = None
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def pause_writing(self) -> None:
        """The client does not read: give it a while."""
        super().pause_writing()
        self._unread = self.transport.get_write_buffer_size()
        if self._read_timer is None:
            self._read_timer = self.loop.call_later(self.header_timeout, self._check_reading)

    def resume_writing(self) -> None:
        """The client reads."""
        super().resume_writing()
        self._stop(self._read_timer)
        self._read_timer = None

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that was silent for too long."""
        super().timeout_keep_alive_handler()
        # What a client does not take would keep the closed connection for ever.
        self.loop.call_later(self.header_timeout, self.transport.abort)

    def _check_reading(self) -> None:
        """Give up a client that took nothing for a while; a slow one goes on."""
        unread = self.transport.get_write_buffer_size()
        if unread >= self._unread:
            self._read_timer = None
            self._count("not_reading")
            self.transport.abort()
            return
        self._unread = unread
        self._read_timer = self.loop.call_later(self.header_timeout, self._check_reading)

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _expect_headers(self) -> None:
        self._headers_timer = self.loop.call_later(self.header_timeout, self._too_slow)

    def _too_slow(self) -> None:
        self._headers_timer = None
        if not self.transport.is_closing():
            self._refuse("slow" if self._unheard else "silent", b"408 Request Timeout")

    def _refuse(self, reason: str, status: bytes, headers: bytes = b"") -> None:
        """Answer without a request, and close; who said nothing is told nothing."""
        self._count(reason)
        if self._is_idle() and (self._unheard or headers):
            start = b"HTTP/1.1 " + status + b"\r\n" + headers
            self.transport.write(start + b"content-length: 0\r\nconnection: close\r\n\r\n")
        self.transport.close()
        self.loop.call_later(self.header_timeout, self.transport.abort)

    def _count(self, reason: str) -> None:
        if self.refused is not None:
            self.refused.labels(reason).inc()

    @staticmethod
    def _stop(timer: asyncio.TimerHandle | None) -> None:
        if timer is not None:
            timer.cancel()


async def _refuse_headers(scope: Any, receive: Any, send: Any) -> None:
    """Answer a request whose headers came in one piece that is too large."""
    headers = [(b"content-length", b"0"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 431, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
