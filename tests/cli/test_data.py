"""``tellapart data``: what it says, and how it ends."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tellapart.cli.app import build
from tellapart.datasets import downloads, registry, retrieval, search
from tellapart.datasets.dataset import DataFile
from tellapart.datasets.registry import DATA_SETS, named


def run(*arguments: str) -> Result:
    return CliRunner().invoke(build(), ["data", *arguments])


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(search.DATA, str(tmp_path / "data"))
    monkeypatch.setenv(search.DATASETS, str(tmp_path / "datasets"))
    monkeypatch.setattr(search, "SYSTEM", tmp_path / "system")
    return tmp_path


@pytest.fixture
def faces(places: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small zip that the registry knows as happy-or-sad, in the folder of TELLAPART_DATA."""
    path = places / "data" / "happy-or-sad.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("happy/1.png", b"")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    file = DataFile(path.name, path.stat().st_size, (sha256,), ("https://example.org/h.zip",))
    known = replace(named("happy-or-sad"), files=(file,))
    monkeypatch.setattr(registry, "DATA_SETS", (known, named("mnist"), named("cats-dogs-3k")))
    return path


def test_list_says_where_things_are_and_how_to_get_the_others(faces: Path) -> None:
    shown = run("list")
    assert shown.exit_code == 0
    lines = shown.stdout.splitlines()
    assert lines[0].split()[:2] == ["happy-or-sad", "80"]
    assert lines[1].strip() == "Happy or sad: 80 drawn faces"
    assert lines[2].strip() == str(faces)
    assert lines[5].strip() == "not here; get it with: tellapart data get mnist"
    assert lines[8].strip() == "not here, and without an official download"


def test_list_json_has_the_contract(faces: Path) -> None:
    document = json.loads(run("list", "--json").stdout)
    assert set(document) == {"schema", "datasets"}
    first, second, third = document["datasets"]
    for key in ("name", "title", "licence", "size", "classes", "where"):
        assert key in first
    assert first["where"] == str(faces)
    assert second["where"] is None and second["size"] == 11_594_722
    assert second["classes"] == list("0123456789")
    assert third["downloadable"] is False and len(third["files"][0]["sha256s"][0]) == 64


def test_every_data_set_is_listed() -> None:
    document = json.loads(run("list", "--json").stdout)
    assert [row["name"] for row in document["datasets"]] == [one.name for one in DATA_SETS]


@pytest.mark.parametrize("command", ["get", "where"])
def test_the_path_alone_is_on_standard_output(faces: Path, command: str) -> None:
    shown = run(command, "happy-or-sad")
    assert shown.exit_code == 0
    assert shown.stdout == f"{faces}\n"
    assert "checksum is that of a copy" in " ".join(shown.stderr.split())
    assert run(command, "happy-or-sad", "--quiet").stderr == ""
    document = json.loads(run(command, "happy-or-sad", "--json").stdout)
    assert document["where"] == str(faces)
    assert document["told"] and set(document["sha256"]) == {"happy-or-sad.zip"}


def test_from_is_looked_at_alone(faces: Path, places: Path) -> None:
    moved = places / "elsewhere.zip"
    moved.write_bytes(faces.read_bytes())
    assert run("where", "happy-or-sad", "--from", str(moved)).stdout == f"{moved}\n"
    moved.write_bytes(b"another")
    shown = run("where", "happy-or-sad", "--from", str(moved))
    assert shown.exit_code == 1
    assert "is not the known file" in " ".join(shown.stderr.split())  # wherever lines break


def test_where_of_what_is_nowhere_exits_with_one(places: Path) -> None:
    shown = run("where", "mnist")
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert "There is no copy of 'mnist'" in " ".join(shown.stderr.split())
    error = json.loads(run("where", "mnist", "--json").stdout)["error"]
    assert error["code"] == "no_copy"


def test_an_unknown_name_is_one_message() -> None:
    error = json.loads(run("get", "mnits", "--json").stdout)["error"]
    assert error["code"] == "unknown_data_set" and "'mnist'" in error["message"]


def test_get_without_a_network_is_one_message(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads.time, "sleep", lambda _: None)
    shown = run("get", "mnist", "--quiet")
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert "Traceback" not in shown.stderr
    assert shown.stderr.count("Error") == 1
    for word in ("https://storage.googleapis.com", "--from", "TELLAPART_DATA"):
        assert word in " ".join(shown.stderr.split())


def test_an_interruption_names_the_command_that_goes_on(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(retrieval, "download", interrupted)
    shown = run("get", "mnist")
    assert shown.exit_code == 130
    assert "go on with:\n  tellapart data get mnist\n" in shown.stderr


def test_urllib3_is_imported_only_to_download(places: Path) -> None:
    code = (
        "import sys; from tellapart.cli import main\n"
        "try:\n main(sys.argv[1:])\nexcept SystemExit: pass\n"
        "heavy = {'requests', 'urllib3', 'numpy', 'polars', 'rich', 'onnxruntime', 'sklearn'}\n"
        "sys.exit(','.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "data", "list"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_data_alone_shows_what_there_is() -> None:
    shown = CliRunner().invoke(build(), ["data"]).output
    assert all(word in shown for word in ("list", "get", "where"))
