"""Asks an exported page in a real browser: serves it and pictures, and takes the answers.

One process on both sides of a loopback connection: the export's files lie at ``/``, the check's
page and the pictures under a random token. Nothing is ever looked up by what a request says: files
by the list of the export's, pictures by number.
"""

from __future__ import annotations

import json
import queue
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Any

from tellapart.core.errors import ModelError
from tellapart.exports.web.browser import Browser, Opened, opened

START_LIMIT = 180.0  # seconds until the browser runs and the network is loaded
STALL_LIMIT = 180.0  # seconds without an answer
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
}
_CHECK = ("check.html", "check.js")
_POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; "
    "connect-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'"
)
_SAME_COMPUTER = ("127.0.0.1", "localhost")


@dataclass(frozen=True)
class Said:
    """What the page says of one picture.

    Attributes:
        place: Which picture.
        probabilities: One a class; None where it refused the picture.
        square: The bytes of uint8 ``[size, size, 3]`` that its network saw.
        code: Why it refused, as a :class:`~tellapart.core.errors.PictureError` has it.
        message: The same for people.
    """

    place: int
    probabilities: tuple[float, ...] | None
    square: bytes = b""
    code: str = ""
    message: str = ""


@dataclass(frozen=True)
class Started:
    """What the page says of itself: its browser's user agent, and whether pixels are read true."""

    agent: str
    exact: bool


def ask(
    folder: Path,
    browser: Browser,
    *,
    pictures: int,
    read: Callable[[int], bytes],
    classes: int,
    size: int,
    scratch: Path,
) -> Iterator[Started | Said]:
    """Classify pictures in an exported page.

    Args:
        folder: The export.
        browser: The browser to open it in.
        pictures: How many.
        read: Gives the bytes of one; its errors end the asking.
        classes: How many the model tells apart.
        size: Side of the square its network sees, in pixels.
        scratch: An empty folder for the browser.

    Yields:
        Once :class:`Started`, then one :class:`Said` a picture, in order.

    Raises:
        ModelError: If the browser or its page fails, stalls, or answers with something else.
        SettingsError: If the desktop has no browser.
    """
    desk = _Desk(folder, pictures, read, classes=classes, square=size * size * 3)
    with (
        _served(desk) as url,
        opened(browser, url, scratch / "browser") as running,
    ):
        yield desk.next(START_LIMIT, running)
        for _ in range(pictures):
            yield desk.next(STALL_LIMIT, running)


class _Desk:
    """What may be asked for, and what came back."""

    def __init__(
        self,
        folder: Path,
        pictures: int,
        read: Callable[[int], bytes],
        *,
        classes: int,
        square: int,
    ) -> None:
        self.token = secrets.token_urlsafe(16)
        self.pictures = pictures
        self.read = read
        self.classes = classes
        self.square = square
        self.files = {
            path.relative_to(folder).as_posix(): path
            for path in folder.rglob("*")
            if path.is_file() and not path.is_symlink()
        }
        self.most = max(square, 4096 + 32 * classes)  # bytes of a request's body
        self.came: queue.Queue[Started | Said | BaseException] = queue.Queue()
        self._squares: dict[int, bytes] = {}

    def next(self, limit: float, running: Opened | None = None) -> Any:
        """What comes next, within a time."""
        end = time.monotonic() + limit
        while True:
            try:
                item = self.came.get(timeout=0.5)
            except queue.Empty:
                if running is not None and (how := running.ended()):
                    raise failed(how) from None
                if time.monotonic() > end:
                    raise failed(f"the page said nothing for {limit:.0f} seconds") from None
                continue
            if isinstance(item, BaseException):
                raise item
            return item

    def given(self, path: str) -> tuple[bytes, str] | None:
        """What lies at an address, and its type."""
        start = f"/{self.token}/"
        if not path.startswith(start):
            file = self.files.get(path.removeprefix("/"))
            if file is None:
                return None
            return file.read_bytes(), TYPES.get(file.suffix, "text/plain; charset=utf-8")
        name = path.removeprefix(start)
        if name in _CHECK:
            found = files("tellapart.exports.web").joinpath("check", name).read_bytes()
            return found, TYPES[Path(name).suffix]
        if name == "pictures.json":
            return json.dumps({"pictures": self.pictures}).encode(), TYPES[".json"]
        place = self._place(name, "picture/")
        if place is None:
            return None
        try:
            return self.read(place), "application/octet-stream"
        except Exception as error:  # said by who asked, in the thread that waits
            self.came.put(error)
            return None

    def take(self, path: str, body: bytes) -> bool:
        """Take what the page sends; False if it has no meaning."""
        start = f"/{self.token}/"
        if not path.startswith(start):
            return False
        name = path.removeprefix(start)
        place = self._place(name, "square/")
        if place is not None:
            if len(body) != self.square:
                return False
            self._squares = {place: body}  # one picture at a time
            return True
        if name != "answer":
            return False
        try:
            item = self._read_answer(json.loads(body))
        except (ValueError, TypeError, KeyError, RecursionError):
            self.came.put(failed("the page answered with something else"))
            return False
        self.came.put(item)
        return True

    def _read_answer(self, said: Mapping[str, Any]) -> Started | Said | ModelError:
        if "failed" in said:
            return failed(str(said["failed"])[:500])
        if "started" in said:
            return Started(str(said["started"])[:300], said["exact"] is True)
        place = said["place"]
        if type(place) is not int or not 0 <= place < self.pictures:
            raise ValueError("no such picture")
        if "code" in said:
            return Said(
                place, None, code=str(said["code"])[:40], message=str(said["message"])[:300]
            )
        shares = said["probabilities"]
        if not isinstance(shares, list) or len(shares) != self.classes:
            raise ValueError("not one probability a class")
        return Said(place, tuple(float(one) for one in shares), self._squares.pop(place))

    def _place(self, name: str, kind: str) -> int | None:
        number = name.removeprefix(kind)
        if not name.startswith(kind) or not number.isascii() or not number.isdecimal():
            return None
        place = int(number[:10])
        return place if place < self.pictures else None


@contextmanager
def _served(desk: _Desk) -> Iterator[str]:
    """Serve a desk on this computer alone; gives the address of the check's page."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 60  # seconds that a connection may say nothing
        server_version, sys_version = "tellapart", ""

        def do_GET(self) -> None:
            found = desk.given(self.path) if self._ours() else None
            if found is None:
                return self._answer(404)
            self._answer(200, *found)

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not self._ours() or not length.isdecimal() or int(length[:12]) > desk.most:
                return self._answer(400)
            taken = desk.take(self.path, self.rfile.read(int(length)))
            self._answer(200 if taken else 400)

        def _ours(self) -> bool:
            """Whether it was asked for by its own name: no page from elsewhere may ask."""
            host, _, port = self.headers.get("Host", "").partition(":")
            return host in _SAME_COMPUTER and port == str(server.server_port)

        def _answer(self, status: int, body: bytes = b"", kind: str = "text/plain") -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Security-Policy", _POLICY)
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True, name="web-export")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/{desk.token}/check.html"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def failed(why: str) -> ModelError:
    """The error about a page that does not answer."""
    return ModelError(
        f"The exported page failed in the browser: {why}.",
        remedy="Nothing was put in place. Try another browser (TELLAPART_BROWSER).",
        code="browser_failed",
    )
