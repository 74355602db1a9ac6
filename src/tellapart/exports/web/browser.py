"""Finds a browser on this machine, and opens a page in it without a window.

No driver is needed: the page does the work and sends its predictions to the process that serves
it (:mod:`.server`). The browser runs under :mod:`.keeper`, which ends it when we end.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import webbrowser
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tellapart.core.errors import SettingsError
from tellapart.core.process import last_line
from tellapart.exports.web import keeper

VARIABLE = "TELLAPART_BROWSER"
"""Names the browser to use: a program's name or path, or ``default`` for a visible tab in the
desktop's own browser."""

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
_APPLICATIONS = (  # of macOS, which are in no search path
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "/Applications/Firefox.app/Contents/MacOS/firefox",
)
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

Kind = Literal["chromium", "firefox", "default"]


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser of this machine.

    Attributes:
        kind: How to start it.
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
    for name in [named] if named else (*CHROMIUM, *FIREFOX, *_APPLICATIONS):
        if (program := shutil.which(name)) is not None:
            kind: Kind = "firefox" if "firefox" in Path(name).name.lower() else "chromium"
            return Browser(kind, program)
    raise _none(
        f"{VARIABLE} names {named!r}, which is not a program."
        if named
        else "A web export is checked in a browser, and none was found on this computer."
    )


@contextlib.contextmanager
def opened(browser: Browser, url: str, profile: Path) -> Iterator[Callable[[], str | None]]:
    """Open a page; the browser and everything it started is gone after the block.

    Args:
        browser: Which one.
        url: The page.
        profile: An empty folder for its settings; the user's own are never touched.

    Yields:
        A function that returns how the browser ended, and None while it runs. A tab in the
        desktop's own browser stays open until its owner closes it.

    Raises:
        SettingsError: If the desktop has no browser.
    """
    if browser.kind == "default":
        if not webbrowser.open(url):
            raise _none("No browser could be opened on this desktop.")
        yield lambda: None
        return
    profile.mkdir(parents=True, exist_ok=True)
    log = profile / "log.txt"
    with (
        log.open("wb") as written,
        subprocess.Popen(
            [sys.executable, "-I", "-S", keeper.__file__, *_command(browser, url, profile)],
            stdin=subprocess.PIPE,  # when it closes, the keeper ends the browser
            stdout=written,
            stderr=written,
            start_new_session=True,  # so that the browser's helpers can be ended with it
        ) as process,
    ):

        def ended() -> str | None:
            if process.poll() is None:
                return None
            last = last_line(log)
            return f"the browser ended by itself ({process.returncode})" + f": {last}" * bool(last)

        try:
            yield ended
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait()
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)  # what is left if it had ended by itself


def _command(browser: Browser, url: str, profile: Path) -> list[str]:
    if browser.kind == "firefox":
        return [browser.program, "--headless", "--no-remote", "--profile", str(profile), url]
    command = [browser.program, *CHROMIUM_OPTIONS, f"--user-data-dir={profile}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # Chromium's sandbox refuses to run as root; it opens only our own page here.
        command.append("--no-sandbox")
    return [*command, url]


def _none(why: str) -> SettingsError:
    return SettingsError(
        why,
        remedy=f"Install Chromium, Chrome, Edge or Firefox, or set {VARIABLE} to the program to "
        f"use; {VARIABLE}={DEFAULT} opens a tab in your own browser. There is no export without "
        "this check.",
        code="no_browser",
    )
