"""A small run, a server of it in a process of its own, and the same application without one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import tellapart as ta
from tellapart.serve import ServeSettings
from tellapart.serve.api.application import build
from tellapart.serve.api.context import Context
from tellapart.serve.engine.loaded import LoadedRun

sys.path.append(str(Path(__file__).parent))

from serving import CLASSES, LIMITS, Client, Server, file_of, picture_of


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A probe that tells red from blue. Shared: read it, do not write into it."""
    data = tmp_path_factory.mktemp("colors") / "colors"
    for label in CLASSES:
        (data / label).mkdir(parents=True)
        for seed in range(15):
            (data / label / f"{seed}.png").write_bytes(file_of(picture_of(label, seed), "PNG"))
    return ta.train(data, size=64, out=data.parent / "colors-1").path


@pytest.fixture(scope="session")
def served(run_folder: Path) -> LoadedRun:
    return LoadedRun.load(run_folder, threads=2)


@pytest.fixture(scope="session")
def server(run_folder: Path) -> Iterator[Server]:
    """A server with small limits, shared by all tests that do not end or change it."""
    running = Server(run_folder, *LIMITS)
    yield running
    running.kill()


MakeClient = Callable[..., tuple[Client, Context]]


@pytest.fixture
def make_client(served: LoadedRun) -> Iterator[MakeClient]:
    """The application in this process: ``make_client(**settings)`` gives a client and its parts."""
    made: list[Context] = []

    def make(run: LoadedRun = served, **settings: Any) -> tuple[Client, Context]:
        app, context = build(run, ServeSettings(**settings), threads=2)
        made.append(context)
        return Client(app), context

    yield make
    for context in made:
        assert context.engine.close(30)


@pytest.fixture
def own_server(run_folder: Path) -> Iterator[Callable[..., Server]]:
    """Start servers that a test may end or change: ``own_server(*options, run=..., **env)``."""
    started: list[Server] = []

    def start(*options: str, run: Path = run_folder, **env: str) -> Server:
        started.append(Server(run, *options, **env))
        return started[-1]

    yield start
    for one in started:
        one.kill()
