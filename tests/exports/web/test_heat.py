"""The page's heat maps, run by Node, beside those of ``tellapart explain``."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import tellapart
from tellapart.explanations.evidence import evidence
from tellapart.explanations.painting import AGAINST, FOR, colors, overlay

PACKAGE = Path(tellapart.__file__).parent
MODULE = PACKAGE / "exports" / "web" / "page" / "js" / "heat.js"
STYLE = PACKAGE / "reports" / "templates" / "report.css"
NODE = shutil.which("node")


@pytest.mark.skipif(NODE is None, reason="Node runs the page's modules here")
@pytest.mark.parametrize(("classes", "target"), [(2, 0), (2, 1), (5, 3)])
def test_evidence_and_colors_are_those_of_explain(
    tmp_path: Path, classes: int, target: int
) -> None:
    random = np.random.default_rng(classes)
    logits = random.normal(0, 3, (7, 7, classes)).astype(np.float32)
    picture = random.integers(0, 256, (90, 130, 3), dtype=np.uint8)
    case = {
        "width": 130,
        "height": 90,
        "map": {"width": 7, "height": 7},
        "classes": classes,
        "target": target,
    }
    (tmp_path / "case.json").write_text(json.dumps(case), encoding="utf-8")
    (tmp_path / "picture.rgb").write_bytes(picture.tobytes())
    (tmp_path / "map.f32").write_bytes(logits.tobytes())
    script = Path(__file__).with_name("heat_in_node.mjs")
    subprocess.run([str(NODE), str(script), str(MODULE), str(tmp_path)], check=True, timeout=120)

    expected = evidence(logits, target)
    found = np.frombuffer((tmp_path / "evidence.f32").read_bytes(), np.float32)
    assert found == pytest.approx(expected.ravel(), abs=1e-5)
    painted = np.frombuffer((tmp_path / "painted.rgb").read_bytes(), np.uint8)
    apart = np.abs(painted.reshape(picture.shape).astype(int) - overlay(picture, expected))
    assert apart.max() <= 1


def test_the_pages_legend_has_the_colors_of_the_map() -> None:
    style = STYLE.read_text(encoding="utf-8")
    assert re.findall(r"--heat-for: (#\w+);", style) == [FOR]
    assert re.findall(r"--heat-against: (#\w+);", style) == [AGAINST]


def test_the_script_has_the_colors_of_explain() -> None:
    script = MODULE.read_text(encoding="utf-8")
    ramp = re.findall(r"^ +\[(\d+), (\d+), (\d+)\],$", script, re.MULTILINE)
    expected = colors(np.linspace(-1, 1, len(ramp)))
    assert np.array(ramp, float) == pytest.approx(expected, abs=0.01)
