"""The folder: what lies in it, that it is whole, and that nothing in it reaches outside."""

from __future__ import annotations

import hashlib
import json
import os
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

import tellapart as ta
from tellapart.core.errors import ModelError
from tellapart.exports.card import card_of
from tellapart.exports.web import site, vendoring
from tellapart.runs import Run

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def written(pets_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a probe, written and not asked: no browser is needed."""
    out = tmp_path_factory.mktemp("site")
    card = card_of(pets_run, "web", "index.html")
    site.write_site(out, pets_run.path / "model.onnx", card, has_map=pets_run.model.has_map)
    return out


def names(folder: Path) -> set[str]:
    return {one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file()}


def test_the_folder_holds_the_page_the_model_and_what_runs_it(written: Path, pets_run: Run) -> None:
    assert {
        "index.html",
        "house.css",
        "page.css",
        "icon.svg",
        "manifest.webmanifest",
        "model.json",
        "model.onnx",
        "service-worker.js",
        "js/app.js",
        "js/worker.js",
        "vendor/ort.wasm.bundle.min.js",
        "vendor/ort-wasm-simd-threaded.wasm",
        "vendor/LICENSE.txt",
        "vendor/ThirdPartyNotices.txt",
    } <= names(written)
    assert (written / "model.onnx").read_bytes() == (pets_run.path / "model.onnx").read_bytes()
    said = json.loads((written / "model.json").read_text(encoding="utf-8"))
    assert said["classes"] == list(pets_run.classes)
    assert said["sha256"] == pets_run.model.fingerprint
    assert (said["size"], said["fit"], said["has_map"]) == (224, "squash", True)


def test_every_file_that_is_kept_for_offline_use_is_there(written: Path) -> None:
    source = (written / "service-worker.js").read_text(encoding="utf-8")
    found = re.search(r"const FILES = (\[.*?\]);", source)
    assert found is not None
    kept = {"index.html" if name == "./" else name for name in json.loads(found[1])}
    assert kept == names(written) - {"service-worker.js"}


def test_another_model_is_another_version(written: Path, pets_run: Run, tmp_path: Path) -> None:
    card = card_of(pets_run, "web", "index.html")
    other = tmp_path / "other.onnx"
    other.write_bytes((pets_run.path / "model.onnx").read_bytes() + b"\0")
    folder = tmp_path / "site"
    folder.mkdir()
    site.write_site(folder, other, card, has_map=True)

    def version(place: Path) -> str:
        found = re.search(r'VERSION = "(\w+)"', (place / "service-worker.js").read_text("utf-8"))
        assert found is not None
        return found[1]

    assert version(folder) != version(written)


def test_no_script_stands_in_the_page_and_nothing_is_loaded_from_elsewhere(written: Path) -> None:
    page = (written / "index.html").read_text(encoding="utf-8")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    assert "default-src 'none'" in policy[1]
    assert "unsafe-inline" not in policy[1]
    assert "'unsafe-eval'" not in policy[1]
    assert re.findall(r"<script(?![^>]*\ssrc=)", page) == []
    assert re.findall(r"\s(?:style|on\w+)=", page) == []
    for name in names(written):
        if name.endswith((".html", ".js", ".css", ".webmanifest")) and "vendor/" not in name:
            text = (written / name).read_text(encoding="utf-8")
            addresses = set(re.findall(r"https?://[^\s\"'<)]+", text))
            assert addresses <= {"http://localhost:8000/"}, name
            assert "innerHTML" not in text, name


def test_the_page_states_accuracy_interval_and_version(written: Path, pets_run: Run) -> None:
    from tellapart.core import text

    page = (written / "index.html").read_text(encoding="utf-8").replace("\u00a0", " ")
    held_out = pets_run.metrics["held_out"]
    assert text.percent(held_out["accuracy"]) in page
    assert text.interval(*held_out["accuracy_ci95"]) in page
    assert pets_run.model.fingerprint[:10] in page
    assert f"tellapart {ta.__version__}" in page


def test_hostile_names_are_data(pets_run: Run, tmp_path: Path) -> None:
    card = card_of(pets_run, "web", "index.html")
    worst = "</script><script>alert(1)</script>\u202e\udce9"
    card |= {"classes": [worst, "b"], "run": {**card["run"], "name": worst}}
    card["data"] = {**card["data"], "name": worst}
    card["verdict"] = {**card["verdict"], "sentence": worst}
    site.write_site(tmp_path, pets_run.path / "model.onnx", card, has_map=True)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "\u202e" not in page
    said = json.loads((tmp_path / "model.json").read_text(encoding="ascii"))
    assert said["classes"] == [worst, "b"]
    assert "\u202e" not in said["labels"][0]


def test_what_is_carried_is_what_is_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in vendoring.NAMES:
        data = vendoring.vendor(name)
        assert hashlib.sha256(data).hexdigest() == vendoring.PINS["files"][name]["sha256"]
        assert len(data) == vendoring.PINS["files"][name]["bytes"]
    wrong = {**vendoring.PINS["files"]["LICENSE.txt"], "sha256": "0" * 64}
    monkeypatch.setitem(vendoring.PINS["files"], "LICENSE.txt", wrong)
    with pytest.raises(ModelError, match="LICENSE"):
        vendoring.vendor("LICENSE.txt")


def test_the_notices_name_what_is_carried() -> None:
    notices = (ROOT / "THIRD_PARTY_NOTICES.md").read_text(encoding="utf-8")
    assert f"ONNX Runtime Web {vendoring.PINS['version']}" in notices


@pytest.mark.skipif(not (ROOT / "pyproject.toml").is_file(), reason="not in a checkout")
def test_the_wheel_carries_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    buildapi = pytest.importorskip("flit_core.buildapi", reason="flit builds the wheel")
    monkeypatch.chdir(ROOT)
    wheel = tmp_path / buildapi.build_wheel(str(tmp_path))
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    place = "tellapart/exports/web/"
    assert {
        f"{place}page/index.html.j2",
        f"{place}page/js/resize.js",
        f"{place}check/check.js",
        *(f"{place}vendor/{name}" for name in (*vendoring.NAMES, "vendor.json")),
    } <= inside
    assert os.path.getsize(wheel) < 8_000_000  # noqa: PTH202


def test_an_export_answers_in_python_too(pets: Any, unseen: list[Path]) -> None:
    again = ta.load(pets.folder)
    assert again.predict(unseen[0]).probabilities == pytest.approx(
        ta.load(pets.run).predict(unseen[0]).probabilities, abs=1e-4
    )
