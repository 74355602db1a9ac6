"""Probabilities in the two pages' scripts, beside those of the reports."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import tellapart
from tellapart.core import text
from tellapart.reports.render import keep_units

PACKAGE = Path(tellapart.__file__).parent
SCRIPTS = {
    "web": PACKAGE / "exports" / "web" / "page" / "js" / "answer.js",
    "serve": PACKAGE / "serve" / "static" / "page.js",
}
NODE = shutil.which("node")
PROBABILITIES = [0.0, 0.0004, 0.001, 0.0123, 0.5, 0.9662, 0.999, 0.9991, 0.99999, 1.0]


@pytest.mark.skipif(NODE is None, reason="Node runs the pages' functions here")
@pytest.mark.parametrize("page", SCRIPTS)
def test_probabilities_are_written_as_in_the_reports(page: str) -> None:
    script = SCRIPTS[page].read_text(encoding="utf-8")
    function = re.search(r"^(?:export )?(function certainty.*?^})", script, re.M | re.S)
    assert function is not None
    program = f"{function[1]}\nconsole.log(JSON.stringify({PROBABILITIES}.map(certainty)))"
    done = subprocess.run(
        [str(NODE), "-e", program], check=True, timeout=60, capture_output=True, encoding="utf-8"
    )
    assert json.loads(done.stdout) == [keep_units(text.certainty(one)) for one in PROBABILITIES]
