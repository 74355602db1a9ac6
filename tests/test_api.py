from __future__ import annotations

import io
import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tellapart as ta
from tellapart.core.errors import LabelError, PictureError, SettingsError
from tellapart.inference import classifier


@pytest.fixture(scope="module")
def run(small_photos: Path, tmp_path_factory: pytest.TempPathFactory) -> ta.Run:
    return ta.train(small_photos, out=tmp_path_factory.mktemp("api") / "pets")


def test_the_public_names() -> None:
    assert ta.__all__ == [
        "Check",
        "Classifier",
        "Prediction",
        "Run",
        "Scan",
        "TellapartError",
        "__version__",
        "check",
        "compare",
        "evaluate",
        "load",
        "resume",
        "scan",
        "train",
    ]
    assert dir(ta) == ta.__all__
    for name in ta.__all__:
        assert getattr(ta, name) is not None
    with pytest.raises(AttributeError, match="nonsense"):
        _ = ta.nonsense


def test_no_module_hides_a_public_name() -> None:
    modules = {module.name for module in pkgutil.iter_modules(ta.__path__)}
    assert not modules & set(ta.__all__), "importing the module would take the verb's place"


def test_importing_the_package_imports_nothing_heavy() -> None:
    heavy = "numpy polars PIL onnxruntime onnx sklearn scipy pydantic typer rich jinja2"
    code = f"import sys, tellapart; print(sorted(set({heavy.split()!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_nothing_is_kept_of_a_model_that_was_run_or_sent_anywhere(
    run: ta.Run, small_photos: Path, tmp_path: Path
) -> None:
    """ONNX Runtime would, unless it is told not to before it is loaded."""
    picture = next(small_photos.rglob("*.jpg"))
    code = f"import tellapart as ta; print(ta.load({str(run.path)!r}).predict({str(picture)!r}))"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    kept.pop("ORT_DISABLE_TELEMETRY", None)
    subprocess.run(
        [sys.executable, "-c", code], env={**kept, "HOME": str(tmp_path)}, check=True, timeout=120
    )
    assert not [path for path in tmp_path.rglob("*") if "onnxruntime" in path.name]


def test_a_scan_has_facts_and_the_sizes_asked_for(small_photos: Path) -> None:
    scanned = ta.scan(small_photos, sizes=[32])
    assert scanned.frame.height == 48
    assert scanned.pixels(32).shape == (48, 32, 32, 3)
    assert "<table" in scanned._repr_html_()
    with pytest.raises(SettingsError, match="64"):
        scanned.pixels(64)


def test_a_check_shows_well_in_a_notebook(small_photos: Path) -> None:
    found = ta.check(small_photos)
    assert found.summary["pictures"] == 48
    assert found.as_json()["summary"] == found.summary
    assert "<table>" in found._repr_html_()


def test_a_run_reads_what_it_wrote(run: ta.Run) -> None:
    assert run.classes == ("cats", "dogs")
    assert run.predictions.height == run.metrics["held_out"]["n"] == 48
    assert run.split.height == 48
    assert run.settings["proof"]["max_difference"] <= run.settings["proof"]["tolerance"]
    assert "cross-validated" in run._repr_html_()


def test_a_picture_may_come_in_many_ways(run: ta.Run, small_photos: Path) -> None:
    model = ta.load(run)
    path = sorted((small_photos / "dogs").iterdir())[0]
    by_path = model.predict(path)
    assert by_path.label == "dogs"
    assert by_path.probabilities is not None
    data = path.read_bytes()
    pixels = np.asarray(Image.open(path).convert("RGB"))
    for other in (str(path), data, bytearray(data), pixels, Image.open(path)):
        answer = model.predict(other)
        assert answer.probabilities == pytest.approx(by_path.probabilities, abs=1e-6)
    several = model.predict([path, data, pixels, Image.open(path), str(path)])
    assert [answer.label for answer in several] == ["dogs"] * 5
    assert [answer.label for answer in model.predict((path, data))] == ["dogs"] * 2
    assert model.predict([]) == []
    assert model.predict(b"no picture").error


def test_a_list_of_files_is_opened_once_and_answers_as_each_file_alone(
    run: ta.Run, small_photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[list[str | Path]] = []
    open_pictures = classifier.open_pictures
    monkeypatch.setattr(
        classifier, "open_pictures", lambda paths: opened.append(paths) or open_pictures(paths)
    )
    model = ta.load(run)
    dogs = sorted((small_photos / "dogs").iterdir())[:3]
    paths = [dogs[2], str(dogs[0]), tmp_path / "missing.jpg", dogs[1], dogs[2]]
    together = model.predict(paths)
    assert opened == [paths[:4]]
    for path, answer in zip(paths, together, strict=True):
        alone = model.predict(path)
        assert (answer.path, answer.label, answer.error) == (alone.path, alone.label, alone.error)
        assert answer.probabilities == pytest.approx(alone.probabilities, abs=1e-6)


def test_a_folder_of_one_picture_may_be_in_a_list(
    run: ta.Run, small_photos: Path, tmp_path: Path
) -> None:
    model = ta.load(run)
    picture = min((small_photos / "dogs").iterdir())
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "a.jpg").write_bytes(picture.read_bytes())
    answers = model.predict([tmp_path / "one", picture])
    assert answers[0].probabilities == answers[1].probabilities
    with pytest.raises(SettingsError, match="holds 24 pictures"):
        model.predict([picture, small_photos / "dogs"])


def test_a_picture_object_that_cannot_be_read_is_a_row(run: ta.Run, small_photos: Path) -> None:
    data = min((small_photos / "cats").iterdir()).read_bytes()
    whole, cut = Image.open(io.BytesIO(data)), Image.open(io.BytesIO(data[: len(data) // 2]))
    answers = ta.load(run).predict([whole, cut])
    assert answers[0].error is None
    assert answers[1].label is None
    assert answers[1].error


def test_pixels_of_a_wrong_kind_are_refused(run: ta.Run) -> None:
    model = ta.load(run)
    for wrong in (np.zeros((4, 4, 3), np.float32), np.zeros((4, 4, 4), np.uint8), np.zeros(4)):
        with pytest.raises(SettingsError, match="uint8"):
            model.predict(wrong)
    for other in (None, 7, {"path": "a.jpg"}, object()):
        with pytest.raises(SettingsError, match="A picture is a path"):
            model.predict(other)
        with pytest.raises(SettingsError, match="A picture is a path"):
            model.predict([other])


def test_predictions_equal_what_was_measured_where_nothing_was_held_out_twice(
    run: ta.Run, small_photos: Path
) -> None:
    """The model file, run from the bytes, gives the training accuracy of metrics.json."""
    answers = ta.load(run).predict([small_photos / path for path in run.split["path"]])
    right = [
        answer.label == label for answer, label in zip(answers, run.split["label"], strict=True)
    ]
    assert np.mean(right) == pytest.approx(run.metrics["train"]["accuracy"], abs=1e-6)


def test_explaining(run: ta.Run, small_photos: Path) -> None:
    model = ta.load(run.path)
    explained = model.explain(sorted((small_photos / "cats").iterdir())[0], target="dogs")
    assert explained.target == "dogs"
    assert explained.png.startswith(b"\x89PNG")
    with pytest.raises(PictureError):
        model.explain(b"no picture")


def test_settings_that_mean_nothing_are_told_together(small_photos: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        ta.train(small_photos, held_out=3, fit="stretch", size=7)
    for option in ("--held-out", "--fit", "--size"):
        assert option in str(caught.value)


def test_evaluating_on_strangers(run: ta.Run, tmp_path: Path, small_photos: Path) -> None:
    (tmp_path / "new" / "horses").mkdir(parents=True)
    picture = sorted((small_photos / "cats").iterdir())[0]
    (tmp_path / "new" / "horses" / "a.jpg").write_bytes(picture.read_bytes())
    with pytest.raises(LabelError, match="horses"):
        ta.evaluate(run, tmp_path / "new")


def test_a_run_shows_in_a_notebook_as_it_was_measured(tmp_path: Path) -> None:
    from tellapart.runs import Run

    held = {
        "n": 3000,
        "method": "folds",
        "accuracy": 2999 / 3000,
        "majority_accuracy": 0.5,
        "accuracy_ci95": [0.9985, 0.99999],
        "confusion": [[1, 0], [0, 1]],
    }
    metrics = {"held_out": held, "verdict": {"sentence": "Healthy."}}
    (tmp_path / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    (tmp_path / "run.json").write_text('{"classes": ["a", "b"]}', encoding="utf-8")
    shown = Run(tmp_path)._repr_html_()
    assert "over 99.9 % of 3,000 pictures right, cross-validated" in shown
    assert "100" not in shown
