"""The image: what it is made of, and whether serving needs no more than that."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
# As the Makefile leaves them out of requirements/serve.lock.
NOT_SERVED = re.search(r"NOT_SERVED := (.*(?:\\\n.*)*)", (ROOT / "Makefile").read_text())


def test_the_server_in_the_image_is_not_root_and_all_is_installed_by_its_hash() -> None:
    stages = DOCKERFILE.split("\nFROM ")
    assert len(stages) == 3
    last = stages[-1]
    assert re.search(r"^USER \d+$", last, re.MULTILINE)
    assert "RUN pip" not in last and "ADD " not in DOCKERFILE
    for install in re.findall(r"pip install(?:[^\\\n]|\\\n)*", DOCKERFILE):
        assert "--require-hashes" in install or "--no-deps" in install, install


def test_a_full_server_is_not_taken_for_a_dead_one() -> None:
    [asked] = re.findall(r"127\.0\.0\.1:(\d+/\w+)", DOCKERFILE)
    assert asked == "8000/healthz"
    assert '"--port", "8000"]' in DOCKERFILE


def test_what_the_image_copies_is_there_and_is_not_ignored() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists()
            assert f"!{source}" in ignored


def test_serving_imports_nothing_that_its_lock_leaves_out(run_folder: Path) -> None:
    assert NOT_SERVED is not None
    left_out = NOT_SERVED[1].replace("\\", " ").split()
    lock = (ROOT / "requirements" / "serve.lock").read_text(encoding="utf-8")
    assert not re.search(rf"^({'|'.join(left_out)})==", lock, re.MULTILINE)
    assert re.search(r"^fastapi==", lock, re.MULTILINE)
    modules = {"scikit-learn": "sklearn", "polars-runtime-32": "_polars_runtime_32"}
    names = [modules.get(name, name.replace("-", "_")) for name in left_out]
    code = f"""
import asyncio, sys, httpx
sys.modules.update(dict.fromkeys({names!r}))  # importing one of them fails
import tellapart.cli.app
from tellapart.serve import ServeSettings
from tellapart.serve.process.server import run_process
from tellapart.serve.engine.loaded import LoadedRun
from tellapart.serve.api.application import build
from tellapart.serve.api.openapi import PIXEL

app, context = build(LoadedRun.load({str(run_folder)!r}, threads=1), ServeSettings(), threads=1)

async def ask():
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        for path in ("/", "/report", "/v1/model", "/metrics", "/openapi.json", "/v2"):
            assert (await client.get(path)).status_code == 200, path
        picture = {{"data": PIXEL}}
        bodies = {{"predict": {{"pictures": [picture]}}, "explain": {{"picture": picture}}}}
        for path, body in bodies.items():
            answer = await client.post("/v1/" + path, json=body)
            assert answer.status_code == 200, answer.text

asyncio.run(ask())
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr


def test_hadolint_finds_nothing() -> None:
    hadolint = shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("there is no hadolint on this machine")
    done = subprocess.run(
        [hadolint, str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
