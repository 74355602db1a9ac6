"""``tellapart bench``: what it says with a GPU, without one, and when devices disagree."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tellapart.cli.app import build
from tellapart.core.errors import SettingsError
from tellapart.networks.devices import devices
from tellapart.networks.devices.devices import Comparison
from tellapart.networks.devices.timing import Timing

CPU = Timing("dnn", "cpu:0", 60_000, 32, 669_706, 5.25, 10.0, 2.4, 0.6)
GPU = replace(CPU, device="gpu:0", step_ms=0.5, epoch_seconds=0.4)
ENGINE = {"keras": "3.0", "engine": "jax", "engine_version": "0.9"}
HARDWARE = {"cpu:0": "Processor 9, 2 cores", "gpu:0": "NVIDIA H200"}


def run(monkeypatch: pytest.MonkeyPatch, compared: Comparison | Exception, *more: str) -> Result:
    def compare(**options: Any) -> Comparison:
        if isinstance(compared, Exception):
            raise compared
        return compared

    monkeypatch.setattr(devices, "compare", compare)
    return CliRunner().invoke(build(), ["bench", "devices", *more])


def test_a_gpu_stands_beside_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = run(monkeypatch, Comparison(ENGINE, HARDWARE, (CPU, GPU)))
    assert shown.exit_code == 0
    rows = [line.split() for line in shown.stdout.splitlines() if line.startswith("dnn")]
    assert rows[0] == ["dnn", "cpu:0", "60,000", "5.2", "ms", "10.0", "s", "1.0", "0.6000"]
    assert rows[1][-2:] == ["25.0", "agree"]
    assert "An epoch of dnn is 25.0 times as fast on gpu:0." in shown.stdout
    assert "no GPU" not in shown.stdout
    lines = shown.stdout.splitlines()
    assert lines[1:3] == ["cpu:0 is Processor 9, 2 cores", "gpu:0 is NVIDIA H200"]


def test_without_a_gpu_it_says_so_and_shows_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = run(monkeypatch, Comparison(ENGINE, {"cpu:0": "Processor 9, 2 cores"}, (CPU,)))
    assert "Keras found no GPU on jax" in shown.stdout
    assert "cpu:0" in shown.stdout


def test_devices_that_disagree_and_fail_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = replace(GPU, first_loss=9.0)
    failed = (("cnn", "gpu:0", "ResourceExhausted: out of memory"),)
    shown = run(monkeypatch, Comparison(ENGINE, HARDWARE, (CPU, wrong), failed))
    assert "DIFFER" in shown.stdout and "do not trust" in shown.stdout
    assert "cnn on gpu:0 failed: ResourceExhausted: out of memory" in shown.stdout


def test_json_is_one_document(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = Comparison(ENGINE, HARDWARE, (CPU, GPU))
    assert json.loads(run(monkeypatch, compared, "--json").stdout) == compared.as_json()


def test_a_missing_extra_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = SettingsError("No Keras.", remedy="Install it.", code="extra_missing")
    shown = run(monkeypatch, missing, "--json")
    assert shown.exit_code == 1
    assert json.loads(shown.stdout)["error"]["code"] == "extra_missing"


@pytest.mark.parametrize("wrong", [["--pictures", "0"], ["--batch", "0"], ["--pictures", "70000"]])
def test_wrong_numbers_are_wrong_usage(wrong: list[str]) -> None:
    assert CliRunner().invoke(build(), ["bench", "devices", *wrong]).exit_code == 2


def test_bench_alone_shows_what_there_is() -> None:
    assert "devices" in CliRunner().invoke(build(), ["bench"]).output
