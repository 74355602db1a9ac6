"""The promises of the set-up: locks, layers, Makefile, isolation of the tests themselves."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
# What is installed to use and to test; `bench` has further locks for what it measures against.
LOCKS = ("core", "dev", "torch")
ENGINES = {"tensorflow", "tensorflow-cpu", "torch", "torchvision", "jax", "jaxlib", "keras"}
ALL_LOCKS = tuple(sorted(path.stem for path in (ROOT / "requirements").glob("*.lock")))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def locked(name: str) -> dict[str, list[str]]:
    """Package → its lines (one a version) in the lock."""
    found: dict[str, list[str]] = {}
    for line in (ROOT / "requirements" / f"{name}.lock").read_text(encoding="utf-8").splitlines():
        if match := re.match(r"([a-z0-9][a-z0-9.-]*)(?:\[[a-z0-9,-]+\])?==", line):
            found.setdefault(match[1], []).append(line)
    return found


def canonical(requirement: str) -> str:
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def test_every_finding_is_in_the_table() -> None:
    page = (ROOT / "findings" / "README.md").read_text(encoding="utf-8")
    scripts = {path.name for path in (ROOT / "findings").glob("*.sh")} - {"run.sh"}
    assert set(re.findall(r"^\| `([a-z0-9-]+\.sh)` \|", page, re.M)) == scripts


@pytest.mark.parametrize("name", ALL_LOCKS)
def test_locks_name_no_address_and_no_path(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.lock").read_text(encoding="utf-8")
    assert not re.search(
        r"https?:|file:|find-links|index-url|trusted-host|@ |^-|(^|\s)/", text, re.M
    )


@pytest.mark.parametrize("name", ALL_LOCKS)
def test_every_locked_package_has_hashes(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.lock").read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[a-z0-9])", text)
    assert len(entries) > 30
    for entry in entries:
        assert "==" in entry and "--hash=sha256:" in entry, entry.splitlines()[0]


@pytest.mark.parametrize(
    ("name", "engines"),
    [
        ("core", set()),
        ("dev", {"keras", "tensorflow", "tensorflow-cpu", "jax", "jaxlib"}),
        ("torch", {"keras", "torch"}),
    ],
)
def test_each_environment_has_its_engines_and_no_other(name: str, engines: set[str]) -> None:
    assert ENGINES & set(locked(name)) == engines


@pytest.mark.parametrize("name", ["dev", "torch"])
def test_no_engine_is_asked_for_on_macs_with_an_intel_processor(name: str) -> None:
    from packaging.markers import default_environment
    from packaging.requirements import Requirement

    mac = {
        "sys_platform": "darwin",
        "platform_machine": "x86_64",
        "platform_system": "Darwin",
        "os_name": "posix",
        "python_version": "3.12",
        "python_full_version": "3.12.1",
    }
    here = {**default_environment(), **mac}
    for engine in (ENGINES - {"keras"}) & set(locked(name)):
        for line in locked(name)[engine]:
            marker = Requirement(line.removesuffix("\\").strip()).marker
            assert marker is not None and not marker.evaluate(here), line


def test_every_python_that_tensorflow_is_made_for_gets_one_on_linux() -> None:
    from packaging.requirements import Requirement

    asked = [Requirement(line) for line in PROJECT["project"]["optional-dependencies"]["keras"]]
    engines = [one for one in asked if one.name.startswith("tensorflow")]
    for python, machine, expected in (
        ("3.11", "x86_64", ["tensorflow-cpu"]),
        ("3.13", "x86_64", ["tensorflow-cpu"]),
        ("3.13", "aarch64", ["tensorflow"]),
        ("3.14", "x86_64", []),
    ):
        place = {"python_version": python, "sys_platform": "linux", "platform_machine": machine}
        found = [one.name for one in engines if one.marker and one.marker.evaluate(place)]
        assert found == expected, place


def test_locks_hold_what_the_project_asks_for() -> None:
    core = {canonical(line) for line in PROJECT["project"]["dependencies"]}
    extras = {
        canonical(line)
        for lines in PROJECT["project"]["optional-dependencies"].values()
        for line in lines
    }
    groups = {
        name: {canonical(line) for line in lines}
        for name, lines in PROJECT["dependency-groups"].items()
    }
    build = {canonical(line) for line in PROJECT["build-system"]["requires"]}
    assert build <= groups["build"], "the package is built with what the lock holds"
    assert core | groups["build"] <= set(locked("core"))
    assert core | extras | groups["build"] | groups["dev"] <= set(locked("dev"))
    assert not extras & set(locked("core"))


@pytest.mark.parametrize("name", ["dev", "torch"])
def test_locks_agree_with_the_core(name: str) -> None:
    core, other = locked("core"), locked(name)
    versions = {name: sorted(line.split()[0] for line in lines) for name, lines in core.items()}
    assert versions == {
        name: sorted(line.split()[0] for line in lines)
        for name, lines in other.items()
        if name in core
    }


def test_the_notices_name_every_package_of_the_core_install() -> None:
    text = (ROOT / "THIRD_PARTY_NOTICES.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| ")]
    named = {name for row in rows for name in re.findall(r"[a-z0-9][a-z0-9-]*", row)}
    assert set(locked("core")) <= named


def test_the_notices_name_every_package_of_the_extras() -> None:
    text = (ROOT / "THIRD_PARTY_NOTICES.md").read_text(encoding="utf-8")
    tools = {canonical(line) for line in PROJECT["dependency-groups"]["dev"]}
    asked = {
        canonical(line)
        for lines in PROJECT["project"]["optional-dependencies"].values()
        for line in lines
    }
    needed = asked - tools
    while grown := {
        name for name, above in needed_by().items() if above & needed and name not in needed
    }:
        needed |= grown
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| ")]
    named = {name for row in rows for name in re.findall(r"[a-z0-9][a-z0-9-]*", row)}
    assert needed <= named


def needed_by() -> dict[str, set[str]]:
    """Package of the dev lock → the packages that need it."""
    found: dict[str, set[str]] = {}
    name = ""
    for line in (ROOT / "requirements" / "dev.lock").read_text(encoding="utf-8").splitlines():
        if match := re.match(r"([a-z0-9][a-z0-9.-]*)(?:\[[a-z0-9,-]+\])?==", line):
            name = match[1]
        elif match := re.match(r"    # (?:via)? *([a-z0-9][a-z0-9.-]*)$", line):
            found.setdefault(name, set()).add(match[1])
    return found


def test_no_committed_text_names_a_path_of_somebodys_machine() -> None:
    for name in ("pyproject.toml", "Makefile", "mkdocs.yml", ".ci/run", ".editorconfig"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert not re.search(r"/(home|root|work|tmp|opt|Users)/", text), name


def test_the_version_is_one() -> None:
    import tellapart

    assert tellapart.__version__ == PROJECT["project"]["version"]
    assert f"## {tellapart.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


# ------------------------------------------------------------------ Makefile


def make(folder: Path, *args: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    program = shutil.which("make")
    if program is None:
        pytest.skip("no make on this machine")
    env = {**os.environ, "MAKEFLAGS": "", "MAKELEVEL": ""}
    # The Makefile's own variables may stand in the environment of the make that runs the tests.
    for name in ("DATA", "ARGS", "PYTHON"):
        env.pop(name, None)
    if path is not None:
        env["PATH"] = path
    return subprocess.run(
        [program, *args], cwd=folder, env=env, capture_output=True, text=True, timeout=120
    )


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder with the Makefile whose .venv counts as installed, with a stand-in command."""
    folder = tmp_path / "a clone"
    (folder / "requirements").mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", folder)
    for name in ("pyproject.toml", "requirements/core.lock", "requirements/dev.lock"):
        (folder / name).write_text("")
    binaries = folder / ".venv" / "bin"
    binaries.mkdir(parents=True)
    (binaries / "python").symlink_to(sys.executable)
    (binaries / "tellapart").write_text('#!/bin/sh\nfor a in "$@"; do echo "[$a]"; done\n')
    (binaries / "tellapart").chmod(0o755)
    (folder / ".venv" / ".python").write_text(f"{folder.resolve()}\n")
    for stamp in (".core", ".dev"):
        (folder / ".venv" / stamp).touch()
    return folder


def test_make_demo_runs_the_demo(installed: Path) -> None:
    done = make(installed, "demo")
    assert (done.returncode, done.stdout) == (0, "[demo]\n"), done.stderr


@pytest.mark.parametrize("data", ["pets", "my pets/2024", 'it\'s (mine) & "yours"; *', "-pets"])
def test_make_demo_takes_a_folder_of_any_name(installed: Path, data: str) -> None:
    done = make(installed, "demo", f"DATA={data}")
    assert (done.returncode, done.stdout) == (0, f"[train]\n[--]\n[{data}]\n"), done.stderr


def test_make_says_what_is_missing_without_a_fit_python(installed: Path, tmp_path: Path) -> None:
    shutil.rmtree(installed / ".venv")
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "rm", "touch", "make"):
        (tools / name).symlink_to(shutil.which(name) or f"/bin/{name}")
    # As a version manager leaves them: a command that is there and does not run.
    for name in ("python3.13", "python3"):
        (tools / name).write_text("#!/bin/sh\nexit 127\n")
        (tools / name).chmod(0o755)
    done = make(installed, "demo", path=str(tools))
    assert done.returncode != 0
    assert "No Python 3.11 or newer" in done.stderr
    assert not (installed / ".venv").exists()


def test_make_sets_up_once_and_again_when_the_lock_changes(installed: Path) -> None:
    assert "pip" not in make(installed, "--dry-run", "demo").stdout
    lock = installed / "requirements" / "core.lock"
    os.utime(lock, (lock.stat().st_atime, lock.stat().st_mtime + 5))
    done = make(installed, "--dry-run", "demo").stdout
    assert "-r requirements/core.lock" in done and "--require-hashes" in done
    assert "-m venv" not in done


def test_make_sets_up_anew_where_the_folder_was_moved(installed: Path) -> None:
    moved = installed.rename(installed.with_name("moved"))
    assert "-m venv" in make(moved, "--dry-run", "demo").stdout


def test_make_alone_shows_the_targets(installed: Path) -> None:
    done = make(installed)
    assert done.returncode == 0
    assert "make demo DATA=" in done.stdout and "make test" in done.stdout


# ------------------------------------------------------------------ the tests' own ground


def test_no_test_reaches_outside() -> None:
    with pytest.raises(RuntimeError, match="tried to look up"):
        socket.create_connection(("example.org", 80), timeout=1)
    with socket.socket() as plain, pytest.raises(RuntimeError, match="tried to connect"):
        plain.connect(("192.0.2.1", 80))


def test_loopback_works() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname(), timeout=5) as client,
    ):
        peer, _ = server.accept()
        peer.sendall(b"hello")
        peer.close()
        assert client.recv(5) == b"hello"


def test_home_and_cache_are_not_the_users(tmp_path_factory: pytest.TempPathFactory) -> None:
    base = tmp_path_factory.getbasetemp()
    assert Path.home().is_relative_to(base)
    assert Path(os.environ["TELLAPART_CACHE"]).is_relative_to(base)


def test_small_photos_are_real(small_photos: Path) -> None:
    photos = sorted(small_photos.glob("*/*.jpg"))
    assert {photo.parent.name for photo in photos} == {"cats", "dogs"}
    assert len(photos) == 48
    with Image.open(photos[0]) as photo:
        assert photo.format == "JPEG" and photo.size == (180, 180)


def test_make_picture_writes_what_it_is_given(
    make_picture: Callable[..., Path], tmp_path: Path
) -> None:
    pixels = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    path = make_picture(tmp_path / "deep" / "a.png", pixels)
    with Image.open(path) as picture:
        assert np.array_equal(np.asarray(picture), pixels)
    strange = make_picture(tmp_path / "photo.png", format="JPEG", seed=3)
    with Image.open(strange) as picture:
        assert (picture.format, picture.size) == ("JPEG", (96, 72))
