"""``tellapart export`` and what the other commands make of an export."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import tellapart as ta
from tellapart.cli.app import build
from tellapart.cli.export import print_export
from tellapart.exports import export_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, digits_folder: Path) -> ta.Run:
    data = tmp_path_factory.mktemp("cli-export") / "digits"
    for label in ("0", "1"):
        (data / label).mkdir(parents=True)
        for picture in sorted((digits_folder / label).iterdir())[:100]:
            (data / label / picture.name).write_bytes(picture.read_bytes())
    return ta.train(data, size=32, out=data.parent / "ones")


def call(*arguments: Any) -> Result:
    return CliRunner().invoke(build(), [str(one) for one in arguments])


def test_the_usual_way(run: ta.Run, in_tmp: Path) -> None:
    done = call("export", run.path)
    assert done.exit_code == 0, done.output
    assert "100 % of 40 held-out pictures get the same class as from model.onnx." in done.stdout
    assert "Largest difference in probability: 0 (at most 0.0001)" in done.stdout
    assert "Saved     exports/ones-onnx/   model.onnx · tellapart.json · parity.json" in done.stdout
    assert "Checking  in ONNX Runtime" in done.stderr
    told = call(
        "predict", "exports/ones-onnx", min(Path(run.settings["data"]["location"]).rglob("*.png"))
    )
    assert told.exit_code == 0, told.output
    (line,) = told.stdout.splitlines()
    assert 50 < float(re.findall(r"([0-9.]+) %", line)[-1]) < 100
    assert line.split()[-1] in {"0", "1"}


def test_json_and_quiet(run: ta.Run, tmp_path: Path) -> None:
    done = call("export", run.path, "--to", "onnx", "--out", tmp_path / "shipped", "--json", "-q")
    assert done.exit_code == 0, done.output
    assert done.stderr == ""
    told = json.loads(done.stdout)
    assert set(told) == {"schema", "target", "path", "parity"}
    assert (told["schema"], told["target"]) == (1, "onnx")
    assert told["path"] == str(tmp_path / "shipped")
    assert told["parity"] == json.loads((tmp_path / "shipped" / "parity.json").read_text())


def test_int8_needs_an_option(run: ta.Run, tmp_path: Path) -> None:
    asked = ["export", run.path, "--to", "onnx-int8", "--out", tmp_path / "shipped", "--json"]
    refused = call(*asked)
    assert refused.exit_code == 1
    assert json.loads(refused.stdout)["error"]["code"] == "int8_varies"
    done = call(*asked, "--accept-processor-differences")
    told = json.loads(done.stdout)
    if done.exit_code:  # as on x86 processors without VNNI
        assert told["error"]["code"] == "parity"
    else:
        assert told["parity"]["speed"]["gain"] > 0
    assert (tmp_path / "shipped").exists() is (done.exit_code == 0)


def test_what_int8_gains(run: ta.Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = export_run(run, to="onnx", out=tmp_path / "shipped")
    speed = {"onnx": 100.0, "target": 250.0, "gain": 2.5, "processor": "Some CPU", "cores": 2}
    more = {"speed": speed, "bytes": {"onnx": 13_400_000, "target": 3_800_000}}
    print_export(replace(done, parity={**done.parity, **more}))
    told = " ".join(capsys.readouterr().out.split())
    for fact in ("2.5 times", "250", "100", "Some CPU", "2 cores"):
        assert fact in told


def test_what_comes_next_can_be_copied(
    run: ta.Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = export_run(run, to="onnx", out=tmp_path / "my page")
    print_export(done)
    assert f"Next      ta.load({str(done.path)!r}).predict('some.jpg')\n" in capsys.readouterr().out
    print_export(replace(done, card={**done.card, "target": "web", "main": "index.html"}))
    serving = f"python -m http.server 8000 --bind 127.0.0.1 --directory '{done.path}'\n"
    assert f"Next      {serving}          and open http" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--to", "core-ml"], "unknown_target"),
        (["--data", "nowhere"], "data_gone"),
        (["--out", "taken"], "exists"),
    ],
)
def test_what_the_user_can_mend(run: ta.Run, in_tmp: Path, arguments: list[str], code: str) -> None:
    (in_tmp / "taken").mkdir()
    (in_tmp / "taken" / "mine.txt").write_text("mine")
    done = call("export", run.path, *arguments, "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["error"]["code"] == code
    done = call("export", run.path, *arguments)
    assert done.exit_code == 1
    assert "Error" in done.stderr
    assert "To do" in done.stderr
    assert not (in_tmp / "exports").exists() or not list((in_tmp / "exports").iterdir())


def test_an_interrupt_leaves_nothing_and_says_so(
    run: ta.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tellapart.exports.onnx_file.run_file", interrupted)
    done = call("export", run.path, "--out", tmp_path / "shipped")
    assert done.exit_code == 130
    assert "Interrupted. Nothing was saved" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_is_for_runs_says_so_of_an_export(run: ta.Run, tmp_path: Path) -> None:
    assert call("export", run.path, "--out", tmp_path / "shipped", "-q").exit_code == 0
    for command in ("export", "report", "compare"):
        done = call(command, tmp_path / "shipped", *([run.path] if command == "compare" else []))
        assert done.exit_code == 1
        assert "is an export, not a run" in " ".join(done.stderr.split())


def test_a_run_that_is_none(tmp_path: Path) -> None:
    done = call("export", tmp_path / "nothing")
    assert done.exit_code == 1
    assert "no run folder" in done.stderr
