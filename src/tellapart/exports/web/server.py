"""Serves an exported page to a browser on this computer, and collects its predictions.

The check's own page (``check/``) asks for one picture after another; each request carries the
prediction for the picture before. Its address contains a random token, so no other page and no
other user of this computer can take part.
"""

from __future__ import annotations

import contextlib
import functools
import json
import queue
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from tellapart.core.errors import ModelError
from tellapart.core.typing import Floats
from tellapart.exports.web.browser import Browser, opened
from tellapart.images.resizing import RGB

START_LIMIT = 180.0  # seconds until the browser runs and the network is loaded
STALL_LIMIT = 180.0  # seconds until the next prediction
Answer = TypeVar("Answer")
_CHECK = Path(__file__).with_name("check")
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; "
    "worker-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Prediction:
    """What the page answers for one picture.

    Attributes:
        probabilities: float32 ``[K]``; None if the page refused the picture.
        pixels: uint8 ``[size, size, 3]``, the square that its network saw; None if it refused.
        code: Why it refused, as in :class:`~tellapart.core.errors.PictureError`.
        message: The same for people.
    """

    probabilities: Floats | None
    pixels: RGB | None
    code: str = ""
    message: str = ""


@contextlib.contextmanager
def open_page(
    folder: Path, browser: Browser, profile: Path, *, classes: int, size: int
) -> Iterator[Page]:
    """Open an exported page; its browser and its server are gone after the block.

    Args:
        folder: The export.
        browser: The browser to open it in.
        profile: An empty folder for the browser's settings.
        classes: Number of classes of the model.
        size: Side of the square that its network sees, in pixels.

    Raises:
        ModelError: If the browser or its page fails, does not answer in time, or answers with
            something else.
        SettingsError: If the desktop has no browser.
    """
    with (
        Page(folder, classes=classes, size=size) as page,
        opened(browser, page.address, profile) as ended,
    ):
        page.start(ended)
        yield page


class Page(ThreadingHTTPServer):
    """Serves an exported page and the check's page on the loopback interface, and talks to it.

    Args:
        folder: The export.
        classes: Number of classes.
        size: Side of the square that its network sees, in pixels.

    Attributes:
        address: Of the check's page; contains ``token``.
        most: Largest message that is taken, in bytes.
        pictures: What the page gets next; None at the end.
        messages: What the page sent.
        agent: The browser's user agent.
        exact: Whether a canvas returns the pixels that were drawn on it.
    """

    daemon_threads = True
    agent, exact = "", False

    def __init__(self, folder: Path, *, classes: int, size: int) -> None:
        handler = functools.partial(_Handler, directory=str(folder.resolve()))
        super().__init__(("127.0.0.1", 0), handler)
        self.token = secrets.token_urlsafe(16)
        self.address = f"http://127.0.0.1:{self.server_port}/{self.token}/check.html"
        self.most = size * size * 3 + 4096 + 32 * classes
        self.pictures: queue.Queue[bytes | None] = queue.Queue()
        self.messages: queue.Queue[bytes] = queue.Queue()
        self._classes = classes
        self._size = size
        self._ended: Callable[[], str | None] = lambda: None
        self._thread = threading.Thread(target=self.serve_forever, daemon=True, name="web-export")

    def __enter__(self) -> Page:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.pictures.put(None)  # the page waits for it, and shows that it is done
        self.shutdown()
        self._thread.join()
        self.server_close()

    def start(self, ended: Callable[[], str | None]) -> None:
        """Wait until the page has loaded its network.

        Args:
            ended: Returns how the browser ended; None while it runs.

        Raises:
            ModelError: As for :func:`open_page`.
        """
        self._ended = ended
        self.agent, self.exact = self._receive(START_LIMIT, self._read_start)

    def predict(self, picture: bytes) -> Prediction:
        """Let the page classify one picture, from the bytes of its file.

        Raises:
            ModelError: As for :func:`open_page`.
        """
        self.pictures.put(picture)
        return self._receive(STALL_LIMIT, self._read_prediction)

    def _receive(self, limit: float, read: Callable[[dict[str, Any], bytes], Answer]) -> Answer:
        """The next message, read: an object, and the bytes that follow it."""
        end = time.monotonic() + limit
        while True:
            try:
                head, _, rest = self.messages.get(timeout=0.5).partition(b"\n")
                break
            except queue.Empty:
                if how := self._ended():
                    raise failed(how) from None
                if time.monotonic() > end:
                    raise failed(f"the page did not answer within {limit:.0f} seconds") from None
        try:
            answer = json.loads(head)
            if "failed" in answer:
                raise failed(str(answer["failed"])[:500])
            return read(answer, rest)
        except (KeyError, TypeError, ValueError, RecursionError):
            raise failed("the page answered with something else") from None

    def _read_start(self, answer: dict[str, Any], rest: bytes) -> tuple[str, bool]:
        return str(answer["started"])[:300], answer["exact"] is True

    def _read_prediction(self, answer: dict[str, Any], square: bytes) -> Prediction:
        if "code" in answer:
            code, message = str(answer["code"])[:40], str(answer["message"])[:300]
            return Prediction(None, None, code, message)
        return Prediction(
            np.array(answer["probabilities"], np.float32).reshape(self._classes),
            np.frombuffer(square, np.uint8).reshape(self._size, self._size, 3),
        )

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that is gone in the middle of an answer is no error."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(SimpleHTTPRequestHandler):
    timeout = 60  # seconds that a connection may be silent
    server_version, sys_version = "tellapart", ""
    extensions_map = {  # noqa: RUF012
        **SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",  # some systems' own tables have another type
        ".wasm": "application/wasm",
    }
    server: Page

    def send_head(self) -> Any:
        """Answer a GET or HEAD: with a file below one of two folders, and nothing else."""
        check = f"/{self.server.token}/"
        if self.path.startswith(check):
            self.path, self.directory = self.path.removeprefix(check[:-1]), str(_CHECK)
        file = Path(self.translate_path(self.path)).resolve()
        if self._is_local() and file.is_file() and file.is_relative_to(self.directory):
            return super().send_head()
        return self.send_error(404)

    def do_POST(self) -> None:
        """Take a message, and answer with the next picture."""
        length = self.headers.get("Content-Length", "")
        size = int(length) if length.isdecimal() and len(length) < 12 else self.server.most + 1
        if (
            not self._is_local()
            or self.path != f"/{self.server.token}/next"
            or size > self.server.most
        ):
            return self.send_error(400)
        self.server.messages.put(self.rfile.read(size))
        picture = self.server.pictures.get()
        self.send_response(200 if picture is not None else 204)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(picture or b"")))
        self.end_headers()
        self.wfile.write(picture or b"")

    def _is_local(self) -> bool:
        """Whether it was asked for by this computer's name: no page from elsewhere may ask."""
        port = self.server.server_port
        return self.headers.get("Host") in (f"127.0.0.1:{port}", f"localhost:{port}")

    def end_headers(self) -> None:
        """Add the headers that every answer has."""
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Requests are not logged."""


def failed(why: str) -> ModelError:
    """The error about a page that does not answer."""
    return ModelError(
        f"The exported page failed in the browser: {why}.",
        remedy="Nothing was saved. Try another browser (TELLAPART_BROWSER).",
        code="browser_failed",
    )
