from __future__ import annotations

from pathlib import Path

from commands_page import page

DOCS = Path(__file__).parents[2] / "docs"


def test_the_command_reference_is_what_the_commands_say() -> None:
    assert (DOCS / "commands.md").read_text(encoding="utf-8") == page(), (
        "write it again: python docs/tooling/commands_page.py > docs/commands.md"
    )


def test_every_command_has_examples() -> None:
    sections = page().split("\n## ")[1:]
    assert len(sections) >= 10
    for section in sections:
        assert "```sh\ntellapart " in section, section.splitlines()[0]
