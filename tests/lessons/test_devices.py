"""The lesson ``cpu-gpu``: a time stands beside what it was taken on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lesson_pages.pages import page
from tellapart.core.progress import SILENT
from tellapart.lessons.devices import LESSON
from tellapart.lessons.runner import run
from tellapart.networks.devices import devices
from tellapart.networks.devices.devices import Comparison
from tellapart.networks.devices.timing import Timing

CPU = Timing("cnn", "cpu:0", 64, 32, 669_706, 80.0, 10.0, 2.4, 0.6)
GPU = replace(CPU, device="gpu:0", step_ms=4.0, epoch_seconds=0.4)
ENGINE = {"keras": "3.0", "engine": "jax", "engine_version": "0.9"}
HARDWARE = {"cpu:0": "Processor 9, 16 cores", "gpu:0": "NVIDIA H200"}


def lesson(
    monkeypatch: pytest.MonkeyPatch, folder: Path, hardware: dict[str, str], *timings: Timing
) -> dict[str, Any]:
    """The result of the lesson on a machine with this hardware, as it is stored."""
    compared = Comparison(ENGINE, hardware, timings)
    monkeypatch.setattr(devices, "compare", lambda **_: compared)
    return run(LESSON, find=pytest.fail, out=folder / "out", progress=SILENT).as_json()


def test_the_result_says_the_engine_and_the_hardware(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    result = lesson(monkeypatch, tmp_path, HARDWARE, CPU, GPU)
    numbers = result["numbers"]
    assert numbers["engine"] == "Keras 3.0 on jax 0.9"
    assert {name: numbers[name] for name in HARDWARE} == HARDWARE
    assert numbers["ratio"] == 25.0 and numbers["cnn on gpu:0: step"] == 0.004
    assert result["targets"][0]["reached"]
    shown = page(LESSON, result)
    assert "| 25 times | at least 1 times | 25 times | reached |" in shown
    assert (
        "> Timed with Keras 3.0 on jax 0.9. `cpu:0` is Processor 9, 16 cores; "
        "`gpu:0` is NVIDIA H200."
    ) in shown


def test_without_a_gpu_nothing_is_said_to_be_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    result = lesson(monkeypatch, tmp_path, {"cpu:0": HARDWARE["cpu:0"]}, CPU)
    assert "ratio" not in result["numbers"] and not result["targets"][0]["reached"]
    assert any(note.startswith("No GPU here") for note in result["notes"])


def test_losses_that_differ_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    result = lesson(monkeypatch, tmp_path, HARDWARE, CPU, replace(GPU, first_loss=9.0))
    assert any("differ more than arithmetic" in note for note in result["notes"])
