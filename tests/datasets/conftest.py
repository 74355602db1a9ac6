"""Nothing lies anywhere, and a server on loopback that misbehaves (``bad_server``)."""

from __future__ import annotations

import hashlib
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parent))

from bad_server import Server

from tellapart.datasets import registry, search
from tellapart.datasets.dataset import DataFile, DataSet
from tellapart.datasets.registry import named


@pytest.fixture
def server() -> Iterator[Server]:
    started = Server()
    thread = threading.Thread(target=started.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield started
    started.over.set()
    started.shutdown()
    thread.join()
    started.server_close()


@pytest.fixture
def content() -> bytes:
    """300,000 bytes that nothing compresses."""
    return np.random.default_rng(7).bytes(300_000)


@pytest.fixture
def toy(server: Server, content: bytes) -> DataFile:
    """The record of a file that the server has."""
    server.files["/toy.bin"] = content
    sha256 = hashlib.sha256(content).hexdigest()
    return DataFile("toy.bin", len(content), (sha256,), (server.url("/toy.bin"),))


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing lies anywhere: ``data``, ``system`` and ``datasets`` in this folder are empty."""
    for name in ("data", "system", "datasets"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv(search.DATA, str(tmp_path / "data"))
    monkeypatch.setenv(search.DATASETS, str(tmp_path / "datasets"))
    monkeypatch.setattr(search, "SYSTEM", tmp_path / "system")
    return tmp_path


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Callable[..., DataSet]:
    """Change a record for this test: ``register("mnist", files=…)``."""
    from dataclasses import replace

    def change(name: str, **changes: object) -> DataSet:
        changed = replace(named(name), **changes)  # type: ignore[arg-type]
        others = [dataset for dataset in registry.DATA_SETS if dataset.name != name]
        monkeypatch.setattr(registry, "DATA_SETS", (changed, *others))
        return changed

    return change
