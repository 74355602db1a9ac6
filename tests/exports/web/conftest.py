"""Exports of real runs, and a real browser to open them in."""

from __future__ import annotations

import contextlib
import functools
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import tellapart as ta
from tellapart.core.errors import SettingsError
from tellapart.exports import Export, export_run
from tellapart.exports.web.browser import find_browser
from tellapart.runs import Run

HOSTILE = (
    "<img src=x onerror=document.title='owned'>",
    "\"'`;alert(1)",
    "{{ 7 * 7 }}",
    "back\u202eward \u00fcn\u00ef",
)


@dataclass(frozen=True)
class Exported:
    """A run, and its page."""

    run: Run
    export: Export

    @property
    def folder(self) -> Path:
        return self.export.path


@pytest.fixture(scope="session")
def browser_here() -> None:
    """Skips where there is no browser."""
    try:
        find_browser()
    except SettingsError as error:
        pytest.skip(f"no browser: {error.message}")


@pytest.fixture(scope="session")
def pets_run(small_photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A probe on 24 photographs."""
    folder = tmp_path_factory.mktemp("pets") / "pets"
    for label in ("cats", "dogs"):
        (folder / label).mkdir(parents=True)
        for file in sorted((small_photos / label).iterdir())[:12]:
            shutil.copy(file, folder / label)
    return ta.train(folder, out=folder.parent / "runs" / "pets-1")


@pytest.fixture(scope="session")
def pets(browser_here: None, pets_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """The page of a probe, as a user gets it."""
    out = tmp_path_factory.mktemp("exports") / "pets-web"
    return Exported(pets_run, export_run(pets_run, to="web", out=out))


@pytest.fixture(scope="session")
def unseen(small_photos: Path) -> list[Path]:
    """Photographs that the probe did not learn from, cats and dogs in turn."""
    cats, dogs = (sorted((small_photos / label).iterdir())[12:] for label in ("cats", "dogs"))
    return [file for pair in zip(cats, dogs, strict=True) for file in pair]


@pytest.fixture(scope="session")
def hostile(browser_here: None, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """The page of a small probe, whose class names mean harm."""
    folder = tmp_path_factory.mktemp("hostile") / "<b>hostile"
    random = np.random.default_rng(3)
    for place, name in enumerate(HOSTILE):
        (folder / name).mkdir(parents=True)
        color = np.full(3, 40 + 50 * place)
        for number in range(12):
            noise = random.integers(-30, 30, (40, 50, 3))
            pixels = np.clip(color + noise, 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    run = ta.train(folder, size=64, fit="pad", out=folder.parent / "runs" / "<b>hostile-1")
    return Exported(run, export_run(run, to="web", out=folder.parent / "page"))


@dataclass
class Site:
    """A folder served on this computer, as ``python -m http.server`` serves it."""

    url: str
    server: ThreadingHTTPServer
    asked: list[str] = field(default_factory=list)

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def serve() -> Iterator[Any]:
    """``serve(folder)`` gives a :class:`Site`; all are stopped after the test."""
    sites: list[Site] = []

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

        def handle(self) -> None:
            with contextlib.suppress(ConnectionError):  # a page that was closed while it loaded
                super().handle()

    def start(folder: Path) -> Site:
        handler = functools.partial(Quiet, directory=str(folder))
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        site = Site(f"http://localhost:{server.server_address[1]}/", server)
        sites.append(site)
        return site

    yield start
    for site in sites:
        site.stop()


@pytest.fixture(scope="module")  # not longer: while Playwright is there, no other may be started
def chromium(browser_here: None) -> Iterator[Any]:
    """Chromium under Playwright's hand, with a camera that shows a test picture."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright drives the page")
    browser = find_browser()
    if browser.kind != "chromium":
        pytest.skip("Playwright drives Chromium here, and only another browser was found")
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=browser.program,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
            ],
        )
        yield launched
        launched.close()
