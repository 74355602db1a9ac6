"""Post pictures to a server from CLIENTS connections at once, and say what came back.

Arguments: URL, FIELD, CLIENTS, SECONDS or ``nREQUESTS``, and a folder of pictures. Each client
sends the next picture as soon as its answer is there, on a connection that stays open. Requests
are made before the clock starts, and answers are not read but for their status, so that the
measuring costs as little of the two cores as it can.
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
from pathlib import Path
from urllib.parse import urlsplit

_BOUNDARY = "tellapart-load"
_PICTURES = 500


def request_of(host: str, path: str, field: str, name: str, data: bytes) -> bytes:
    """A POST of a form that holds one picture."""
    start = (
        f"--{_BOUNDARY}\r\nContent-Disposition: form-data; name=\"{field}\"; "
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
        self._answer: asyncio.Future[int] | None = None
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
        length = next(
            int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-len")
        )
        if len(rest) >= length:
            answer, self._answer = self._answer, None
            self._buffer.clear()
            if not answer.done():
                answer.set_result(int(head[9:12]))

    def connection_lost(self, error: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error or ConnectionError("the server closed"))

    def ask(self, request: bytes) -> asyncio.Future[int]:
        """Send a request; its answer's status."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer


async def load(
    url: str, requests: Iterator[bytes], clients: int, *, seconds: float, count: int | None = None
) -> dict[str, object]:
    """Ask until the time is over, or until ``count`` requests were made."""
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()
    times: list[float] = []
    statuses: Counter[str] = Counter()
    start = time.perf_counter()
    until = start + seconds

    async def client() -> None:
        _, protocol = await loop.create_connection(Client, parts.hostname, parts.port)
        while time.perf_counter() < until:
            request = next(requests, None)
            if request is None:
                break
            began = time.perf_counter()
            try:
                status = await asyncio.wait_for(protocol.ask(request), 60)
            except (ConnectionError, TimeoutError):
                statuses["lost"] += 1
                _, protocol = await loop.create_connection(Client, parts.hostname, parts.port)
                continue
            times.append(time.perf_counter() - began)
            statuses[str(status)] += 1

    await asyncio.gather(*(client() for _ in range(clients)))
    took = time.perf_counter() - start
    cuts = statistics.quantiles(times, n=100, method="inclusive") if len(times) > 1 else times * 99
    return {
        "seconds": took,
        "pictures": len(times),
        "p50_ms": 1000 * cuts[49],
        "p99_ms": 1000 * cuts[98],
        "statuses": dict(statuses),
    }


def requests_for(url: str, field: str, folder: Path) -> list[bytes]:
    """A request for each of the first pictures of a folder."""
    parts = urlsplit(url)
    found = sorted(folder.rglob("*.jpg"))[:: max(1, len(list(folder.rglob("*.jpg"))) // _PICTURES)]
    return [
        request_of(parts.netloc, parts.path, field, path.name, path.read_bytes())
        for path in found[:_PICTURES]
    ]


def main() -> None:
    url, field, clients, how_long, folder = sys.argv[1:]
    requests: Iterator[bytes] = itertools.cycle(requests_for(url, field, Path(folder)))
    seconds = float(how_long) if not how_long.startswith("n") else 3600.0
    if how_long.startswith("n"):
        requests = itertools.islice(requests, int(how_long[1:]))
    said = asyncio.run(load(url, requests, int(clients), seconds=seconds))
    print(json.dumps(said))


if __name__ == "__main__":
    main()
