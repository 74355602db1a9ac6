"""A server in a process of its own, pictures to send, and forms to send them in."""

from __future__ import annotations

import asyncio
import http.client
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import httpx
import numpy as np
from PIL import Image

Answer = TypeVar("Answer")

CLASSES = ("blue", "red")
LIMITS = (
    *("--max-body-mb", "1", "--max-bodies-mb", "8", "--max-megapixels", "4", "--max-pictures", "4"),
    *("--queue", "64"),
)


def picture_of(label: str, seed: int = 0, side: int = 64) -> np.ndarray:
    """A reddish or bluish picture, uint8 [side, side, 3]."""
    rng = np.random.default_rng([seed, CLASSES.index(label)])
    pixels = rng.integers(0, 120, size=(8, 8, 3), dtype=np.uint8)
    pixels[..., 0 if label == "red" else 2] += 130
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC))


def file_of(pixels: np.ndarray, form: str = "JPEG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, form)
    return buffer.getvalue()


RED, BLUE = file_of(picture_of("red", 99)), file_of(picture_of("blue", 99))


def apart(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Run on an event loop in a thread of its own: Playwright may have one running in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


class Client:
    """Asks an application in this process."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.ask("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.ask("POST", path, **options)

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def asking() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://127.0.0.1:8000"
            ) as client:
                return await client.request(method, path, **options)

        return apart(asking())


class Server:
    """``tellapart serve`` in a process of its own, on a free port of the loopback.

    Attributes:
        log: The lines of its log so far.
    """

    def __init__(self, run: Path, *options: str, **env: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tellapart", "serve", str(run), "--port", "0", *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **env},
        )
        self.log: list[dict[str, Any]] = []
        self.other: list[str] = []
        self.port = 0
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self._until(lambda: self.port != 0)
        except BaseException:
            self.kill()
            raise

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers (lower case) and body of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, found, answer.read()
        finally:
            connection.close()

    def predict(self, *pictures: bytes, path: str = "/v1/predict") -> tuple[int, Any]:
        """Status and JSON of the answer to some pictures, sent as a form."""
        body, kind = form_of(*pictures)
        status, _, content = self.ask("POST", path, body, {"Content-Type": kind})
        return status, json.loads(content)

    def wait_for(self, event: str, count: int = 1) -> dict[str, Any]:
        """The ``count``-th line of an event, as soon as it is logged."""

        def found() -> list[dict[str, Any]]:
            return [line for line in self.log if line["event"] == event]

        self._until(lambda: len(found()) >= count)
        return found()[count - 1]

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def stop(self) -> int:
        """Tell it to stop; its exit code."""
        self.signal(signal.SIGTERM)
        code = self.process.wait(60)
        self._reader.join(10)
        return code

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(30)

    def _until(self, there: Callable[[], bool]) -> None:
        with self._news:
            if not self._news.wait_for(lambda: there() or not self._reader.is_alive(), 120):
                raise AssertionError(f"Nothing came: {self.log[-3:]} {self.other[-20:]}")
        assert there(), f"The server ended: {self.log[-3:]} {self.other[-20:]}"

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            for line in lines:
                with self._news:
                    if line.startswith("{"):
                        self.log.append(json.loads(line))
                    else:
                        self.other.append(line)
                        if line.startswith("Serving"):
                            self.port = int(line.partition("http://127.0.0.1:")[2].split()[0])
                    self._news.notify_all()
        with self._news:
            self._news.notify_all()


def form_of(*pictures: bytes, field: str = "picture") -> tuple[bytes, str]:
    """The body and the content type of a form that holds some pictures."""
    parts = [
        f'--b0undary\r\nContent-Disposition: form-data; name="{field}"; filename="{number}.jpg"'
        "\r\nContent-Type: image/jpeg\r\n\r\n".encode()
        + data
        + b"\r\n"
        for number, data in enumerate(pictures)
    ]
    return b"".join(parts) + b"--b0undary--\r\n", "multipart/form-data; boundary=b0undary"
