"""The browsers of a machine: finding one, and opening a page in it without a window.

No driver is needed: the page that is opened does the work and hands its answers to the process
that serves it (:mod:`.asking`). It runs under :mod:`.keeper`, which ends it with us.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import webbrowser
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tellapart.core.errors import SettingsError
from tellapart.exports.web import keeper

VARIABLE = "TELLAPART_BROWSER"
"""Names the browser to use: a program's name or path, or ``default`` for a visible tab of
whatever browser the desktop opens."""

DEFAULT = "default"
CHROMIUM = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
    "microsoft-edge-stable",
)
FIREFOX = ("firefox", "firefox-esr")
_APPLICATIONS = {  # of macOS, which stand in no search path
    "Google Chrome.app/Contents/MacOS/Google Chrome": "chromium",
    "Chromium.app/Contents/MacOS/Chromium": "chromium",
    "Microsoft Edge.app/Contents/MacOS/Microsoft Edge": "chromium",
    "Firefox.app/Contents/MacOS/firefox": "firefox",
}
CHROMIUM_OPTIONS = (
    "--headless",
    "--disable-gpu",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",  # containers give it 64 MB, which a large picture fills
    "--disable-extensions",
    "--disable-sync",
    "--mute-audio",
)
_TAIL = 4_000  # bytes of what it wrote that are looked at
_QUOTED = 200  # characters of it that are quoted

Kind = Literal["chromium", "firefox", "default"]


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser of this machine.

    Attributes:
        kind: How it is to be started.
        program: Its path; empty for the desktop's own choice.
    """

    kind: Kind
    program: str = ""


def find_browser() -> Browser:
    """The browser that :data:`VARIABLE` names, or the first that is found.

    Raises:
        SettingsError: If there is none, with code ``no_browser``.
    """
    named = os.environ.get(VARIABLE, "")
    if named == DEFAULT:
        return Browser("default")
    if named:
        program = shutil.which(named)
        if program is None:
            raise _none(f"{VARIABLE} names {named!r}, which is no program.")
        return Browser("firefox" if "firefox" in Path(named).name.lower() else "chromium", program)
    kinds: tuple[tuple[Kind, tuple[str, ...]], ...] = (
        ("chromium", CHROMIUM),
        ("firefox", FIREFOX),
    )
    for kind, names in kinds:
        for name in names:
            if (program := shutil.which(name)) is not None:
                return Browser(kind, program)
    for place, kind_there in _APPLICATIONS.items():
        path = Path("/Applications") / place
        if path.is_file():
            return Browser("firefox" if kind_there == "firefox" else "chromium", str(path))
    raise _none("An export for browsers is checked in one, and none was found here.")


class Opened:
    """A browser that was started.

    Args:
        process: Its keeper; None for a tab of the desktop's own browser.
        log: What it writes.
    """

    def __init__(self, process: subprocess.Popen[bytes] | None, log: Path) -> None:
        self._process = process
        self._log = log

    def ended(self) -> str | None:
        """How it ended, in words; None while it runs."""
        if self._process is None or self._process.poll() is None:
            return None
        lines = self._log.read_bytes()[-_TAIL:].decode(errors="replace").strip().splitlines()
        said = f": {lines[-1][:_QUOTED].rstrip('.')}" if lines else ""
        return f"the browser ended by itself ({self._process.returncode}){said}"


@contextlib.contextmanager
def opened(browser: Browser, url: str, profile: Path) -> Iterator[Opened]:
    """Open a page; the browser and all that it started is gone after the block.

    Args:
        browser: Which one.
        url: The page.
        profile: An empty folder for its settings; those of the user are never touched.

    Yields:
        What runs; a tab of the desktop's own browser is for its owner to close.

    Raises:
        SettingsError: If the desktop has no browser.
    """
    log = profile / "log.txt"
    if browser.kind == "default":
        if not webbrowser.open(url):
            raise _none("No browser could be opened on this desktop.")
        yield Opened(None, log)
        return
    profile.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as written:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", keeper.__file__, *_command(browser, url, profile)],
            stdin=subprocess.PIPE,  # its end tells the keeper that we died
            stdout=written,
            stderr=written,
            start_new_session=True,  # so that its helpers can be ended with it
        )
    try:
        yield Opened(process, log)
    finally:
        _end(process)


def _command(browser: Browser, url: str, profile: Path) -> list[str]:
    if browser.kind == "firefox":
        return [browser.program, "--headless", "--no-remote", "--profile", str(profile), url]
    command = [browser.program, *CHROMIUM_OPTIONS, f"--user-data-dir={profile}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # Its sandbox refuses to run as root; what it opens here is our own page alone.
        command.append("--no-sandbox")
    return [*command, url]


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and its group, gently first."""
    for order in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, order)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(keeper.GRACE)
    process.wait()
    if process.stdin is not None:
        process.stdin.close()


def _none(why: str) -> SettingsError:
    return SettingsError(
        why,
        remedy=f"Install Chromium, Chrome, Edge or Firefox, or name one with {VARIABLE}; "
        f"{VARIABLE}={DEFAULT} opens a tab of your own. Without a check there is no export.",
        code="no_browser",
    )
