"""Charts of runs as files."""

from __future__ import annotations

import importlib.util
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

import tellapart as ta
from tellapart.demo import write_digits
from tellapart.projects import pictures

needs_keras = pytest.mark.skipif(
    importlib.util.find_spec("keras") is None, reason="the extra keras is not installed"
)


@needs_keras
def test_a_network_has_a_learning_curve_and_a_probe_has_none(tmp_path: Path) -> None:
    digits = write_digits(tmp_path / "digits")
    linear = ta.train(digits, model="linear", epochs=3, size=16, out=tmp_path / "linear")
    probe = ta.train(digits, size=32, out=tmp_path / "probe")
    paths = {"linear": str(linear.path), "probe": str(probe.path)}
    assert pictures.keep(tmp_path / "images", "lesson", paths) == ["linear"]
    drawn = (tmp_path / "images" / "lesson-linear.svg").read_text(encoding="utf-8")
    root = ElementTree.fromstring(drawn)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    said = {text.strip() for text in root.itertext()}
    assert {"training", "held out", "epoch"} <= said
    # On its own a file has no page to take colors from.
    style = next(text for text in root.itertext() if "--accent" in text)
    assert "prefers-color-scheme: dark" in style and ".plot" in style
