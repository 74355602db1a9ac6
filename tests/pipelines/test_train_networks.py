"""Networks from data to run folder: the same promises as for the probe."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from networks_here import in_this_process
from PIL import Image

import tellapart as ta
from tellapart import runs
from tellapart.core.resources import anonymous_mb
from tellapart.reports.network_pages import learning_view

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("keras") is None, reason="the extra 'keras' is not installed"
)


@pytest.fixture
def here() -> Iterator[None]:
    with in_this_process():
        yield


@pytest.fixture(scope="module")
def digits(digits_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """600 digits of three classes."""
    folder = tmp_path_factory.mktemp("digits") / "digits"
    for label in "013":
        (folder / label).mkdir(parents=True)
        for path in sorted((digits_folder / label).iterdir())[:150]:
            shutil.copy(path, folder / label / path.name)
    return folder


@pytest.fixture(scope="module")
def dnn(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> ta.Run:
    out = tmp_path_factory.mktemp("runs") / "dnn"
    return ta.train(digits, model="dnn", units="64", epochs=6, out=out)


@pytest.fixture(scope="module")
def photos(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """400 real photos to learn from and 500 others, in train/ and validation/."""
    folder = tmp_path_factory.mktemp("photos") / "pets"
    with zipfile.ZipFile(data_folder / "cats-dogs-3k.zip") as archive:
        for part, most in (("train", 200), ("validation", 250)):
            for label in ("cats", "dogs"):
                place = folder / part / label
                place.mkdir(parents=True)
                names = [n for n in sorted(archive.namelist()) if f"{part}/{label}/" in n]
                for name in [n for n in names if not n.endswith("/")][:most]:
                    (place / Path(name).name).write_bytes(archive.read(name))
    return folder


@pytest.fixture(scope="module")
def cnn(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> ta.Run:
    """The classic lesson, small: no augmentation, until it knows its pictures by heart."""
    out = tmp_path_factory.mktemp("runs") / "cnn"
    with in_this_process():
        return ta.train(
            photos,
            model="cnn",
            size=48,
            filters=(16, 32),
            units=(64,),
            epochs=60,
            augment="none",
            target=0.99,
            validation=0,
            out=out,
        )


# ------------------------------------------------------------------ the run folder


def test_a_run_of_a_network_holds_what_every_run_holds_and_more(dnn: ta.Run) -> None:
    names = {path.name for path in dnn.path.iterdir()}
    assert {"model.onnx", "metrics.json", "report.html", "history.parquet", "model.keras"} <= names
    assert not [
        name for name in names if name.startswith(".") or name in ("training", "resume.json")
    ]
    history = dnn.history
    assert history is not None
    assert history["epoch"].to_list() == [1, 2, 3, 4, 5, 6]
    assert history["loss"][-1] < history["loss"][0]
    assert dnn.settings["model"] == "dnn"
    assert dnn.settings["network"]["spec"]["gray"] is True
    assert dnn.settings["decode"]["size"] == 48  # the digits' own size
    assert dnn.metrics["held_out"]["accuracy"] > 0.95


def test_the_slice_is_part_of_neither_side(dnn: ta.Run) -> None:
    counts = dict(dnn.split["side"].value_counts().iter_rows())
    assert counts["validation"] == dnn.metrics["validation"]["n"] == 36
    assert counts["train"] == dnn.metrics["train"]["n"] == 324
    assert counts["held_out"] == dnn.metrics["held_out"]["n"] == 90


def test_the_numbers_are_those_of_the_file(dnn: ta.Run, digits: Path) -> None:
    """From the pictures' bytes on, through the open file, everything measured comes again."""
    told = dnn.predictions
    model = ta.load(dnn)
    for row in told.head(12).iter_rows(named=True):
        answer = model.predict(digits / row["path"])
        assert answer.label == row["predicted"]
        assert answer.probability == pytest.approx(row["probability"], abs=1e-5)
    assert told["correct"].mean() == pytest.approx(dnn.metrics["held_out"]["accuracy"], abs=1e-6)


def test_training_accuracy_is_a_pass_of_the_file(cnn: ta.Run, photos: Path) -> None:
    model = ta.load(cnn)
    paths = [photos / path for path in cnn.split.filter(pl.col("side") == "train")["path"]]
    labels = cnn.split.filter(pl.col("side") == "train")["label"].to_list()
    said = [answer.label for answer in model.predict(paths)]
    right = float(np.mean([a == b for a, b in zip(said, labels, strict=True)]))
    assert cnn.metrics["train"]["accuracy"] == pytest.approx(right, abs=1e-6)


def test_the_same_seed_gives_the_same_bytes(dnn: ta.Run, digits: Path, tmp_path: Path) -> None:
    again = ta.train(digits, model="dnn", units="64", epochs=6, out=tmp_path / "again")
    for name in ("metrics.json", "model.onnx"):
        assert (again.path / name).read_bytes() == (dnn.path / name).read_bytes()


def test_another_seed_gives_another_network(
    dnn: ta.Run, digits: Path, tmp_path: Path, here: None
) -> None:
    other = ta.train(digits, model="dnn", units="64", epochs=1, seed=7, out=tmp_path / "other")
    assert (other.path / "model.onnx").read_bytes() != (dnn.path / "model.onnx").read_bytes()


def test_a_network_is_evaluated_explained_and_compared_like_a_probe(
    dnn: ta.Run, digits: Path, tmp_path: Path
) -> None:
    held = dnn.predictions["path"].to_list()
    for path in held:
        target = tmp_path / "new" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(digits / path, target)
    told = ta.evaluate(dnn, tmp_path / "new")
    assert told["evaluation"]["accuracy"] == dnn.metrics["held_out"]["accuracy"]
    explained = ta.load(dnn).explain(digits / held[0])
    assert np.isfinite(explained.heat).all()


# ------------------------------------------------------------------ honesty


def test_learning_by_heart_is_called_overfitting(cnn: ta.Run) -> None:
    assert cnn.metrics["train"]["accuracy"] > 0.95
    assert cnn.metrics["held_out"]["accuracy"] < 0.85
    assert cnn.metrics["verdict"]["code"] == "overfitting"


def test_a_target_reached_in_training_alone_is_said_plainly(cnn: ta.Run) -> None:
    outcome = cnn.settings["network"]["outcome"]
    assert outcome["stopped"] == "target"
    assert "training" in outcome["sentence"]
    assert outcome["epochs"] < 60


def test_a_validation_folder_beside_train_is_held_out(cnn: ta.Run) -> None:
    sides = cnn.split.select(pl.col("path").str.split("/").list.first(), "side").unique()
    assert set(sides.rows()) >= {("train", "train"), ("validation", "held_out")}


def test_the_report_shows_how_it_learned_and_what_it_sees(cnn: ta.Run) -> None:
    page = (cnn.path / "report.html").read_text(encoding="utf-8")
    for words in ("How it learned", "What it sees", "conv1", "Overfitting"):
        assert words in page


# ------------------------------------------------------------------ few pictures, few classes


def test_the_epoch_called_best_is_that_of_the_lowest_validation_loss(
    dnn: ta.Run, tmp_path: Path
) -> None:
    copy = shutil.copytree(dnn.path, tmp_path / "run")
    assert dnn.history is not None and dnn.history.height > 2
    loss = pl.when(pl.col("epoch") == 2).then(0.0).otherwise(pl.col("validation_loss"))
    dnn.history.with_columns(validation_loss=loss).write_parquet(copy / "history.parquet")
    view = learning_view(runs.open_run(copy), lambda path: None)
    assert view is not None and (view.best_epoch, view.best_kept) == (2, False)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("spec", {"kind": "dnn", "size": 0}),
        ("spec", {"kind": "resnet", "size": 8, "gray": True, "classes": 10, "filters": [8] * 60}),
        ("recipe", {"epochs": "many"}),
        ("outcome", None),
        ("outcome", {"sentence": "", "finder": [["a", "b"]]}),
        ("outcome", {"sentence": "", "finder": [[10**400, 1]]}),
    ],
)
def test_a_network_without_meaning_is_a_damaged_run(
    dnn: ta.Run, tmp_path: Path, part: str, value: object
) -> None:
    copy = shutil.copytree(dnn.path, tmp_path / "run")
    told = json.loads((copy / "run.json").read_text())
    told["network"][part] = value
    (copy / "run.json").write_text(json.dumps(told))
    with pytest.raises(ta.TellapartError, match="damaged"):
        learning_view(runs.open_run(copy), lambda path: None)


def test_few_drawings_are_measured_by_folds(digits: Path, tmp_path: Path, here: None) -> None:
    folder = tmp_path / "few"
    for label in "01":
        (folder / label).mkdir(parents=True)
        for path in sorted((digits / label).iterdir())[:20]:
            shutil.copy(path, folder / label)
    run = ta.train(folder, model="linear", epochs=15, lr=0.05, out=tmp_path / "run")
    assert run.metrics["held_out"]["method"] == "folds"
    assert run.metrics["held_out"]["n"] == 40
    assert run.metrics["held_out"]["accuracy"] > 0.9
    with pytest.raises(ta.TellapartError, match="no validation slice"):
        ta.train(folder, model="linear", patience=2, out=tmp_path / "never")
    assert not (tmp_path / ".never.partial").exists()


def test_one_class_left_after_the_audit(digits: Path, tmp_path: Path) -> None:
    folder = tmp_path / "one"
    (folder / "0").mkdir(parents=True)
    (folder / "1").mkdir()
    for path in sorted((digits / "0").iterdir())[:30]:
        shutil.copy(path, folder / "0")
        (folder / "1" / f"broken-{path.name}").write_bytes(path.read_bytes()[:40])
    with pytest.raises(ta.TellapartError, match="no usable picture"):
        ta.train(folder, model="dnn", out=tmp_path / "run")


def test_pictures_too_small_for_the_pooling(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for label in ("a", "b"):
        (tmp_path / "tiny" / label).mkdir(parents=True)
        for number in range(20):
            pixels = rng.integers(0, 255, (10, 10), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "tiny" / label / f"{number}.png")
    with pytest.raises(ta.TellapartError, match="too small") as caught:
        ta.train(tmp_path / "tiny", model="cnn", filters="8,8,8", out=tmp_path / "run")
    assert caught.value.code == "too_small"
    assert "--size" in caught.value.remedy


def test_color_pictures_keep_their_channels(photos: Path, cnn: ta.Run) -> None:
    assert cnn.settings["network"]["spec"]["gray"] is False


# ------------------------------------------------------------------ auto


def test_auto_tries_the_probe_first_and_shows_what_it_tried(photos: Path, tmp_path: Path) -> None:
    for part, most in (("train", 50), ("validation", 30)):
        for label in ("cats", "dogs"):
            (tmp_path / "pets" / part / label).mkdir(parents=True)
            for path in sorted((photos / part / label).iterdir())[:most]:
                shutil.copy(path, tmp_path / "pets" / part / label)
    run = ta.train(
        tmp_path / "pets", model="auto", budget=1, validation=0.25, out=tmp_path / "auto"
    )
    rows = run.settings["candidates"]
    assert rows[0]["name"] == "probe"
    assert [row["chosen"] for row in rows].count(True) == 1
    assert run.settings["model"] == next(row["name"] for row in rows if row["chosen"])
    assert all(row["accuracy"] is not None or row["note"] for row in rows)
    assert "Candidates" in (run.path / "report.html").read_text(encoding="utf-8")


# ------------------------------------------------------------------ never lose work


def _command(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "tellapart", *map(str, words)]


def _wait_for(path: Path, process: subprocess.Popen[Any]) -> None:
    for _ in range(1200):
        if path.exists() or process.poll() is not None:
            break
        time.sleep(0.05)
    assert path.exists(), "the training ended before its first checkpoint"


LONG = ("--model", "dnn", "--units", "32", "--epochs", "24", "--augment", "shift=0.1")


@pytest.fixture(scope="module")
def whole(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A longer training that nothing interrupts."""
    out = tmp_path_factory.mktemp("whole") / "run"
    with in_this_process():
        ta.train(digits, model="dnn", units="32", epochs=24, augment="shift=0.1", out=out)
    return out


def _started(digits: Path, out: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        _command("train", digits, *LONG, "--out", out), stderr=subprocess.PIPE
    )
    _wait_for(
        out.parent / f".{out.name}.partial" / "training" / "final" / "checkpoint.npz", process
    )
    return process


def test_killed_and_resumed_it_ends_as_if_nothing_had_happened(
    digits: Path, whole: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    process = _started(digits, out)
    process.kill()
    process.communicate()
    assert not out.exists()
    subprocess.run(_command("train", "--resume", out, "--quiet"), check=True)
    for name in ("model.onnx", "metrics.json"):
        assert (out / name).read_bytes() == (whole / name).read_bytes()
    assert not (tmp_path / ".run.partial").exists()


def test_an_interrupt_saves_and_says_how_to_go_on_with_the_same_and_nothing_else(
    digits: Path, whole: Path, tmp_path: Path
) -> None:
    data, out = tmp_path / "digits", tmp_path / "run"
    shutil.copytree(digits, data)
    process = _started(data, out)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130
    assert f"tellapart train --resume {out}" in said.decode()
    with pytest.raises(ta.TellapartError, match="can be resumed"):
        ta.train(data, model="dnn", out=out)

    answer = subprocess.run(
        _command("train", "--resume", out, "--epochs", "3", "--json"), capture_output=True
    )
    assert answer.returncode == 1
    assert json.loads(answer.stdout)["error"]["code"] == "other_settings"

    asked = out.parent / ".run.partial" / "resume.json"
    content = json.loads(asked.read_text())
    asked.write_text(json.dumps(content | {"tellapart": "0.0.1"}))
    with pytest.raises(ta.TellapartError) as caught:
        ta.resume(out)
    assert caught.value.code == "other_version"
    asked.write_text(json.dumps(content))

    picture = next((data / "0").iterdir())
    picture.rename(tmp_path / picture.name)
    with pytest.raises(ta.TellapartError) as caught:
        ta.resume(out)
    assert caught.value.code == "other_data"
    (tmp_path / picture.name).rename(picture)

    run = ta.resume(out)
    assert (run.path / "model.onnx").read_bytes() == (whole / "model.onnx").read_bytes()


def test_where_nothing_was_begun_nothing_is_resumed(tmp_path: Path) -> None:
    with pytest.raises(ta.TellapartError) as caught:
        ta.resume(tmp_path / "nothing")
    assert caught.value.code == "nothing_to_resume"


def test_the_extra_that_is_missing_is_named(digits: Path, tmp_path: Path) -> None:
    (tmp_path / "keras.py").write_text("raise ImportError('no keras here')\n")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    answer = subprocess.run(
        _command("train", digits, "--model", "dnn", "--out", tmp_path / "run", "--json"),
        capture_output=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert answer.returncode == 1
    error = json.loads(answer.stdout)["error"]
    assert error["code"] == "extra_missing"
    assert "tellapart[keras]" in error["remedy"]


@pytest.mark.parametrize(
    ("options", "missing", "code"),
    [
        ({"augment": "flipp"}, None, "augment"),
        ({"model": "auto"}, "keras", "missing"),  # does without networks, and says so
        ({}, "keras", "extra_missing"),
        ({"tensorboard": True}, "tensorboard", "tensorboard_missing"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_read(
    options: dict[str, Any],
    missing: str | None,
    code: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == missing else find(name)
    )
    with pytest.raises(ta.TellapartError) as caught:
        ta.train(tmp_path / "nowhere", **{"model": "cnn", **options})
    assert caught.value.code == code


def test_an_engine_that_cannot_train_is_refused_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "numpy")
    with pytest.raises(ta.TellapartError) as caught:
        ta.train(tmp_path / "nowhere", model="cnn")
    assert caught.value.code == "unknown_engine"


def test_a_budget_too_short_for_one_epoch(digits: Path, tmp_path: Path, here: None) -> None:
    with pytest.raises(ta.TellapartError) as caught:
        ta.train(digits, model="resnet", budget=0.2, out=tmp_path / "run")
    assert caught.value.code == "budget_too_short"


# In place of Python for a child process: the first one trains, the others leave what it left.
_REPEATS = """#!{python}
import json, shutil, subprocess, sys
from pathlib import Path
message, left = sys.stdin.readline(), Path({left!r})
folder = Path(json.loads(message)["folders"][0])
if not left.exists():
    command = [{python!r}, "-m", "tellapart.networks.process.worker"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as child:
        child.stdin.write(message)
        child.stdin.flush()
        child.wait()
    left.mkdir()
    for name in ("weights.npz", "model.keras", "history.json", "outcome.json"):
        shutil.copy(folder / name, left / name)
shutil.copytree(left, folder, dirs_exist_ok=True)
"""


def test_ten_trainings_leave_memory_and_seeds_as_they_were(
    digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    python.write_text(_REPEATS.format(left=str(tmp_path / "left"), python=sys.executable))
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))

    def train(number: int) -> None:
        ta.train(digits, model="linear", epochs=1, out=tmp_path / f"run-{number}")

    train(0)
    np.random.seed(5)
    expected = np.random.default_rng(0).random(), np.random.get_state()[1].tolist()  # type: ignore[index]
    before = anonymous_mb()
    for number in range(1, 11):
        train(number)
    assert anonymous_mb() - before < 60
    assert "tensorflow" not in sys.modules or "keras" in sys.modules
    assert (np.random.default_rng(0).random(), np.random.get_state()[1].tolist()) == expected  # type: ignore[index]
