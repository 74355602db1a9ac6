"""Post pictures, some of them broken, from CLIENTS connections at once, and check the answers.

Arguments: URL, FIELD, CLIENTS, REQUESTS and a folder of pictures. One body in a hundred is cut
off, and one is larger than 2 MiB. Each client sends the next picture as soon as its answer is
there, on a connection that stays open.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

_BOUNDARY = "tellapart-load"
_PICTURES = 500
_EVERY = 100
_LARGE = 3 * 1024**2


@dataclass(frozen=True)
class Request:
    """What is sent, and what should come back.

    Attributes:
        data: The bytes.
        status: Of a right answer.
        holds: What its body holds.
    """

    data: bytes
    status: int = 200
    holds: bytes = b""


def request_of(host: str, path: str, field: str, name: str, data: bytes) -> bytes:
    """A POST of a form that holds one picture."""
    start = (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; '
        f'filename="{name}"\r\nContent-Type: image/jpeg\r\n\r\n'
    ).encode()
    body = start + data + f"\r\n--{_BOUNDARY}--\r\n".encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\n"
        f"Content-Type: multipart/form-data; boundary={_BOUNDARY}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()
    return head + body


class Client(asyncio.Protocol):
    """A connection: one request after the other."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, mark, rest = self._buffer.partition(b"\r\n\r\n")
        if not mark or self._answer is None:
            return
        lines = bytes(head).lower().split(b"\r\n")
        length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
        if len(rest) >= length:
            answer, self._answer = self._answer, None
            self._buffer.clear()
            if not answer.done():
                answer.set_result((int(head[9:12]), bytes(rest)))

    def connection_lost(self, error: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error or ConnectionError("the server closed"))

    def ask(self, request: bytes) -> asyncio.Future[tuple[int, bytes]]:
        """Send a request; the status and the body of its answer."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer


async def load(url: str, requests: Iterator[Request], clients: int) -> dict[str, object]:
    """Ask until there are no more requests."""
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()
    times: list[float] = []
    statuses: Counter[str] = Counter()
    wrong = lost = 0
    start = time.perf_counter()

    async def client() -> None:
        nonlocal wrong, lost
        _, protocol = await loop.create_connection(Client, parts.hostname, parts.port)
        for request in requests:
            began = time.perf_counter()
            try:
                status, body = await asyncio.wait_for(protocol.ask(request.data), 60)
            except (ConnectionError, TimeoutError):
                lost += 1
                _, protocol = await loop.create_connection(Client, parts.hostname, parts.port)
                continue
            times.append(time.perf_counter() - began)
            statuses[str(status)] += 1
            wrong += status != request.status or request.holds not in body

    await asyncio.gather(*(client() for _ in range(clients)))
    took = time.perf_counter() - start
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    return {
        "seconds": took,
        "pictures": len(times),
        "p50_ms": 1000 * cuts[49],
        "p99_ms": 1000 * cuts[98],
        "wrong": wrong,
        "lost": lost,
        "statuses": dict(statuses),
    }


def requests_for(url: str, field: str, folder: Path) -> list[Request]:
    """A request for each of some pictures of a folder, and what should come back."""
    parts = urlsplit(url)
    make = partial(request_of, parts.netloc, parts.path, field)
    found = sorted(folder.rglob("*.jpg"))
    found = found[:: max(1, len(found) // _PICTURES)][:_PICTURES]
    made = [Request(make(path.name, path.read_bytes()), holds=b'"error":null') for path in found]
    for at in range(0, len(made), _EVERY):
        data = found[at].read_bytes()
        cut = make("cut.jpg", data[: len(data) // 2])
        made[at] = Request(cut, 200, b'"code":"cut_off"')
        if at + 1 < len(made):
            made[at + 1] = Request(make("large.jpg", b"x" * _LARGE), 413, b'"code":"too_large"')
    return made


def main() -> None:
    url, field, clients, count, folder = sys.argv[1:]
    made = requests_for(url, field, Path(folder))
    requests = itertools.islice(itertools.cycle(made), int(count))
    print(json.dumps(asyncio.run(load(url, requests, int(clients)))))


if __name__ == "__main__":
    main()
