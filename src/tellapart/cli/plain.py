"""How commands show their help: whole sentences, and no words of a programming language.

A list of commands says of each its whole first sentence, however narrow the terminal; examples
stand one a line, as they are typed; and an argument is shown by its name alone, without a type.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from tellapart.cli.shared_options import whole

_TYPE = re.compile(r"<(\w+)>")
_WORDS = {"int": "N", "float": "N", "str": "TEXT"}
_SENTENCE = re.compile(r"(.*?[.?!])(\s|$)", re.DOTALL)


def group(told: str) -> typer.Typer:
    """A group of commands; ``told`` is its help."""
    return typer.Typer(help=told, cls=Group, no_args_is_help=True, rich_markup_mode=None)


def parts_of(told: str | None) -> tuple[str, list[str]]:
    """A command's help without its examples, and the examples, one a line."""
    rest, _, examples = inspect.cleandoc(told or "").partition("Examples:")
    return rest.strip(), [line.strip() for line in examples.splitlines() if line.strip()]


class Command(TyperCommand):
    """One command."""

    def get_short_help_str(self, limit: int = 45) -> str:
        """The first sentence, whole: it goes on in the next line."""
        return _first_sentence(self.help)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Options, then arguments by their names; brackets around what may be left away."""
        names = [(_name(one), one.required) for one in self.get_params(ctx) if _is_argument(one)]
        return ["[OPTIONS]", *(name if required else f"[{name}]" for name, required in names)]

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        """The help, and the examples one a line."""
        told, lines = parts_of(self.help)
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(told)
        if lines:
            with formatter.section("Examples"):
                for line in lines:
                    formatter.write(f"{'':>{formatter.current_indent}}{line}\n")

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Arguments by name and meaning, then options."""
        params: list[Any] = list(self.get_params(ctx))
        arguments = [(_name(one), one.help or "") for one in params if _is_argument(one)]
        if arguments:
            with formatter.section("Arguments"):
                formatter.write_dl(arguments)
        for panel, options in by_panel(params).items():
            records = filter(None, (one.get_help_record(ctx) for one in options))
            with formatter.section(panel):
                formatter.write_dl([(_worded(name), told) for name, told in records])


class Group(TyperGroup):
    """A group of commands, which get the options of their settings when they are called."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is called, with all of its options."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, whole(command), rest

    def get_short_help_str(self, limit: int = 45) -> str:
        """The first sentence, whole."""
        return _first_sentence(self.help)


def by_panel(params: Iterable[Any]) -> dict[str, list[Any]]:
    """Options by the heading they stand under, in the order of the headings' first option."""
    panels: dict[str, list[Any]] = {}
    for one in params:
        if not _is_argument(one):
            panels.setdefault(getattr(one, "rich_help_panel", None) or "Options", []).append(one)
    return panels


def _worded(option: str) -> str:
    """``--port <int>`` as ``--port N``."""
    return _TYPE.sub(lambda found: _WORDS.get(found[1], found[1].upper()), option)


def _first_sentence(told: str | None) -> str:
    text = inspect.cleandoc(told or "")
    found = _SENTENCE.match(text)
    return " ".join((found.group(1) if found else text).split())


def _is_argument(param: Any) -> bool:
    return bool(param.param_type_name == "argument")


def _name(param: Any) -> str:
    return str(param.metavar or param.name.upper())
