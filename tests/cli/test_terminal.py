"""What people see in a terminal: lines that fit, commands that work, whole sentences."""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from tellapart.cli.app import build
from tellapart.cli.terminal import console, print_error, print_indented, program, quoted
from tellapart.core.errors import DownloadError

ADDRESS = "https://example.org/a-very-long-path-of-a-data-set/train-images-idx3-ubyte.gz"


def test_an_error_is_broken_between_words_and_an_address_stays_whole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tellapart.cli.terminal.MAX_WIDTH", 60)
    remedy = f"By hand: download\n  {ADDRESS}\nand put it where the one that you name says it is."
    print_error(DownloadError("one two three " * 8, remedy=remedy), as_json=False)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("Error  one two")
    assert lines[1].startswith("       ") and lines[1].split()[0] in ("one", "two", "three")
    assert f"  {ADDRESS}" in lines
    assert all(len(line) <= 60 for line in lines if ADDRESS not in line)


def test_a_percentage_stays_with_its_number(capsys: pytest.CaptureFixture[str]) -> None:
    shown = console()
    shown.width = 24
    print_indented(shown, "guessing gets about 40 % of them", first="  ")
    assert capsys.readouterr().out.splitlines() == ["  guessing gets about", "  40 % of them"]


def test_a_path_is_never_broken(capsys: pytest.CaptureFixture[str]) -> None:
    shown = console()
    shown.width = 30
    path = "runs/a-name-that-is-longer-than-a-line/report.html"
    print_indented(shown, f"It lies at {path} now")
    assert capsys.readouterr().out.splitlines() == ["  It lies at", f"  {path}", "  now"]


def test_a_stage_that_says_much_goes_on_below_its_beginning() -> None:
    from tellapart.cli.terminal import _Count

    stage = _Count(None)
    stage.summarize("329 pictures · Füchse 3 · Hunde 132 · Katzen 154 · glücklich 40")
    first, second = stage.lines(80, "Reading", "pictures")
    assert first.startswith("Reading   329 pictures · Füchse 3") and first.endswith(" s")
    assert second == "          glücklich 40"
    assert len(stage.lines(100, "Reading", "pictures")) == 1


def test_commands_to_copy_begin_with_what_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [".venv/bin/tellapart", "train"])
    monkeypatch.setenv("PATH", "")
    assert program() == ".venv/bin/tellapart"
    monkeypatch.setattr(sys, "argv", ["my tools/tellapart"])
    assert program() == "'my tools/tellapart'"
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    assert program() == "tellapart"


def test_quotes_stand_only_where_a_shell_needs_them() -> None:
    assert quoted("runs/Übung-1") == "runs/Übung-1"
    assert quoted("my pets/") == "'my pets/'"
    assert quoted("$HOME") == "'$HOME'"
    assert quoted("") == "''"


def _groups(command: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    inner = getattr(command, "commands", {})
    return [path] + [one for name, sub in inner.items() for one in _groups(sub, (*path, name))]


@pytest.mark.parametrize("path", _groups(typer.main.get_command(build())), ids=" ".join)
def test_help_fits_and_shows_no_types(path: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(build(), [*path, "--help"], env={"COLUMNS": "80"}, terminal_width=80)
    assert shown.exit_code == 0
    assert "..." not in shown.stdout.replace("PICTURE...", "").replace("RUN...", "").replace(
        "[ARGS]...", ""
    )
    assert not re.search(r"\{[A-Z]|list\[|<str>", shown.stdout)
    examples = [line for line in shown.stdout.splitlines() if line.startswith("  tellapart ")]
    assert bool(examples) == ("Examples:" in shown.stdout)
