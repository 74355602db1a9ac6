"""A fault of the program itself, in every command."""

from __future__ import annotations

import errno
import functools
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from tellapart.cli import app, bench, cache, data, guard, project
from tellapart.core.version import __version__


def every_command(group: Any, name: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for command in group.commands.values():
        full = (*name, command.name)
        if hasattr(command, "commands"):
            yield from every_command(command, full)
        else:
            yield full, command


FAULT = ZeroDivisionError("the injected fault")
COMMANDS = dict(every_command(typer.main.get_command(app.build())))


@pytest.fixture(autouse=True)
def faulty(monkeypatch: pytest.MonkeyPatch, fresh_cache: Path) -> None:
    def failing(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def fail(*_: Any, **__: Any) -> None:
            raise FAULT

        return guard.guarded(fail)

    for module in (app, bench, cache, data, project):
        monkeypatch.setattr(module, "guarded", failing)


def call(name: tuple[str, ...], *options: str) -> Result:
    required = [one for one in COMMANDS[name].params if one.param_type_name == "argument"]
    return CliRunner().invoke(app.build(), [*name, *("some-value" for _ in required), *options])


def the_log(folder: Path) -> Path:
    (path,) = (folder / "logs").iterdir()
    return path


@pytest.mark.parametrize("name", COMMANDS, ids=" ".join)
def test_a_fault_is_an_apology_and_a_log(
    name: tuple[str, ...], fresh_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["tellapart", *name, "as typed"])
    done = call(name)
    assert done.exit_code == 3
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    log = the_log(fresh_cache)
    assert f"\n  {log}\n" in done.stderr
    written = log.read_text(encoding="utf-8")
    assert f"tellapart {__version__}" in written
    assert "numpy " in written
    assert f"tellapart {' '.join(name)} 'as typed'" in written
    assert "Traceback (most recent call last)" in written
    assert "ZeroDivisionError: the injected fault" in written
    for one in COMMANDS[name].params:
        assert f"{one.name} = " in written or one.name == "help"


WITH_JSON = [
    name
    for name, command in COMMANDS.items()
    if any("--json" in one.opts for one in command.params)
]


@pytest.mark.parametrize("name", WITH_JSON, ids=" ".join)
def test_a_fault_is_a_json_document(name: tuple[str, ...], fresh_cache: Path) -> None:
    done = call(name, "--json")
    assert done.exit_code == 3
    assert done.stderr == ""
    document = json.loads(done.stdout)
    assert set(document) == {"schema", "error"}
    assert document["schema"] == 1
    assert set(document["error"]) == {"code", "message", "remedy"}
    assert document["error"]["code"] == "internal"
    assert str(the_log(fresh_cache)) in document["error"]["remedy"]


def test_the_log_goes_to_the_temporary_folder_where_the_cache_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TELLAPART_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    done = call(("check",))
    assert done.exit_code == 3
    (log,) = (tmp_path / "temporary").iterdir()
    assert str(log) in done.stderr


def test_an_error_that_a_library_raises_as_one_of_the_system_is_a_fault(
    fresh_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(globals(), "FAULT", OSError("raised by a library"))
    assert call(("check",)).exit_code == 3
    assert "OSError: raised by a library" in the_log(fresh_cache).read_text(encoding="utf-8")


def test_an_error_of_the_system_is_not_a_fault(
    fresh_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = PermissionError(errno.EACCES, "Permission denied", "labels.csv")
    monkeypatch.setitem(globals(), "FAULT", error)
    done = call(("check",))
    assert done.exit_code == 1
    assert "labels.csv" in done.stderr
    assert not (fresh_cache / "logs").exists()


def test_twenty_logs_are_kept(fresh_cache: Path) -> None:
    logs = fresh_cache / "logs"
    logs.mkdir(parents=True)
    for number in range(25):
        (logs / f"tellapart-20260101-0000{number:02}-x.log").touch()
    (logs / "notes.txt").touch()
    assert call(("check",)).exit_code == 3
    kept = sorted(path.name for path in logs.iterdir())
    assert len(kept) == 21
    assert kept[:2] == ["notes.txt", "tellapart-20260101-000006-x.log"]
