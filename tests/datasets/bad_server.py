"""A real HTTP server on loopback that misbehaves as a test tells it."""

from __future__ import annotations

import contextlib
import http.server
import threading
from collections.abc import Callable

Behaviour = Callable[["Handler", bytes], None]


class Server(http.server.ThreadingHTTPServer):
    """A server on loopback that misbehaves as it is told.

    ``files`` are its contents by path; ``script`` says how the next answers are made, one each;
    after that, answers are right. ``asked`` is what came in: path and headers.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.etags: dict[str, str] = {}
        self.script: list[Behaviour] = []
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.over = threading.Event()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"

    def ranges(self) -> list[str | None]:
        return [headers.get("Range") for _, headers in self.asked]


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))
        data = self.server.files.get(self.path)
        if data is None:
            answer_status(404)(self, b"")
            return
        behave = self.server.script.pop(0) if self.server.script else answer
        behave(self, data)

    def head(self, status: int, **headers: object) -> None:
        self.send_response(status)
        etag = self.server.etags.get(self.path)
        if etag:
            self.send_header("ETag", etag)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def start_of(handler: Handler, data: bytes) -> int:
    """Where the answer begins: the Range that was asked for, unless If-Range says otherwise."""
    asked = handler.headers.get("Range")
    etag = handler.server.etags.get(handler.path)
    if asked is None or (etag and handler.headers.get("If-Range", etag) != etag):
        return 0
    return int(asked.removeprefix("bytes=").removesuffix("-"))


def begin(handler: Handler, data: bytes) -> bytes:
    """Send the head of a right answer; returns what has to follow."""
    start = start_of(handler, data)
    if start >= len(data) > 0:
        handler.head(416, Content_Range=f"bytes */{len(data)}", Content_Length=0)
        return b""
    headers: dict[str, object] = {"Content_Length": len(data) - start}
    if start:
        headers["Content_Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
    handler.head(206 if start else 200, **headers)
    return data[start:]


def answer(handler: Handler, data: bytes) -> None:
    handler.wfile.write(begin(handler, data))


def cut(handler: Handler, data: bytes) -> None:
    body = begin(handler, data)
    handler.wfile.write(body[: len(body) // 2])


def stall(handler: Handler, data: bytes) -> None:
    body = begin(handler, data)
    handler.wfile.write(body[: len(body) // 2])
    handler.wfile.flush()
    handler.server.over.wait(60)


def ignore_range(handler: Handler, data: bytes) -> None:
    handler.head(200, Content_Length=len(data))
    handler.wfile.write(data)


def wrong_bytes(handler: Handler, data: bytes) -> None:
    handler.head(200, Content_Length=len(data))
    handler.wfile.write(data[:-1] + bytes([data[-1] ^ 1]))


def without_length(handler: Handler, data: bytes) -> None:
    handler.head(200)
    handler.wfile.write(data)


def chunked(handler: Handler, data: bytes) -> None:
    handler.protocol_version = "HTTP/1.1"
    handler.head(200, Transfer_Encoding="chunked")
    for start in range(0, len(data), 50_000):
        piece = data[start : start + 50_000]
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
    handler.wfile.write(b"0\r\n\r\n")


def as_encoding(handler: Handler, data: bytes) -> None:
    """As some servers send a .gz: as if they had packed something else on the way."""
    handler.head(200, Content_Length=len(data), Content_Encoding="gzip")
    handler.wfile.write(data)


def answer_status(status: int, **headers: object) -> Behaviour:
    def behave(handler: Handler, data: bytes) -> None:
        handler.head(status, Content_Length=0, **headers)

    return behave


def claims_length(length: int) -> Behaviour:
    def behave(handler: Handler, data: bytes) -> None:
        handler.head(200, Content_Length=length)
        handler.wfile.write(data[:length])

    return behave


def endless_redirect(handler: Handler, data: bytes) -> None:
    """A redirect whose body never ends."""
    handler.head(302, Location="/toy.bin")
    with contextlib.suppress(OSError):
        while not handler.server.over.is_set():
            handler.wfile.write(bytes(100_000))


def redirect(location: str) -> Behaviour:
    return answer_status(302, Location=location)
