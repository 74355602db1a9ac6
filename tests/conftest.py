"""What every test gets: its own home and cache, fixed seeds, no network, and real pictures.

Real photographs come from the folder that ``TELLAPART_DATA`` names. Without it a test that needs
them is skipped; where ``TELLAPART_REQUIRE_DATA`` is ``1``, skipping for lack of data fails.
"""

from __future__ import annotations

import io
import ipaddress
import os
import random
import shutil
import socket
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tellapart.datasets.digits import write_digits
from tellapart.exports.web.browser import CHROMIUM, FIREFOX

sys.path.append(str(Path(__file__).parent))  # for what test modules share

PHOTOS_PER_CLASS = 24

MakePicture = Callable[..., Path]


def pytest_report_header() -> list[str]:
    """What is not at hand, so that the tests which need it are skipped."""
    missing = []
    if not (Path(os.environ.get("TELLAPART_DATA", "")) / "cats-dogs-3k.zip").is_file():
        missing.append("real photographs (TELLAPART_DATA)")
    if not any(map(shutil.which, CHROMIUM)):
        missing.append("Chromium")
    if not any(map(shutil.which, FIREFOX)):
        missing.append("Firefox")
    if not shutil.which("qemu-x86_64"):
        missing.append("an emulated processor (qemu-user)")
    if not shutil.which("hadolint"):
        missing.append("hadolint")
    return [f"skipping the tests that need: {', '.join(missing) or 'nothing; all is here'}"]


TRAINED_ONCE = ("exports", "serve")
"""Folders of tests that share trained models, exports or a server: one process runs each."""


@pytest.hookimpl(tryfirst=True)  # before xdist looks for groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests that share what takes long to make run in the same process of ``-n 2``.

    They are the tests of one file, or of a folder of :data:`TRAINED_ONCE`.
    """
    if not config.pluginmanager.hasplugin("xdist"):
        return
    tests = Path(__file__).parent
    for item in items:
        first, *rest = item.path.relative_to(tests).parts
        group = first if first in TRAINED_ONCE else "/".join([first, *rest])
        item.add_marker(pytest.mark.xdist_group(group))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--renew-golden",
        action="store_true",
        help="Write the files in tests/golden anew where they differ from what comes now.",
    )


# ------------------------------------------------------------------ isolation


@pytest.fixture(scope="session", autouse=True)
def _isolated_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Home, cache and settings folders of this test process; the user's are never touched."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        for name in ("CACHE", "CONFIG", "DATA", "STATE"):
            patch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
        # One cache for the process: what an earlier test computed is there for a later one.
        patch.setenv("TELLAPART_CACHE", str(tmp_path_factory.mktemp("cache")))
        # Plain, narrow-free output, whatever terminal the tests run in.
        patch.setenv("NO_COLOR", "1")
        patch.setenv("COLUMNS", "120")
        for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
            patch.delenv(name, raising=False)
        # Child processes have sockets of their own: a proxy where nobody listens stops them.
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            patch.setenv(name, "http://127.0.0.1:9")
        patch.setenv("no_proxy", "localhost,127.0.0.1,::1")
        yield


@pytest.fixture
def fresh_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder for this test alone."""
    folder = tmp_path / "fresh-cache"
    monkeypatch.setenv("TELLAPART_CACHE", str(folder))
    return folder


@pytest.fixture
def in_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory is an empty folder, so that ``runs/`` is made there."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(autouse=True)
def _seeds() -> None:
    random.seed(0)
    np.random.seed(0)


class NetworkBlocked(RuntimeError):
    """A test tried to reach something outside this machine."""


def _is_local(address: Any) -> bool:
    if not isinstance(address, tuple):  # AF_UNIX: a path
        return True
    host = str(address[0])
    if host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


@pytest.fixture(scope="session", autouse=True)
def _no_network() -> Iterator[None]:
    """Connections leave this machine from no test; loopback and local sockets work."""
    connect, connect_ex, lookup = (
        socket.socket.connect,
        socket.socket.connect_ex,
        socket.getaddrinfo,
    )

    def checked_connect(self: socket.socket, address: Any) -> None:
        if not _is_local(address):
            raise NetworkBlocked(f"A test tried to connect to {address!r}.")
        connect(self, address)

    def checked_connect_ex(self: socket.socket, address: Any) -> int:
        if not _is_local(address):
            raise NetworkBlocked(f"A test tried to connect to {address!r}.")
        return connect_ex(self, address)

    def checked_lookup(host: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name is not None and not _is_local((name,)):
            raise NetworkBlocked(f"A test tried to look up {name!r}.")
        return lookup(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", checked_connect)
        patch.setattr(socket.socket, "connect_ex", checked_connect_ex)
        patch.setattr(socket, "getaddrinfo", checked_lookup)
        yield


# ------------------------------------------------------------------ real pictures


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real data sets that ``TELLAPART_DATA`` names."""
    named = os.environ.get("TELLAPART_DATA", "")
    folder = Path(named).expanduser().resolve() if named else None
    if folder is not None and (folder / "cats-dogs-3k.zip").is_file():
        return folder
    reason = (
        f"TELLAPART_DATA names '{named}', which holds no cats-dogs-3k.zip"
        if named
        else "TELLAPART_DATA names no folder of real data sets"
    )
    if os.environ.get("TELLAPART_REQUIRE_DATA") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def digits_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The 1,797 digits as class folders. Shared: read it, do not write into it."""
    return write_digits(tmp_path_factory.mktemp("digits") / "digits")


@pytest.fixture(scope="session")
def small_photos(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``cats/`` and ``dogs/`` with 24 real photos each. Shared: read it, do not write into it."""
    folder = tmp_path_factory.mktemp("photos") / "pets"
    with zipfile.ZipFile(data_folder / "cats-dogs-3k.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.lower().endswith(".jpg"))
        for label in ("cats", "dogs"):
            (folder / label).mkdir(parents=True)
            chosen = [name for name in names if f"train/{label}/" in name][:PHOTOS_PER_CLASS]
            assert len(chosen) == PHOTOS_PER_CLASS
            for name in chosen:
                (folder / label / Path(name).name).write_bytes(archive.read(name))
    return folder


@pytest.fixture(scope="session")
def make_picture() -> MakePicture:
    """Write a picture file: ``make_picture(path, pixels=None, size=(96, 72), seed=0, **save)``.

    ``pixels`` is an array [H, W] or [H, W, 3 or 4], or a ``PIL.Image``; without it a smooth colored
    picture, different for every seed, is made. The format follows the ending unless ``format`` is
    given; other keywords go to ``Image.save``. Parent folders are made. Returns the path.
    """

    def make(
        path: Path,
        pixels: np.ndarray | Image.Image | None = None,
        *,
        size: tuple[int, int] = (96, 72),
        seed: int = 0,
        **save: Any,
    ) -> Path:
        if pixels is None:
            pixels = smooth_picture(size, seed)
        image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
        path.parent.mkdir(parents=True, exist_ok=True)
        form = save.pop("format", None) or Image.registered_extensions()[path.suffix.lower()]
        buffer = io.BytesIO()
        image.save(buffer, format=form, **save)
        path.write_bytes(buffer.getvalue())
        return path

    return make


def smooth_picture(size: tuple[int, int], seed: int) -> np.ndarray:
    """A picture of soft colored blotches, uint8 [H, W, 3], that no other seed resembles."""
    rng = np.random.default_rng(seed)
    blotches = rng.integers(0, 256, size=(6, 8, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(blotches).resize(size, Image.Resampling.BICUBIC))
