"""The main job on real pictures: what it writes, and that it is honest."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

import tellapart as ta

MakePicture = Callable[..., Path]


@pytest.fixture(scope="module")
def photos(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """240 real photos in class folders: enough for one split."""
    folder = tmp_path_factory.mktemp("split") / "pets"
    with zipfile.ZipFile(data_folder / "cats-dogs-3k.zip") as archive:
        for label in ("cats", "dogs"):
            (folder / label).mkdir(parents=True)
            for name in sorted(archive.namelist()):
                if f"train/{label}/" in name and len(list((folder / label).iterdir())) < 120:
                    (folder / label / Path(name).name).write_bytes(archive.read(name))
    return folder


@pytest.fixture(scope="module")
def run(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> ta.Run:
    return ta.train(photos, out=tmp_path_factory.mktemp("runs") / "pets", size=96)


def test_one_split_is_stratified_and_covers_everything(run: ta.Run) -> None:
    assert run.metrics["held_out"]["method"] == "split"
    held = run.split.filter(pl.col("side") == "held_out")
    assert held.height == run.metrics["held_out"]["n"]
    assert held["label"].value_counts()["count"].to_list() == [24, 24]
    assert run.split["side"].is_in(["train", "held_out", "left_out"]).all()
    assert run.metrics["held_out"]["accuracy"] > 0.85


def test_the_metrics_follow_from_the_predictions(run: ta.Run) -> None:
    frame, held = run.predictions, run.metrics["held_out"]
    assert frame["correct"].mean() == pytest.approx(held["accuracy"], abs=1e-6)
    confusion = [
        frame.filter((pl.col("label") == truth) & (pl.col("predicted") == said)).height
        for truth in run.classes
        for said in run.classes
    ]
    assert [count for row in held["confusion"] for count in row] == confusion


def test_the_same_seed_gives_the_same_bytes(run: ta.Run, photos: Path, tmp_path: Path) -> None:
    again = ta.train(photos, out=tmp_path / "again", size=96)
    for name in ("metrics.json", "model.onnx"):
        assert (again.path / name).read_bytes() == (run.path / name).read_bytes()


def test_a_cold_and_a_warm_cache_give_the_same_bytes(
    run: ta.Run, photos: Path, tmp_path: Path, fresh_cache: Path
) -> None:
    again = ta.train(photos, out=tmp_path / "again", size=96)
    for name in ("metrics.json", "model.onnx"):
        assert (again.path / name).read_bytes() == (run.path / name).read_bytes()


def test_another_seed_holds_out_others(run: ta.Run, photos: Path, tmp_path: Path) -> None:
    other = ta.train(photos, out=tmp_path / "other", size=96, seed=1)
    assert set(other.predictions["path"]) != set(run.predictions["path"])


def test_predict_gives_the_measured_probabilities(run: ta.Run, photos: Path) -> None:
    model = ta.load(run)
    for row in run.predictions.head(8).iter_rows(named=True):
        answer = model.predict(photos / row["path"])
        assert answer.label == row["predicted"]
        assert answer.probability == pytest.approx(row["probability"], abs=1e-4)


def test_evaluate_on_the_held_out_pictures_gives_the_headline(
    run: ta.Run, photos: Path, tmp_path: Path
) -> None:
    for row in run.predictions.iter_rows(named=True):
        target = tmp_path / "held" / row["path"]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((photos / row["path"]).read_bytes())
    measured = ta.evaluate(run, tmp_path / "held")["evaluation"]
    held = run.metrics["held_out"]
    assert measured["accuracy"] == held["accuracy"]
    assert measured["confusion"] == held["confusion"]
    assert measured["log_loss"] == pytest.approx(held["log_loss"], abs=1e-4)


def test_given_parts_are_kept_and_a_leak_does_not_count(small_photos: Path, tmp_path: Path) -> None:
    for label in ("cats", "dogs"):
        for number, picture in enumerate(sorted((small_photos / label).iterdir())):
            part = "train" if number < 16 else "test"
            target = tmp_path / "pets" / part / label / picture.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(picture.read_bytes())
    copied = sorted((tmp_path / "pets" / "train" / "cats").iterdir())[0]
    (tmp_path / "pets" / "test" / "cats" / "copied.jpg").write_bytes(copied.read_bytes())
    smaller = Image.open(sorted((tmp_path / "pets" / "train" / "dogs").iterdir())[0])
    smaller.resize((150, 150)).save(tmp_path / "pets" / "test" / "dogs" / "smaller.jpg", quality=85)
    run = ta.train(tmp_path / "pets", out=tmp_path / "run", size=96)
    assert run.metrics["held_out"]["n"] == 16
    assert run.metrics["held_out_as_given"]["n"] == 18
    leaked = run.predictions.filter(~pl.col("counted"))["path"].to_list()
    assert leaked == ["test/cats/copied.jpg", "test/dogs/smaller.jpg"]
    codes = set(run.findings["code"])
    assert any("leak" in code for code in codes)


def test_groups_never_stand_on_both_sides(photos: Path, tmp_path: Path) -> None:
    run = ta.train(photos, out=tmp_path / "run", size=96, group_from=r"(\d)\.jpg$")
    sides = run.split.with_columns(key=pl.col("path").str.extract(r"(\d)\.jpg$"))
    for _, rows in sides.filter(pl.col("side") != "left_out").group_by("key"):
        assert rows["side"].n_unique() == 1
    assert run.metrics["held_out"]["groups"] < run.metrics["held_out"]["n"]


def test_corrections_are_applied_and_the_files_left_alone(
    small_photos: Path, tmp_path: Path
) -> None:
    names = sorted(path.name for path in (small_photos / "cats").iterdir())
    file = tmp_path / "corrections.csv"
    file.write_text(f"path,action,label\ncats/{names[0]},exclude,\ncats/{names[1]},relabel,dogs\n")
    run = ta.train(small_photos, out=tmp_path / "run", size=96, corrections=file)
    assert run.metrics["held_out"]["per_class"]["dogs"]["n"] == 25
    assert run.metrics["held_out"]["n"] == 47


def test_the_report_is_self_contained_and_says_the_number(run: ta.Run) -> None:
    page = (run.path / "report.html").read_text(encoding="utf-8").replace("\u00a0", " ")
    assert f"{100 * run.metrics['held_out']['accuracy']:.1f}" in page
    for forbidden in ("<script", "http://", "https://", 'src="/', "@import"):
        assert forbidden not in page.replace("http://www.w3.org/2000/svg", "")
    assert run.metrics["verdict"]["sentence"].split(":")[-1].strip()[:20].lower() in page.lower()


def test_run_json_tells_how_to_do_it_again(run: ta.Run) -> None:
    settings = json.loads((run.path / "run.json").read_text(encoding="utf-8"))
    assert settings["command"].startswith("tellapart train ")
    assert "--size 96" in settings["command"]
    assert settings["decode"]["size"] == 96
    assert settings["data"]["pictures"] == 240
    assert len(settings["data"]["fingerprint"]) == 64
    assert {"numpy", "onnxruntime", "tellapart", "python"} <= set(settings["versions"])


@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_other_fits_train_and_predict_alike(small_photos: Path, tmp_path: Path, fit: str) -> None:
    run = ta.train(small_photos, out=tmp_path / "run", size=96, fit=fit)
    assert run.model.fit == fit
    picture = sorted((small_photos / "cats").iterdir())[0]
    assert ta.load(run).predict(picture).error is None


def test_a_class_that_also_stands_in_another_stops_at_once(
    small_photos: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(small_photos / "cats", data / "animal")
    shutil.copytree(small_photos / "dogs", data / "animal", dirs_exist_ok=True)
    shutil.copytree(small_photos / "dogs", data / "dog")
    with pytest.raises(ta.TellapartError) as caught:
        ta.train(data, out=tmp_path / "run")
    assert caught.value.code == "same_pictures"
    assert "'dog'" in caught.value.message and "--exclude dog" in caught.value.remedy
