"""The command line as a user has it: exit codes and both streams."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from command_line import answered, refused, tellapart

from tellapart.cli.predict import _print_table
from tellapart.inference.prediction import Prediction

MakePicture = Callable[..., Path]


def tellapart_process(*arguments: object, **env: str) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "tellapart", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, **env},
        check=False,
    )


@pytest.fixture(scope="session")
def run_folder(small_photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "pets"
    done = tellapart("train", small_photos, "--out", out)
    assert done.code == 0, done.stderr
    return out


def test_train_says_what_it_does_and_leaves_a_whole_run(small_photos: Path, in_tmp: Path) -> None:
    done = tellapart("train", small_photos, cwd=in_tmp)
    assert done.code == 0, done.stderr
    for stage in ("Reading", "Features", "Checking", "Learning"):
        assert stage in done.stderr
    assert "95 % interval" in done.stdout
    assert "tellapart predict runs/pets-1" in done.stdout
    last = done.stdout.splitlines()[-1].split(maxsplit=1)
    assert last == ["Report", str(in_tmp / "runs" / "pets-1" / "report.html")]
    assert sorted(path.name for path in (in_tmp / "runs").iterdir()) == ["pets-1"]
    files = {path.name for path in (in_tmp / "runs" / "pets-1").iterdir()}
    assert files == {
        "run.json",
        "metrics.json",
        "timings.json",
        "model.onnx",
        "split.parquet",
        "findings.parquet",
        "predictions.parquet",
        "report.html",
    }


def test_train_json_has_the_contract(small_photos: Path, in_tmp: Path) -> None:
    document = answered("train", small_photos, "--quiet", cwd=in_tmp)
    held = document["metrics"]["held_out"]
    assert document["run"] == "runs/pets-1"
    assert held["method"] == "folds"  # 48 pictures are too few for one split
    assert held["n"] == 48
    assert held["accuracy_ci95"][0] <= held["accuracy"] <= held["accuracy_ci95"][1]
    for name in (
        "balanced_accuracy",
        "macro_f1",
        "log_loss",
        "calibration_error",
        "majority_accuracy",
        "per_class",
        "confusion",
    ):
        assert name in held
    assert {"code", "sentence"} <= set(document["metrics"]["verdict"])
    assert document["metrics"]["train"]["n"] == 48
    assert document["timings"]["seconds"]["total"] > 0
    assert document["timings"]["peak_memory_mb"] > 0


def test_quiet_is_quiet(small_photos: Path, in_tmp: Path) -> None:
    done = tellapart("check", small_photos, "--quiet", cwd=in_tmp)
    assert done.code == 0
    assert done.stderr == ""


def test_check_json_has_the_contract(small_photos: Path) -> None:
    document = answered("check", small_photos)
    assert set(document) == {"schema", "summary", "findings"}
    assert document["summary"]["classes"] == {"cats": 24, "dogs": 24}
    for finding in document["findings"]:
        assert {"code", "level", "count", "sentence", "remedy", "examples"} <= set(finding)


def test_check_writes_a_page_findings_and_corrections_that_can_be_used(
    tmp_path: Path, make_picture: MakePicture
) -> None:
    for label in ("cats", "dogs"):
        for number in range(3):
            make_picture(
                tmp_path / "pets" / label / f"{number}.png", seed=number + 9 * (label == "dogs")
            )
    broken = tmp_path / "pets" / "dogs" / "broken.jpg"
    broken.write_text("not a picture")
    out = tmp_path / "out"
    done = tellapart("check", tmp_path / "pets", "--out", out)
    assert done.code == 0, done.stderr
    assert "<html" in (out / "check.html").read_text(encoding="utf-8")
    assert "dogs/broken.jpg" in pl.read_parquet(out / "findings.parquet")["path"].to_list()
    with (out / "corrections.csv").open("a", newline="") as file:
        csv.writer(file).writerow(["dogs/broken.jpg", "exclude", ""])
    assert f"--corrections {out / 'corrections.csv'}" in (out / "check.html").read_text("utf-8")
    again = answered("check", tmp_path / "pets", "--corrections", out / "corrections.csv")
    assert again["summary"]["pictures"] == 6


def test_strict_exits_with_one_on_an_error(tmp_path: Path, make_picture: MakePicture) -> None:
    for label in ("cats", "dogs"):
        for number in range(3):
            make_picture(
                tmp_path / "pets" / label / f"{number}.png", seed=number + 9 * (label == "dogs")
            )
    same = make_picture(tmp_path / "pets" / "cats" / "same.png", seed=50)
    (tmp_path / "pets" / "dogs" / "same.png").write_bytes(same.read_bytes())
    assert tellapart("check", tmp_path / "pets").code == 0
    assert tellapart("check", tmp_path / "pets", "--strict").code == 1


def test_predict_answers_for_files_folders_and_bad_pictures(
    run_folder: Path, small_photos: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"")
    photo = sorted((small_photos / "cats").iterdir())[0]
    document = answered("predict", run_folder, photo, bad, small_photos / "dogs")
    rows = {row["path"]: row for row in document["rows"]}
    assert len(rows) == 26
    assert rows[str(photo)]["label"] == "cats"
    assert sum(rows[str(photo)]["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert rows[str(bad)]["label"] is None
    assert "empty" in rows[str(bad)]["error"]


def test_predict_fails_only_where_every_picture_failed(run_folder: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"")
    done = tellapart("predict", run_folder, bad, "--json")
    assert done.code == 1
    assert json.loads(done.stdout)["rows"][0]["error"]


def test_predict_ends_with_how_many_of_each_class(
    run_folder: Path, small_photos: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"")
    rows = answered("predict", run_folder, small_photos, bad)["rows"]
    labels = Counter(row["label"] for row in rows if row["label"])
    sorted_into = tmp_path / "sorted"
    for options in ([], ["--csv"], ["--sort-into", sorted_into]):
        done = tellapart("predict", run_folder, small_photos, bad, *options)
        assert done.code == 0, done.stderr
        last = done.stderr.splitlines()[-1]
        assert last.startswith(f"{labels.total()} ")
        for label, n in labels.items():
            assert f"{label} {n}" in last
        assert last.partition("),")[2].split()[0] == "1"
        assert last.endswith(str(bad))
    assert len([path for path in sorted_into.rglob("*") if path.is_file()]) == labels.total()


def test_a_probability_is_never_all_or_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    shares = {"cats": 1.0, "dogs": 0.0}
    _print_table([Prediction("sure.jpg", "cats", 1.0, shares, None)])
    told = capsys.readouterr().out
    assert "100" not in told
    assert "over 99.9 %" in told


def test_predict_csv(run_folder: Path, small_photos: Path) -> None:
    done = tellapart("predict", run_folder, small_photos / "cats", "--csv", "--quiet")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert len(rows) == 24
    assert set(rows[0]) == {"path", "label", "probability", "cats", "dogs", "error"}


def test_predict_sorts_copies_and_moves_nothing(
    run_folder: Path, small_photos: Path, tmp_path: Path
) -> None:
    before = sorted(path.name for path in (small_photos / "cats").iterdir())
    sorted_into = tmp_path / "sorted"
    for _ in range(2):
        done = tellapart("predict", run_folder, small_photos / "cats", "--sort-into", sorted_into)
        assert done.code == 0, done.stderr
    copies = [path for path in sorted_into.rglob("*") if path.is_file()]
    assert len(copies) == 48, "nothing is overwritten"
    assert sorted(path.name for path in (small_photos / "cats").iterdir()) == before


def test_sort_into_the_pictures_own_folder_is_refused(run_folder: Path, small_photos: Path) -> None:
    error = refused("predict", run_folder, small_photos, "--sort-into", small_photos / "sorted")
    assert "outside" in error["remedy"]


def test_predict_imports_neither_scikit_learn_nor_keras(
    run_folder: Path, small_photos: Path
) -> None:
    photo = sorted((small_photos / "cats").iterdir())[0]
    code = (
        "import sys; from tellapart.cli import main\n"
        "try:\n main(sys.argv[1:])\nexcept SystemExit: pass\n"
        "heavy = {'sklearn', 'keras', 'tensorflow', 'torch', 'scipy', 'altair', 'onnx'}\n"
        "sys.exit(','.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "predict", run_folder, photo],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_evaluate_does_not_count_what_was_trained_on(run_folder: Path, small_photos: Path) -> None:
    error = refused("evaluate", run_folder, small_photos)
    assert "counted" in error["message"]


def test_evaluate_measures_new_pictures(
    run_folder: Path, data_folder: Path, tmp_path: Path
) -> None:
    import zipfile

    with zipfile.ZipFile(data_folder / "cats-dogs-3k.zip") as archive:
        for label in ("cats", "dogs"):
            names = [n for n in sorted(archive.namelist()) if f"validation/{label}/" in n][:10]
            (tmp_path / "new" / label).mkdir(parents=True)
            for name in names:
                (tmp_path / "new" / label / Path(name).name).write_bytes(archive.read(name))
    document = answered("evaluate", run_folder, tmp_path / "new")
    assert document["evaluation"]["n"] == 20
    assert document["evaluation"]["accuracy"] > 0.8


def test_evaluate_refuses_strangers(
    run_folder: Path, tmp_path: Path, make_picture: MakePicture
) -> None:
    for label in ("cats", "horses"):
        make_picture(tmp_path / "new" / label / "0.png", seed=3)
    error = refused("evaluate", run_folder, tmp_path / "new")
    assert "horses" in error["message"]
    assert "cats" in error["message"]


def test_explain_writes_a_picture(run_folder: Path, small_photos: Path, tmp_path: Path) -> None:
    photo = sorted((small_photos / "dogs").iterdir())[0]
    out = tmp_path / "explained.png"
    document = answered("explain", run_folder, photo, "--class", "dogs", "--out", out)
    assert document["class"] == "dogs"
    assert out.read_bytes().startswith(b"\x89PNG")


def test_explain_of_an_unknown_class(run_folder: Path, small_photos: Path) -> None:
    photo = sorted((small_photos / "dogs").iterdir())[0]
    assert "horses" in refused("explain", run_folder, photo, "--class", "horses")["message"]


def test_report_is_written_again(run_folder: Path) -> None:
    before = (run_folder / "report.html").read_text(encoding="utf-8")
    (run_folder / "report.html").unlink()
    assert answered("report", run_folder)["report"].endswith("report.html")
    assert len((run_folder / "report.html").read_text(encoding="utf-8")) > len(before) / 2


def test_compare_sets_runs_side_by_side(
    run_folder: Path, small_photos: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    assert tellapart("train", small_photos, "--out", other, "--size", 96).code == 0
    done = tellapart("compare", run_folder, other)
    assert done.code == 0, done.stderr
    assert "McNemar" in done.stdout


def test_cache_info_and_clear(tmp_path: Path, small_photos: Path) -> None:
    own = {"TELLAPART_CACHE": str(tmp_path / "cache")}
    answered("check", small_photos, **own)
    before = answered("cache", "info", **own)
    assert before["folder"] == str(tmp_path / "cache")
    assert before["kinds"]
    answered("cache", "clear", **own)
    assert answered("cache", "info", **own)["kinds"] == {}


def test_a_headline_is_never_rounded_up_to_all(capsys: pytest.CaptureFixture[str]) -> None:
    from tellapart.cli.terminal import console, print_headline

    measured = {"accuracy": 2999 / 3000, "accuracy_ci95": [0.998, 0.9999], "majority_accuracy": 0.5}
    print_headline(console(), measured, "3,000 pictures")
    said = capsys.readouterr().out.strip()
    assert said.startswith("over 99.9 %  of 3,000")
    assert "100" not in said.replace("3,000", "")


def test_check_ends_with_the_commands_to_go_on_with(
    small_photos: Path, make_picture: MakePicture, tmp_path: Path
) -> None:
    done = tellapart("check", small_photos, "--out", tmp_path / "my check")
    assert done.stdout.splitlines()[-1].split(maxsplit=1)[1].startswith("tellapart train ")
    pets = tmp_path / "pets"
    for name in ("cats", "dogs"):
        make_picture(pets / name / "a.jpg")
        (pets / name / "empty.jpg").write_bytes(b"")
    done = tellapart("check", pets, cwd=tmp_path)
    assert f"Next      tellapart check {pets} --out checked" in done.stdout
    done = tellapart("check", "pets", "--out", "my check", cwd=tmp_path)
    file = shlex.quote("my check/corrections.csv")
    assert done.stdout.splitlines()[-1] == f"Next      tellapart train pets --corrections {file}"


def test_explain_names_the_picture_that_cannot_be_read(run_folder: Path, tmp_path: Path) -> None:
    broken = tmp_path / "notes.jpg"
    broken.write_text("no picture")
    error = refused("explain", run_folder, broken)
    assert error["code"] == "not_a_picture"
    assert "notes.jpg' cannot be explained. The content is not a picture" in error["message"]
    assert error["remedy"]


def test_lines_that_are_too_long_are_broken_between_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from tellapart.cli.terminal import console, print_headline, print_indented

    shown = console()
    shown.width = 40
    measured = {"accuracy": 0.9, "accuracy_ci95": [0.8, 0.95], "majority_accuracy": 0.5}
    print_headline(shown, measured, "1,000 held-out pictures")
    print_indented(shown, "a step " * 12, first="  · ")
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 40
    assert " ".join(line.strip() for line in lines[1:4]).startswith("90.0 %  of 1,000 held-out")
    assert lines[-1].startswith("    ") and lines[-1][4] != " "


def test_a_terminal_that_cannot_write_every_character(tmp_path: Path) -> None:
    missing = tmp_path / "n\u00f6 \u2192 where"
    plain = tellapart_process("check", missing, PYTHONIOENCODING="ascii")
    assert plain.returncode == 1
    assert "Traceback" not in plain.stderr
    assert "where" in plain.stderr
    told = tellapart_process("check", missing, "--json", PYTHONIOENCODING="ascii")
    assert str(missing) in json.loads(told.stdout)["error"]["message"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("options", [["--json"], []])
def test_standard_output_that_is_full_or_closed(options: list[str], tmp_path: Path) -> None:
    command = shlex.join([sys.executable, "-m", "tellapart", "cache", "info", *options])
    env = {**os.environ, "TELLAPART_CACHE": str(tmp_path)}
    for ending, code in ((">/dev/full", 1), (">&-", 0)):
        done = subprocess.run(
            ["sh", "-c", f"{command} {ending}"],
            capture_output=True,
            text=True,
            timeout=60,
            env=env,
            check=False,
        )
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        assert code == 0 or "No space left" in done.stderr


def test_one_picture_is_a_picture(run_folder: Path, small_photos: Path) -> None:
    done = tellapart("predict", run_folder, next(small_photos.rglob("*.jpg")))
    assert done.stderr.startswith("Predicting 1 picture ")


def test_wrong_usage_exits_with_two() -> None:
    assert tellapart("train").code == 2
    assert tellapart("check", "x", "--nonsense").code == 2
    assert tellapart("nonsense").code == 2


def test_the_version_is_told() -> None:
    import tellapart as package

    assert tellapart_process("--version").stdout == f"tellapart {package.__version__}\n"


@pytest.mark.parametrize("share", ["0", "1", "2", "-0.5", "nan"])
def test_a_share_that_means_nothing(small_photos: Path, share: str) -> None:
    assert "--held-out" in refused("train", small_photos, f"--held-out={share}")["message"]


def test_errors_are_one_message_on_standard_error(tmp_path: Path) -> None:
    done = tellapart("check", tmp_path / "nothing-here")
    assert done.code == 1
    assert done.stdout == ""
    assert "nothing-here" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_training_leaves_no_run_and_the_next_goes_on(
    small_photos: Path, in_tmp: Path, fresh_cache: Path, ending: signal.Signals
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tellapart", "train", str(small_photos)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=in_tmp,
    )
    partial = in_tmp / "runs" / ".pets-1.partial"
    while not partial.exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(ending)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert list((in_tmp / "runs").iterdir()) == []
    assert tellapart("train", small_photos, cwd=in_tmp).code == 0


def test_the_leftover_of_a_killed_training_is_taken_over(small_photos: Path, in_tmp: Path) -> None:
    partial = in_tmp / "runs" / ".pets-1.partial"
    partial.mkdir(parents=True)
    (partial / "lock").touch()
    (partial / "model.onnx").write_bytes(b"half")
    assert answered("train", small_photos, cwd=in_tmp)["run"] == "runs/pets-1"
    assert [path.name for path in (in_tmp / "runs").iterdir()] == ["pets-1"]


def test_the_next_steps_in_json_name_the_run_and_its_data(small_photos: Path, in_tmp: Path) -> None:
    document = answered("train", small_photos, cwd=in_tmp)
    steps = " ".join(document["metrics"]["verdict"]["next"])
    stored = json.loads((in_tmp / document["run"] / "metrics.json").read_text(encoding="utf-8"))
    assert re.search(r"\b(RUN|DATA)\b", " ".join(stored["verdict"]["next"]))
    assert not re.search(r"\b(RUN|DATA)\b", steps)
    assert document["run"] in steps or str(small_photos) in steps
