"""From a run to a folder in its place, or nothing."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tellapart as ta
from tellapart.core.errors import ModelError, RunError, SettingsError
from tellapart.exports import Target, export_run
from tellapart.exports.onnx_file import TARGET
from tellapart.exports.pictures import RunData
from tellapart.exports.registry import TARGETS, target_named
from tellapart.exports.target import SAME_NUMBERS, Answers, Tolerance, Work
from tellapart.model import Model


def shifted(by: float, tolerance: Tolerance = SAME_NUMBERS) -> Target:
    """A target whose answers are off by some probability."""

    def predict(folder: Path, work: Work, advance: Any) -> Answers:
        answers = TARGET.predict(folder, work, advance)
        moved = answers.probabilities.copy()
        moved[0, 0] += by
        return replace(answers, probabilities=moved)

    return replace(TARGET, name="shifted", predict=predict, tolerance=tolerance)


def write_swapped(folder: Path, card: Mapping[str, Any], work: Work) -> Mapping[str, Any]:
    """Write a model with its classes in another order, the classic mistake."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load(str(work.run.path / "model.onnx"))
    for tensor in model.graph.initializer:
        if tensor.name.startswith("logits/"):
            turned = np.ascontiguousarray(numpy_helper.to_array(tensor)[..., ::-1])
            tensor.CopyFrom(numpy_helper.from_array(turned, tensor.name))
    onnx.save(model, str(folder / "model.onnx"))
    return {}


@pytest.mark.parametrize("name", TARGETS)
def test_every_listed_target_is_a_record_of_its_name(name: str) -> None:
    assert target_named(name).name == name


def test_the_folder_says_all_that_is_needed(probe: ta.Run, tmp_path: Path) -> None:
    done = export_run(probe, to="onnx", out=tmp_path / "shipped")
    assert done.path == tmp_path / "shipped"
    assert {path.name for path in done.path.iterdir()} == {
        "model.onnx",
        "tellapart.json",
        "parity.json",
        "README.txt",
    }
    card = json.loads((done.path / "tellapart.json").read_text(encoding="utf-8"))
    assert card["schema"] == 1
    assert card["target"] == "onnx"
    assert card["classes"] == ["0", "1", "4", "7"]
    assert (card["size"], card["fit"], card["gray"]) == (32, "squash", False)
    assert card["decode"]["policy"] == probe.settings["decode"]["policy"]
    assert card["tellapart"] == ta.__version__
    assert card["data"]["fingerprint"] == probe.settings["data"]["fingerprint"]
    held = probe.metrics["held_out"]
    assert card["accuracy"]["accuracy"] == held["accuracy"]
    assert card["accuracy"]["accuracy_ci95"] == held["accuracy_ci95"]
    assert set(card["files"]) == {"model.onnx"}
    # It goes to strangers: where the pictures lay is nobody's business.
    assert probe.settings["data"]["location"] not in json.dumps(card)
    parity = json.loads((done.path / "parity.json").read_text(encoding="utf-8"))
    assert parity["of"] == "held_out"
    assert parity["n"] == held["n"] == 48
    assert (parity["same_top1"], parity["within_tolerance"]) == (1.0, True)
    assert parity["max_difference"] <= parity["tolerance"]["max_difference"] == 1e-4
    assert parity["accuracy"] == parity["accuracy_onnx"] == pytest.approx(held["accuracy"])
    assert parity["runtime"].startswith("ONNX Runtime ")
    note = (done.path / "README.txt").read_text(encoding="utf-8")
    assert "(1, 32, 32, 3)" in note
    assert "of 48 held-out pictures get the same class" in " ".join(note.split())
    assert done.as_json()["parity"] == parity


def test_a_network_knows_that_it_is_gray(network: ta.Run, tmp_path: Path) -> None:
    done = export_run(network, to="onnx", out=tmp_path / "shipped")
    assert done.card["gray"] is True
    assert done.parity["same_top1"] == 1.0


def test_the_usual_place(probe: ta.Run, in_tmp: Path) -> None:
    done = export_run(probe, to="onnx")
    assert done.path == Path("exports/probe-onnx")
    assert (in_tmp / "exports" / "probe-onnx" / "model.onnx").is_file()
    assert sorted(path.name for path in (in_tmp / "exports").iterdir()) == ["probe-onnx"]


def test_a_sample_holds_the_mistakes(probe: ta.Run, tmp_path: Path) -> None:
    counted = probe.predictions.filter(probe.predictions["counted"])
    wrong = set(counted.filter(~counted["correct"])["path"])
    data = RunData(probe, None, tmp_path)
    pictures, sample = data.held_out(5)
    assert sample is not None
    assert sample["total"] == len(counted) == 48
    assert sample["mistakes"] == min(len(wrong), 5)
    assert sample["random"] == 5
    assert len(pictures) == 5 + sample["mistakes"]
    assert len(set(pictures.paths) - wrong) == 5
    assert data.held_out(5)[0].paths == pictures.paths
    assert data.held_out(48)[1] is None


def test_a_check_is_on_a_sample_or_on_all(probe: ta.Run, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="'ALL'"):
        export_run(probe, to="onnx", verify="ALL", out=tmp_path / "few")  # type: ignore[arg-type]


def test_a_check_on_a_sample_says_so(probe: ta.Run, tmp_path: Path) -> None:
    done = export_run(probe, to="onnx", verify="sample", out=tmp_path / "few")
    assert done.parity["sample"] is None, "all 48 are no more than a sample"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tellapart.exports.exporting.SAMPLE", 5)
        done = export_run(probe, to="onnx", verify="sample", out=tmp_path / "few")
    assert done.parity["n"] == 5 + done.parity["sample"]["mistakes"] < 48
    assert done.parity["sample"]["total"] == 48
    note = (done.path / "README.txt").read_text(encoding="utf-8")
    assert "sample of all 48" in " ".join(note.split())


# ------------------------------------------------------------------ what does not agree


def test_another_order_of_classes_is_not_put_in_place(probe: ta.Run, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="get another class") as caught:
        export_run(probe, to=replace(TARGET, write=write_swapped), out=tmp_path / "out" / "shipped")
    assert caught.value.code == "parity"
    case = r"The clearest case: \d/.*\.png is \d in model\.onnx and \d in the export"
    assert re.search(case, caught.value.message)
    assert list((tmp_path / "out").iterdir()) == []


def test_the_tolerance_has_an_edge(probe: ta.Run, tmp_path: Path) -> None:
    wide = Tolerance(max_difference=0.01)
    inside = export_run(probe, to=shifted(0.0099, wide), out=tmp_path / "inside")
    assert inside.parity["max_difference"] == pytest.approx(0.0099, abs=1e-6)
    with pytest.raises(ModelError, match=r"0\.0101"):
        export_run(probe, to=shifted(0.0101, wide), out=tmp_path / "outside")
    assert not (tmp_path / "outside").exists()
    with pytest.raises(ModelError, match="Nothing was saved"):
        export_run(probe, to=shifted(2e-4), out=tmp_path / "outside")


def test_an_earlier_export_stays_where_the_next_one_fails(probe: ta.Run, tmp_path: Path) -> None:
    place = tmp_path / "shipped"
    export_run(probe, to="onnx", out=place)
    before = (place / "parity.json").read_bytes()
    with pytest.raises(ModelError):
        export_run(probe, to=shifted(0.5), out=place)
    assert (place / "parity.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["shipped"]


# ------------------------------------------------------------------ the place


def test_an_earlier_export_is_replaced(probe: ta.Run, network: ta.Run, tmp_path: Path) -> None:
    place = tmp_path / "shipped"
    export_run(probe, to="onnx", out=place)
    done = export_run(network, to="onnx", out=place)
    assert Model.load(place / "model.onnx").size == 16
    assert done.card["run"]["name"] == "network"
    assert [path.name for path in tmp_path.iterdir()] == ["shipped"]


@pytest.mark.parametrize(
    "stands_there", ["folder", "file", "link", "broken link", "run", "damaged"]
)
def test_what_is_no_export_is_never_replaced(
    probe: ta.Run, tmp_path: Path, stands_there: str
) -> None:
    place = tmp_path / "shipped"
    if stands_there == "file":
        place.write_text("mine")
    elif "link" in stands_there:
        if stands_there == "link":
            export_run(probe, to="onnx", out=tmp_path / "real")
        place.symlink_to(tmp_path / "real")
    elif stands_there == "run":
        shutil.copytree(probe.path, place)
    else:
        place.mkdir()
        (place / "notes.txt").write_text("mine")
        if stands_there == "damaged":
            (place / "tellapart.json").write_text("{")
    with pytest.raises(RunError, match="exists already"):
        export_run(probe, to="onnx", out=place)
    assert os.path.lexists(place)


def test_the_folder_somebody_stands_in_is_not_replaced(probe: ta.Run, in_tmp: Path) -> None:
    (in_tmp / "below").mkdir()
    os.chdir("below")
    for place in (".", "..", in_tmp / "below"):
        with pytest.raises(RunError, match="current folder") as caught:
            export_run(probe, to="onnx", out=place)
        assert caught.value.code == "exists"
    assert [path.name for path in in_tmp.iterdir()] == ["below"]


def test_files_of_somebody_else_in_an_export_are_kept(probe: ta.Run, tmp_path: Path) -> None:
    place = tmp_path / "shipped"
    export_run(probe, to="onnx", out=place)
    (place / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match=r"notes\.txt"):
        export_run(probe, to="onnx", out=place)
    assert (place / "notes.txt").read_text() == "mine"


def test_the_leftover_of_a_killed_export_is_taken_over(probe: ta.Run, tmp_path: Path) -> None:
    left = tmp_path / ".shipped.partial"
    (left / "export" / "saved_model").mkdir(parents=True)
    (left / "export" / "saved_model" / "half").write_bytes(b"half")
    export_run(probe, to="onnx", out=tmp_path / "shipped")
    assert [path.name for path in tmp_path.iterdir()] == ["shipped"]


def test_two_exports_to_one_place_do_not_mix(probe: ta.Run, tmp_path: Path) -> None:
    import fcntl

    partial = tmp_path / ".shipped.partial"
    partial.mkdir()
    with (partial / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(RunError, match="Another process"):
            export_run(probe, to="onnx", out=tmp_path / "shipped")
    assert partial.is_dir(), "it is the other one's"


def test_nothing_is_written_among_the_pictures(
    probe: ta.Run, few_digits: Path, tmp_path: Path
) -> None:
    before = few_digits.stat().st_mtime_ns
    for place in (few_digits / "shipped", few_digits / "new" / "shipped"):
        with pytest.raises(SettingsError, match="inside"):
            export_run(probe, to="onnx", out=place)
    assert sorted(path.name for path in few_digits.iterdir()) == ["0", "1", "4", "7"]
    assert few_digits.stat().st_mtime_ns == before, "not for an instant, either"


def test_an_unknown_target_names_the_near_one(probe: ta.Run, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="'litert'"):
        export_run(probe, to="lite-rt", out=tmp_path / "shipped")


# ------------------------------------------------------------------ the pictures


@pytest.fixture
def moved(few_digits: Path, tmp_path: Path) -> tuple[ta.Run, Path]:
    """A run on pictures that lie in a folder of this test."""
    data = tmp_path / "data"
    shutil.copytree(few_digits, data)
    return ta.train(data, size=32, out=tmp_path / "run"), data


def test_data_that_is_gone_or_changed(moved: tuple[ta.Run, Path], tmp_path: Path) -> None:
    run, data = moved
    held = run.split.filter(run.split["side"] == "held_out")["path"].to_list()
    (data / held[0]).write_bytes((data / held[1]).read_bytes())
    with pytest.raises(RunError, match="has changed") as caught:
        export_run(run, to="onnx", out=tmp_path / "shipped")
    assert caught.value.code == "data_changed"
    assert "--data" in caught.value.remedy
    (data / held[0]).unlink()
    with pytest.raises(RunError, match="1 of 48 pictures are no longer there"):
        export_run(run, to="onnx", out=tmp_path / "shipped")
    data.rename(tmp_path / "elsewhere")
    with pytest.raises(RunError, match="cannot be opened") as caught:
        export_run(run, to="onnx", out=tmp_path / "shipped")
    assert caught.value.code == "data_gone"
    assert not (tmp_path / "shipped").exists()


def test_data_that_was_moved_and_renamed(moved: tuple[ta.Run, Path], tmp_path: Path) -> None:
    """Pictures are known by their content, wherever they lie now."""
    run, data = moved
    there = tmp_path / "elsewhere"
    data.rename(there)
    for number, picture in enumerate(sorted(there.rglob("*.png"))):
        picture.rename(picture.with_name(f"renamed-{number}.png"))
    done = export_run(run, to="onnx", data=there, out=tmp_path / "shipped")
    assert done.parity["accuracy"] == pytest.approx(run.metrics["held_out"]["accuracy"])


def test_where_folds_measured_the_pictures_learnt_from_are_asked(
    digits_folder: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    for label in ("0", "1"):
        (data / label).mkdir(parents=True)
        for picture in sorted((digits_folder / label).iterdir())[:20]:
            shutil.copyfile(picture, data / label / picture.name)
    run = ta.train(data, size=32, out=tmp_path / "run")
    assert run.metrics["held_out"]["method"] == "folds"
    done = export_run(run, to="onnx", out=tmp_path / "shipped")
    assert done.parity["of"] == "training"
    note = (done.path / "README.txt").read_text(encoding="utf-8")
    assert "of 40 pictures it learned from" in " ".join(note.split())
    assert done.parity["n"] == 40
