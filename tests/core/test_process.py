"""Children: what crosses, how they end, and that they end with their parents."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tellapart.core.errors import SettingsError
from tellapart.core.process import INTERRUPTED, Child, ChildError, Reporter, parse


def test_a_child_ends_when_its_standard_input_does() -> None:
    script = (
        "import time\nfrom tellapart.core.process import end_with_parent\n"
        "end_with_parent()\ntime.sleep(600)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE)
    assert child.stdin is not None
    assert child.poll() is None
    child.stdin.close()
    assert child.wait(60) == INTERRUPTED


def test_the_timing_of_devices_does_not_go_on_alone() -> None:
    wanted = '{"pictures": 100000, "batch": 32, "lessons": [{"kind": "cnn", "side": 96}]}'
    done = subprocess.run(
        [sys.executable, "-m", "tellapart.networks.devices.timing", wanted],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )
    assert done.returncode == INTERRUPTED


# ------------------------------------------------------------------ what crosses between them

CHILD = """
import os, signal, sys, time
from tellapart.core import process
from tellapart.core.errors import SettingsError
def work(reporter):
    process.end_with_parent() if sys.argv[1] == "wait" else None
    print("some library says hello")
    reporter.report("note", sentence="Zwölf")
    match sys.argv[1]:
        case "error":
            raise SettingsError("Short.", remedy="Longer.", code="too_short")
        case "break":
            raise KeyError("something\\nbroke")
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "wait":
            signal.signal(signal.SIGINT, signal.default_int_handler)
            reporter.report("ready")
            while True:
                time.sleep(60)
        case "answer":
            reporter.report("answer", message=process.received())
process.run(work)
"""


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Child]]:
    """Start a child that does what it is told."""
    (tmp_path / "acting_child.py").write_text(CHILD, encoding="utf-8")
    started: list[Child] = []

    def run(what: str) -> Child:
        path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
        log = tmp_path / "log"
        started.append(Child("acting_child", what, log=log, environment={"PYTHONPATH": path}))
        return started[-1]

    yield run
    for child in started:
        child.end()


def test_events_come_without_what_libraries_print(start: Callable[[str], Child]) -> None:
    child = start("answer")
    child.send({"a": "ä"})
    assert list(child.events()) == [
        {"event": "note", "sentence": "Zwölf"},
        {"event": "answer", "message": {"a": "ä"}},
    ]
    assert child.status == 0
    assert "hello" in child.log.read_text(encoding="utf-8")


def test_an_error_of_ours_is_raised_again(start: Callable[[str], Child]) -> None:
    with pytest.raises(SettingsError) as caught:
        list(start("error").events())
    assert caught.value.as_json() == {"code": "too_short", "message": "Short.", "remedy": "Longer."}


def test_another_error_is_quoted_in_a_line(start: Callable[[str], Child]) -> None:
    child = start("break")
    with pytest.raises(ChildError) as caught:
        list(child.events())
    assert "KeyError" in caught.value.cause and "broke" in caught.value.cause
    assert "\n" not in caught.value.cause and not caught.value.killed
    assert "Traceback" in child.log.read_text(encoding="utf-8")


def test_a_child_that_is_killed_is_an_error(start: Callable[[str], Child]) -> None:
    with pytest.raises(ChildError, match="SIGKILL") as caught:
        list(start("die").events())
    assert caught.value.killed


def test_an_interrupt_reaches_the_child(start: Callable[[str], Child]) -> None:
    child = start("wait")
    for event in child.events():
        if event["event"] == "ready":
            break
    child.interrupt()
    assert child.status == INTERRUPTED


def test_what_is_left_running_is_killed(start: Callable[[str], Child]) -> None:
    with start("wait") as child:
        assert child.status is None
    assert child.status == -signal.SIGKILL


def test_messages_to_the_dead_are_lost(start: Callable[[str], Child]) -> None:
    child = start("die")
    with pytest.raises(ChildError):
        list(child.events())
    child.send({"a": 1})


def test_a_reader_that_is_gone_stops_nothing() -> None:
    stream = io.StringIO()
    stream.close()
    reporter = Reporter(stream)
    reporter.report("unheard")
    reporter.report("unheard")


@pytest.mark.parametrize("text", ["", "loading...", "[1]", '{"no": 1}', '{"event": 3}'])
def test_what_is_no_event_is_passed_over(text: str) -> None:
    assert parse(text) is None
