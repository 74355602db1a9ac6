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
from typing import Any

import numpy as np

from tellapart.core.errors import ModelError
from tellapart.core.typing import Floats
from tellapart.exports.web.browser import Browser, opened
from tellapart.images.resizing import RGB

START_LIMIT = 180.0  # seconds until the browser runs and the network is loaded
STALL_LIMIT = 180.0  # seconds until the next prediction
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


class Page:
    """An exported page, open in a browser.

    Args:
        server: What serves it.
        ended: Says how the browser ended; None while it runs.
        classes: Number of classes.
        size: Side of the square that its network sees, in pixels.

    Attributes:
        agent: The browser's user agent.
        exact: Whether a canvas returns the pixels that were drawn on it.

    Raises:
        ModelError: If the browser or its page fails, does not answer in time, or answers with
            something else.
    """

    def __init__(
        self, server: Server, ended: Callable[[], str | None], *, classes: int, size: int
    ) -> None:
        self._server = server
        self._ended = ended
        self._classes = classes
        self._size = size
        started, _ = self._receive(START_LIMIT)
        self.agent = str(started.get("started"))[:300]
        self.exact = started.get("exact") is True
        if "started" not in started:
            raise failed("the page answered with something else")

    def predict(self, picture: bytes) -> Prediction:
        """Let the page classify one picture, from the bytes of its file.

        Raises:
            ModelError: As for the class.
        """
        self._server.pictures.put(picture)
        answer, square = self._receive(STALL_LIMIT)
        try:
            if "code" in answer:
                code, message = str(answer["code"])[:40], str(answer["message"])[:300]
                return Prediction(None, None, code, message)
            probabilities = np.array(answer["probabilities"], np.float32).reshape(self._classes)
            pixels = np.frombuffer(square, np.uint8).reshape(self._size, self._size, 3)
        except (KeyError, TypeError, ValueError):
            raise failed("the page answered with something else") from None
        return Prediction(probabilities, pixels)

    def _receive(self, limit: float) -> tuple[dict[str, Any], bytes]:
        """The next message: an object, and the bytes that follow it."""
        end = time.monotonic() + limit
        while (message := self._server.next_message()) is None:
            if how := self._ended():
                raise failed(how)
            if time.monotonic() > end:
                raise failed(f"the page did not answer within {limit:.0f} seconds")
        head, _, rest = message.partition(b"\n")
        try:
            answer = json.loads(head)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise failed("the page answered with something else")
        if "failed" in answer:
            raise failed(str(answer["failed"])[:500])
        return answer, rest


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
        ModelError: As for :class:`Page`.
        SettingsError: If the desktop has no browser.
    """
    with serving(folder, most=size * size * 3 + 4096 + 32 * classes) as server:
        address = f"http://127.0.0.1:{server.server_port}/{server.token}/check.html"
        with opened(browser, address, profile) as ended:
            yield Page(server, ended, classes=classes, size=size)


@contextlib.contextmanager
def serving(folder: Path, *, most: int) -> Iterator[Server]:
    """Serve an export until the end of the block; ``most`` bytes per message are taken."""
    with Server(folder, most) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True, name="web-export")
        thread.start()
        try:
            yield server
        finally:
            server.pictures.put(None)  # the page waits for it, and says that it is done
            server.shutdown()
            thread.join()


class Server(ThreadingHTTPServer):
    """Serves the files of an export and the check's page, on the loopback interface.

    Attributes:
        token: Part of the address of the check's page.
        pictures: What the page is given next; None when there is nothing more.
        messages: What the page sent.
        most: Largest message, in bytes.
    """

    daemon_threads = True

    def __init__(self, folder: Path, most: int) -> None:
        handler = functools.partial(_Handler, directory=str(folder.resolve()))
        super().__init__(("127.0.0.1", 0), handler)
        self.token = secrets.token_urlsafe(16)
        self.most = most
        self.pictures: queue.Queue[bytes | None] = queue.Queue()
        self.messages: queue.Queue[bytes] = queue.Queue()

    def next_message(self) -> bytes | None:
        """The next message of the page; None if there is none within half a second."""
        with contextlib.suppress(queue.Empty):
            return self.messages.get(timeout=0.5)
        return None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that is gone in the middle of an answer is no error."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(SimpleHTTPRequestHandler):
    timeout = 60  # seconds that a connection may be silent
    server_version, sys_version = "tellapart", ""
    extensions_map = {  # noqa: RUF012
        **SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",  # on some machines the system's own table says otherwise
        ".wasm": "application/wasm",
    }
    server: Server

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
