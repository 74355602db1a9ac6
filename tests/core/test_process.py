"""Children that end with their parents."""

from __future__ import annotations

import subprocess
import sys

from tellapart.core.process import ALONE


def test_a_child_ends_when_its_standard_input_does() -> None:
    script = (
        "import time\nfrom tellapart.core.process import end_with_parent\n"
        "end_with_parent()\ntime.sleep(600)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE)
    assert child.stdin is not None
    assert child.poll() is None
    child.stdin.close()
    assert child.wait(60) == ALONE


def test_the_timing_of_devices_does_not_go_on_alone() -> None:
    wanted = '{"pictures": 100000, "batch": 32, "lessons": [{"kind": "cnn", "side": 96}]}'
    done = subprocess.run(
        [sys.executable, "-m", "tellapart.networks.devices.timing", wanted],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )
    assert done.returncode == ALONE
