"""The server as a process: how it starts, is told, goes on, and ends."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from serving import BLUE, RED, Server, file_of, form_of, picture_of

import tellapart as ta

Own = Callable[..., Server]


def refused(*arguments: object, **env: str) -> str:
    """What a server that cannot start says, in one message and with exit code 1."""
    done = subprocess.run(
        [sys.executable, "-m", "tellapart", "serve", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **env},
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("Error ") == 1
    return " ".join(done.stderr.split())


def test_a_port_in_use_is_one_message(run_folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"Port {port} on 127.0.0.1 is in use" in refused(run_folder, "--port", port)


def test_a_run_that_cannot_be_served_is_one_message(run_folder: Path, tmp_path: Path) -> None:
    newer = shutil.copytree(run_folder, tmp_path / "newer")
    content = json.loads((newer / "run.json").read_text())
    (newer / "run.json").write_text(json.dumps({**content, "schema": 99}))
    assert "newer tellapart" in refused(newer, "--port", 0)
    broken = shutil.copytree(run_folder, tmp_path / "broken")
    (broken / "model.onnx").write_bytes((broken / "model.onnx").read_bytes()[:5000])
    assert "cannot be used" in refused(broken, "--port", 0)
    assert "no run folder" in refused(tmp_path / "missing", "--port", 0)


def test_settings_without_meaning_are_one_message(run_folder: Path, tmp_path: Path) -> None:
    assert "--queue" in refused(run_folder, "--queue", 1)
    assert "no address" in refused(run_folder, "--host", "no.such.host.invalid")
    assert "not set" in refused(run_folder, "--api-key-env", "NO_SUCH_VARIABLE")
    (tmp_path / "key").write_text("short\n")
    told = refused(run_folder, "--api-key-file", tmp_path / "key")
    assert "8 to 1,024" in told and "short" not in told
    assert "cannot be used" in refused(run_folder, "--api-key-file", tmp_path / "none")


def test_without_the_extra_it_says_what_to_install(run_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as u\n"
        "find = u.find_spec\n"
        "u.find_spec = lambda name, *more: None if name == 'fastapi' else find(name, *more)\n"
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    told = refused(run_folder, PYTHONPATH=path)
    assert "fastapi" in told and "pip install 'tellapart[serve]'" in told


def test_what_is_in_flight_is_answered_before_it_ends(own_server: Own) -> None:
    server = own_server()
    answers: list[tuple[int, object]] = []

    def client() -> None:
        answers.append(server.predict(*[RED, BLUE] * 12))

    clients = [threading.Thread(target=client) for _ in range(6)]
    for one in clients:
        one.start()
    while b"tellapart_queue_pictures 0.0" in server.ask("GET", "/metrics")[2]:
        time.sleep(0.005)
    assert server.stop() == 0
    for one in clients:
        one.join(60)
    # Whoever had not connected yet was refused, and is no answer; all others have all rows.
    assert answers
    for status, content in answers:
        assert status == 200
        assert [row["label"] for row in content["rows"]] == ["red", "blue"] * 12  # type: ignore[index]
    assert server.log[-1]["event"] == "stopped"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_who_comes_while_it_ends_is_turned_away_at_once(own_server: Own, workers: str) -> None:
    server = own_server("--workers", workers, "--body-timeout", "10")
    body, kind = form_of(RED)
    head = f"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n"
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    with server.connect() as slow:
        slow.sendall(request[:-40])
        while not re.search(rb"tellapart_bodies_bytes [1-9]", server.ask("GET", "/metrics")[2]):
            time.sleep(0.01)
        server.signal(signal.SIGTERM)
        with pytest.raises(ConnectionRefusedError):
            while True:
                server.connect().close()
                time.sleep(0.05)
        assert server.process.poll() is None
        slow.sendall(request[-40:])
        assert slow.recv(65_536).startswith(b"HTTP/1.1 200")
    assert server.process.wait(60) == 0


def test_a_deleted_run_folder_is_served_on(
    own_server: Own, run_folder: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(run_folder, tmp_path / "copy")
    report = (copy / "report.html").read_bytes()
    server = own_server(run=copy)
    shutil.rmtree(copy)
    assert server.predict(RED)[1]["rows"][0]["label"] == "red"
    assert server.ask("GET", "/report")[2] == report
    assert server.ask("GET", "/")[0] == 200
    server.signal(signal.SIGHUP)
    assert "no run folder" in server.wait_for("reload_failed")["error"]
    assert server.predict(BLUE)[1]["rows"][0]["label"] == "blue"
    assert server.stop() == 0


def test_another_run_takes_over_without_a_lost_request(
    own_server: Own, run_folder: Path, tmp_path: Path
) -> None:
    data = tmp_path / "shades"
    for name, label in (("azure", "blue"), ("crimson", "red")):
        (data / name).mkdir(parents=True)
        for seed in range(15):
            (data / name / f"{seed}.png").write_bytes(file_of(picture_of(label, seed), "PNG"))
    other = ta.train(data, size=48, out=tmp_path / "other").path
    current = tmp_path / "current"
    current.symlink_to(run_folder)
    server = own_server(run=current)
    seen: Counter[str] = Counter()
    stop = threading.Event()

    def client() -> None:
        while not stop.is_set():
            status, content = server.predict(RED, BLUE)
            assert status == 200
            seen[",".join(row["label"] for row in content["rows"])] += 1

    clients = [threading.Thread(target=client) for _ in range(4)]
    for one in clients:
        one.start()
    current.unlink()
    current.symlink_to(other)
    server.signal(signal.SIGHUP)
    server.wait_for("reloaded")
    before = seen["crimson,azure"]
    while seen["crimson,azure"] < before + 5 and any(one.is_alive() for one in clients):
        time.sleep(0.01)
    stop.set()
    for one in clients:
        one.join(60)
    # Every answer is wholly the one's or wholly the other's; a client that failed ended early.
    assert set(seen) <= {"red,blue", "crimson,azure"}
    assert seen["crimson,azure"] >= 5
    current.unlink()
    current.symlink_to(tmp_path / "nowhere")
    server.signal(signal.SIGHUP)
    server.wait_for("reload_failed")
    assert server.predict(RED)[1]["rows"][0]["label"] == "crimson"
    assert b'tellapart_reloads_total{outcome="ok"} 1.0' in server.ask("GET", "/metrics")[2]
    assert server.stop() == 0
    assert {line["status"] for line in server.log if line["event"] == "request"} == {200}


def test_several_processes_share_a_port_and_their_numbers(
    own_server: Own, run_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "current").symlink_to(run_folder)
    options = ("--workers", "2", "--api-key-env", "KEY")
    server = own_server(*options, run=tmp_path / "current", KEY="correct-horse-battery")
    name = json.loads((run_folder / "run.json").read_text())["name"]
    assert server.other[-1].startswith(f"Serving  {name} at ")  # as one process says it
    key = {"X-API-Key": "correct-horse-battery"}
    body, kind = form_of(RED)
    assert server.ask("POST", "/v1/predict", body, {"Content-Type": kind})[0] == 401
    for _ in range(8):
        status, _, content = server.ask("POST", "/v1/predict", body, {"Content-Type": kind, **key})
        assert status == 200
        assert json.loads(content)["rows"][0]["label"] == "red"
    assert (
        b'tellapart_pictures_total{outcome="ok"} 8.0' in server.ask("GET", "/metrics", None, key)[2]
    )
    processes = {server.wait_for("started", count)["process"] for count in (1, 2)}
    assert len(processes) == 2
    server.signal(signal.SIGHUP)
    server.wait_for("reloaded", 2)
    os.kill(min(processes), signal.SIGKILL)
    server.wait_for("started", 3)
    assert server.ask("GET", "/readyz")[0] == 200
    assert server.stop() == 0


@pytest.mark.parametrize(
    "path",
    [
        "/../run.json",
        "/static/../../run.json",
        "/static/%2e%2e/x",
        "/report/run.json",
        "/run.json",
        "/static/",
        "/static/page.html.j2",
        "//etc/passwd",
    ],
)
def test_no_path_leads_to_a_file(server: Server, path: str) -> None:
    status, _, content = server.ask("GET", path)
    assert status == 404
    assert json.loads(content)["error"]["code"] == "no_such_page"
