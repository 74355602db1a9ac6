"""Trainings in child processes: really killed, really interrupted, really left alone."""

from __future__ import annotations

import gc
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from recorder import Recorder
from small_jobs import make_job, same

from tellapart.core.errors import RunError, SettingsError
from tellapart.networks import Job
from tellapart.networks.loop import checkpoints, trainer
from tellapart.networks.loop.learner import FEW
from tellapart.networks.process import fitted, process

HERE = Path(__file__).parent
needs_keras = pytest.mark.skipif(
    importlib.util.find_spec("keras") is None, reason="the extra keras is not installed"
)


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a worker on a folder with a job in it; whatever is left at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def run(folder: Path | None, *, resume: bool = False) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [sys.executable, "-m", "tellapart.networks.process.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        started.append(child)
        if folder is not None:
            assert child.stdin is not None
            message = {"folders": [str(folder)], "resume": resume, "since": 0.0}
            child.stdin.write(json.dumps(message) + "\n")
            child.stdin.flush()
        return child

    yield run
    for child in started:
        if child.poll() is None:
            child.kill()
        child.wait()
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                stream.close()


def read_until(child: subprocess.Popen[str], epoch: int) -> None:
    """Read what a worker says until an epoch is done."""
    assert child.stdout is not None
    for line in child.stdout:
        event = json.loads(line)
        assert event["event"] != "error", event
        if event["event"] == "epoch" and event["epoch"] >= epoch:
            return
    raise AssertionError("the worker ended early")


def stand(folder: Path) -> tuple[int, int]:
    found = checkpoints.load(folder)
    assert found is not None
    return found.state.epoch, found.state.step


@needs_keras
def test_a_network_killed_and_interrupted_ends_as_one_never_stopped(
    tmp_path: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    # Compiled, with several steps an execution, the last one short, and dropout: as `dnn` is.
    job = make_job(
        tmp_path,
        n=16 * (FEW + 3),
        epochs=10,
        compiled=True,
        steps_per_execution=4,
        schedule="onecycle",
        warmup=0.2,
        label_smoothing=0.1,
        augment="light,cutmix=0.5",
        patience=9,
    )
    folder = tmp_path / "killed"
    job.save(folder)
    child = start(folder)
    read_until(child, 2)
    time.sleep(0.03)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    killed_at = stand(folder)
    assert (1, 0) <= killed_at < (10, 0)  # the checkpoint of an epoch is written beside the next
    child = start(folder, resume=True)
    read_until(child, killed_at[0] + 2)
    child.send_signal(signal.SIGINT)
    assert child.wait() == 130
    assert killed_at < stand(folder) < (10, 0)
    trainer.fit(job, folder, resume=True)
    (tmp_path / "whole").mkdir()
    trainer.fit(job, tmp_path / "whole")
    mended, whole = fitted.load(folder), fitted.load(tmp_path / "whole")
    assert same(mended.weights, whole.weights)
    columns = ["epoch", "accuracy", "validation_loss", "learning_rate"]
    assert mended.history.select(columns).equals(whole.history.select(columns))


@needs_keras
def test_the_death_of_the_parent_ends_the_child_which_saves(tmp_path: Path) -> None:
    make_job(tmp_path, epochs=100_000).save(tmp_path / "job")
    script = (
        "import sys\nfrom pathlib import Path\n"
        "from tellapart.networks import Job\nfrom tellapart.networks.process import process\n"
        "process.fit(Job.load(Path(sys.argv[1])), Path(sys.argv[2]))\n"
    )
    folder = tmp_path / "out"
    parent = subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "job"), str(folder)])
    try:
        wait_for(lambda: (folder / checkpoints.NAME).exists() and stand(folder)[0] >= 1)
        worker = worker_of(parent)
    finally:
        parent.kill()
        parent.wait()
    wait_for(lambda: not Path(f"/proc/{worker}").exists())
    assert stand(folder)[0] >= 1 and not fitted.is_done(folder)


@needs_keras
def test_a_child_that_started_early_trains_the_same(tmp_path: Path) -> None:
    job = make_job(tmp_path, epochs=2)
    with process.KerasProcess(tmp_path / "log") as child:
        early = process.fit(job, tmp_path / "early", child=child)
    assert child.status == 0
    (tmp_path / "whole").mkdir()
    trainer.fit(job, tmp_path / "whole")
    assert same(early.weights, fitted.load(tmp_path / "whole").weights)


def test_a_child_that_nothing_was_handed_to_is_ended(tmp_path: Path) -> None:
    with process.KerasProcess(tmp_path / "log") as child:
        assert child.status is None
    assert child.status == -signal.SIGKILL


@needs_keras
def test_for_a_child_that_died_while_it_waited_another_one_trains(tmp_path: Path) -> None:
    with process.KerasProcess(tmp_path / "log") as child:
        child.end()
        made = process.fit(make_job(tmp_path, epochs=1), tmp_path / "out", child=child)
    assert made.outcome["epochs"] == 1


@needs_keras
def test_a_training_that_was_done_needs_no_child(tmp_path: Path) -> None:
    job = make_job(tmp_path, epochs=1)
    (tmp_path / "out").mkdir()
    trainer.fit(job, tmp_path / "out")
    with process.KerasProcess(tmp_path / "log") as child:
        process.fit(job, tmp_path / "out", resume=True, child=child)
        assert child.status == -signal.SIGKILL


@needs_keras
def test_a_child_that_waits_ends_with_its_parent(
    start: Callable[..., subprocess.Popen[str]],
) -> None:
    child = start(None)
    assert child.stdin is not None
    child.stdin.close()
    assert child.wait() == 130


def wait_for(happened: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def worker_of(parent: subprocess.Popen[bytes]) -> int:
    if not Path("/proc/self").exists():
        pytest.skip("no /proc to look processes up in")
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
                of = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if b"tellapart.networks.process.worker" in words and of == parent.pid:
                return int(entry.name)
    raise AssertionError("no worker is at work")


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed")
@needs_keras
def test_another_engine_trains_and_the_parent_is_left_alone(tmp_path: Path) -> None:
    make_job(
        tmp_path, augment="flip,mixup=0.2", epochs=2, compiled=True, steps_per_execution=2
    ).save(tmp_path / "job")
    script = """
import os, random, sys, threading
import numpy as np
import polars  # which sets a variable of its own
from pathlib import Path
from tellapart.networks import Job
from tellapart.networks.process import process
def state():
    return {
        "environment": dict(os.environ),
        "random": random.getstate(),
        "numpy": np.random.get_state()[1].tolist(),
        "threads": threading.active_count(),
    }
before = state()
made = process.fit(Job.load(Path(sys.argv[1])), Path(sys.argv[2]))
changed = {name for name, value in state().items() if value != before[name]}
assert not changed, changed
loaded = {"keras", "tensorflow", "jax", "torch"} & set(sys.modules)
assert not loaded, loaded
print(made.outcome["engine"], made.outcome["stopped"], made.history.height, made.outcome["notes"])
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "job"), str(tmp_path / "out")],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["jax", "epochs", "2", "[]"], done.stderr  # so it was compiled


# ------------------------------------------------------------------ with a child that only acts

ACTOR = """
import json, os, shutil, signal, sys
from pathlib import Path
template, folder = Path({template!r}), Path(json.loads(sys.stdin.readline())["folders"][0])
def say(**values): print(json.dumps(values), flush=True)
act = (template / "act").read_text()
print("some library says hello")
say(event="note", sentence="early")
say(event="begin", pictures=10, epochs=2, done=0)
say(event="advance", pictures=10)
say(event="epoch", epoch=1, loss=0.5, accuracy=0.75, validation_loss=None,
    validation_accuracy=None, learning_rate=0.001, seconds=2.0)
if act == "error":
    say(event="error", kind="SettingsError", code="too_short", message="Short.", remedy="Longer.")
    sys.exit(1)
if act == "die":
    os.kill(os.getpid(), signal.SIGKILL)
if act == "wait":
    def save(*_):
        (folder / "saved").write_text("yes")
        sys.exit(130)
    signal.signal(signal.SIGINT, save)
    say(event="note", sentence="ready")
    while True:
        signal.pause()
if act == "break":
    sys.exit("something broke")
for name in ("weights.npz", "history.json", "outcome.json"):
    shutil.copy(template / name, folder / name)
say(event="done")
"""


@pytest.fixture
def actor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Takes the place of Python for child processes: says and leaves what a training would."""
    template = tmp_path / "template"
    template.mkdir()
    fitted.write(
        template,
        weights={"w": np.zeros(1000, np.float32)},
        history=[],
        outcome={"stopped": "epochs"},
    )
    script = tmp_path / "actor.py"
    script.write_text(ACTOR.format(template=str(template)))
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    return lambda act: (template / "act").write_text(act) and None


def test_what_the_child_says_is_shown(tmp_path: Path, actor: Callable[[str], None]) -> None:
    actor("")
    shown = Recorder()
    made = process.fit(make_job(tmp_path), tmp_path / "out", progress=shown)
    assert made.outcome == {"stopped": "epochs"}
    assert (shown.total, shown.done) == (20, 10)
    assert shown.lines[:4] == ["Starting", "Keras", "Training", "early"]
    assert shown.lines[4].split()[:3] == ["epoch", "loss", "accuracy"]
    assert shown.lines[5].split()[:3] == ["1", "0.5000", "75.0"]


def test_what_the_child_reports_is_raised(tmp_path: Path, actor: Callable[[str], None]) -> None:
    actor("error")
    with pytest.raises(SettingsError) as caught:
        process.fit(make_job(tmp_path), tmp_path / "out")
    assert caught.value.as_json() == {"code": "too_short", "message": "Short.", "remedy": "Longer."}


def test_a_child_that_is_killed_is_an_error(tmp_path: Path, actor: Callable[[str], None]) -> None:
    actor("die")
    with pytest.raises(RunError, match="SIGKILL") as caught:
        process.fit(make_job(tmp_path), tmp_path / "out")
    assert caught.value.code == "training_killed"


def test_ctrl_c_waits_until_the_child_has_saved(
    tmp_path: Path, actor: Callable[[str], None]
) -> None:
    class Impatient(Recorder):
        def note(self, line: str) -> None:
            if line == "ready":
                raise KeyboardInterrupt

    actor("wait")
    with pytest.raises(KeyboardInterrupt):
        process.fit(make_job(tmp_path), tmp_path / "out", progress=Impatient())
    assert (tmp_path / "out" / "saved").read_text() == "yes"


def test_a_child_that_breaks_is_quoted(tmp_path: Path, actor: Callable[[str], None]) -> None:
    actor("break")
    with pytest.raises(RunError, match="something broke") as caught:
        process.fit(make_job(tmp_path), tmp_path / "out")
    assert caught.value.code == "training_failed"


def test_ten_trainings_leave_the_parent_as_large_as_before(
    tmp_path: Path, actor: Callable[[str], None]
) -> None:
    import tracemalloc

    actor("")
    job = make_job(tmp_path)
    process.fit(job, tmp_path / "out")
    gc.collect()  # what tests before this one have left open
    files = count_open()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(10):
            process.fit(job, tmp_path / f"out{number}")
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 200_000
    assert count_open() == files


def count_open() -> int:
    return len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0


def test_a_training_that_ended_is_read_and_not_done_again(tmp_path: Path) -> None:
    job = make_job(tmp_path)
    folder = tmp_path / "out"
    folder.mkdir()
    outcome = {"fingerprint": job.fingerprint(), "stopped": "target"}
    fitted.write(folder, weights={}, history=[], outcome=outcome)
    assert process.fit(job, folder, resume=True).outcome["stopped"] == "target"
    other = Job(**{**vars(job), "classes": ("x", "y", "z")})
    with pytest.raises(RunError) as caught:
        process.fit(other, folder, resume=True)
    assert caught.value.code == "other_settings"
