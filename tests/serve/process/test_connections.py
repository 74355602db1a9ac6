"""Clients that are slow, many, or hostile below the level of requests."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import resource
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from serving import RED, Server, apart, form_of

GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
LIMIT = 1.0  # seconds, as the hasty server has them for headers and bodies


@pytest.fixture(scope="module")
def hasty(run_folder: Path) -> Iterator[Server]:
    """A server that soon loses its patience, so that no test has to keep its own for long."""
    running = Server(run_folder, "--header-timeout", str(LIMIT), "--body-timeout", str(LIMIT))
    yield running
    running.kill()


def request_of(*pictures: bytes, close: bool = False) -> bytes:
    body, kind = form_of(*pictures)
    end = "Connection: close\r\n" if close else ""
    head = (
        f"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {len(body)}\r\n{end}\r\n"
    )
    return head.encode() + body


def all_of(connection: socket.socket) -> bytes:
    """What a server says until it closes."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65_536):
            parts.append(part)
    return b"".join(parts)


def test_headers_that_come_a_byte_at_a_time_are_not_waited_for(hasty: Server) -> None:
    with hasty.connect() as connection:
        start = time.monotonic()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for byte in GET + b"X-Slow: " + b"a" * 1000:
                connection.sendall(bytes([byte]))
                time.sleep(0.05)
                if time.monotonic() - start > 20 * LIMIT:
                    raise AssertionError("nobody minds")
        # The server answers, or closes without a word where the client still sends.
        assert all_of(connection)[:12] in (b"HTTP/1.1 408", b"")
    assert time.monotonic() - start < 20 * LIMIT
    assert hasty.predict(RED)[0] == 200


def test_a_connection_that_says_nothing_is_closed_without_a_word(hasty: Server) -> None:
    with hasty.connect() as connection:
        assert all_of(connection) == b""


def test_a_body_that_never_ends_is_not_waited_for(hasty: Server) -> None:
    with hasty.connect() as connection:
        connection.sendall(request_of(RED)[:-40])
        answer = all_of(connection)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b'"code":"slow"' in answer


def test_a_body_cut_off_by_its_sender_leaves_nothing_behind(server: Server) -> None:
    for _ in range(5):
        with server.connect() as connection:
            connection.sendall(request_of(RED)[:-40])
    assert server.predict(RED)[0] == 200
    _, _, numbers = server.ask("GET", "/metrics")
    assert b"tellapart_bodies_bytes 0.0" in numbers
    assert b"tellapart_queue_pictures 0.0" in numbers


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/9.9\r\n\r\n", b"400"),
        (GET + b"X-Large: " + b"a" * 40_000 + b"\r\n\r\n", b"431"),
        (b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\n", b"431"),
        (GET + b"A: b\r\n" * 10_000, b"431"),
        (b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n", b"400"),
        (
            b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"400",
        ),
        (
            b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\n"
            b"Transfer-Encoding: chunked\r\n\r\nz\r\n",
            b"4",
        ),
    ],
)
def test_what_is_no_request_is_refused(server: Server, sent: bytes, status: bytes) -> None:
    with server.connect() as connection:
        connection.sendall(sent)
        assert all_of(connection).startswith(b"HTTP/1.1 " + status)
    assert server.ask("GET", "/healthz")[0] == 200


def test_a_body_larger_than_allowed_is_answered_and_its_connection_goes_on(server: Server) -> None:
    large = request_of(b"x" * 3_000_000)
    with server.connect() as connection:
        connection.sendall(large)
        refused = http.client.HTTPResponse(connection)
        refused.begin()
        assert refused.status == 413
        assert json.loads(refused.read())["error"]["code"] == "too_large"
        connection.sendall(request_of(RED, close=True))
        answer = all_of(connection)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b'"label":"red"' in answer


def test_requests_sent_without_waiting_are_answered_in_their_order(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(request_of(RED) * 3 + GET + b"Connection: close\r\n\r\n")
        answer = all_of(connection)
    assert answer.count(b'"label":"red"') == 3
    assert answer.endswith(b'{"status":"ok"}')


def test_a_client_that_never_reads_is_given_up(hasty: Server) -> None:
    asked = 400
    _, _, report = hasty.ask("GET", "/report")
    assert asked * len(report) > 30_000_000  # more than the system keeps for a socket
    with hasty.connect() as connection:
        connection.sendall(b"GET /report HTTP/1.1\r\nHost: localhost\r\n\r\n" * asked)
        time.sleep(2.5 * LIMIT)
        answer = all_of(connection)
    assert answer.count(b"HTTP/1.1 200") < asked
    assert hasty.ask("GET", "/healthz")[0] == 200


def test_what_was_closed_before_there_was_a_request_is_counted(
    own_server: Callable[..., Server],
) -> None:
    server = own_server("--header-timeout", "1", "--connections", "1")
    with server.connect() as connection:
        with server.connect() as second:
            assert all_of(second).startswith(b"HTTP/1.1 503")
        assert all_of(connection) == b""
    with server.connect() as connection:
        connection.sendall(GET)
        assert all_of(connection).startswith(b"HTTP/1.1 408")
    with server.connect() as connection:
        connection.sendall(GET + b"A: b\r\n" * 10_000)
        assert all_of(connection).startswith(b"HTTP/1.1 431")
    _, _, numbers = server.ask("GET", "/metrics")
    for reason in ("too_many", "silent", "slow", "large_headers"):
        told = f'tellapart_connections_refused_total{{reason="{reason}"}} 1.0'
        assert told in numbers.decode()


def test_a_thousand_clients_at_once_are_all_answered(own_server: Callable[..., Server]) -> None:
    """With room for 64 pictures: each is classified, or told at once to come again."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = 4096 if hard == resource.RLIM_INFINITY else min(4096, hard)
    if soft != resource.RLIM_INFINITY and soft < enough:
        resource.setrlimit(resource.RLIMIT_NOFILE, (enough, hard))
    patient = [f"--{name}-timeout=120" for name in ("header", "body")]  # the clients share a core
    server = own_server("--queue", "64", "--timeout", "120", *patient)
    request = request_of(RED, close=True)

    async def client(start: asyncio.Event) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        await start.wait()
        writer.write(request)
        await writer.drain()
        answer = await reader.read()
        writer.close()
        return answer

    async def all_clients() -> list[bytes]:
        start = asyncio.Event()
        tasks = [asyncio.create_task(client(start)) for _ in range(1000)]
        await asyncio.sleep(0.5)
        start.set()
        return await asyncio.gather(*tasks)

    answers = apart(all_clients())
    statuses = Counter(answer[9:12] for answer in answers)
    assert statuses[b"200"] >= 64
    assert statuses[b"200"] + statuses[b"503"] == 1000, statuses
    for answer in answers:
        head, _, body = answer.partition(b"\r\n\r\n")
        if answer[9:12] == b"503":
            assert b"retry-after: " in head
        else:
            assert json.loads(body)["rows"][0]["label"] == "red"
    assert server.predict(RED)[0] == 200
