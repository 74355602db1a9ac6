"""Every command in README and docs exists, with its options and values."""

from __future__ import annotations

import functools
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from fences import ROOT, Block, blocks, pages

from tellapart.cli.app import build
from tellapart.cli.shared_options import whole

BLOCKS = blocks("console", "sh")
SENTENCE = "in a sentence"
OTHERS = {
    *("base64", "cd", "curl", "docker", "export", "jupyter", "jupytext", "make", "openssl", "pip"),
    *("pipx", "python", "source", "tensorboard"),
}
"""Other programs that the pages use. A misspelled ``tellapart`` is not among them."""
_INLINE = re.compile(r"(?<!`)`((?:[A-Z_]+=\S+ )*tellapart [a-z][^`\n]*)`(?!`)")
_INNER = re.compile(r"\$\(([^()]*)\)")


def commands(line: str) -> Iterator[list[str]]:
    """The commands of a line of shell, including those in ``$(…)``, each as its words."""
    for inner in _INNER.findall(line):
        yield from commands(inner)
    lexer = shlex.shlex(_INNER.sub("inner", line), posix=True, punctuation_chars=";|&<>")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in lexer:
        if set(word) <= set(";|&"):
            yield words
            words = []
        else:
            words.append(word)
    yield words


def lines(block: Block) -> Iterator[str]:
    """The lines a reader would type: those after ``$`` in console blocks, all in others."""
    for line in block.code.replace("\\\n", " ").splitlines():
        if block.language == "sh":
            yield line
        elif line.startswith("$ "):
            yield line[2:]


def shown() -> list[tuple[str, list[str]]]:
    """Every command of every block, and the ``tellapart`` commands within sentences."""
    found = [
        (str(block), words) for block in BLOCKS for line in lines(block) for words in commands(line)
    ]
    for path in pages():
        page = f"{path.relative_to(ROOT).as_posix()} {SENTENCE}"
        for line in _INLINE.findall(path.read_text(encoding="utf-8")):
            found += [(page, words) for words in commands(line)]
    return [(where, _without_settings(words)) for where, words in found if words]


def _without_settings(words: list[str]) -> list[str]:
    """The command without variables (``KERAS_BACKEND=jax``) and redirections (``> file``)."""
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words = words[1:]
    for place, word in enumerate(words):
        if set(word) <= set("<>"):
            return words[:place]
    return words


@functools.cache
def root() -> Any:
    return typer.main.get_command(build())


def parse(words: list[str], *, bare: bool = False) -> None:
    """Parse a ``tellapart`` command as the program would, without running it.

    Args:
        words: The command.
        bare: Whether its name alone is enough.

    Raises:
        Exception: If there is no such command or option, or it does not take the value.
    """
    command = root()
    arguments = words[1:]
    while hasattr(command, "commands"):
        assert arguments and arguments[0] in command.commands, f"no command: {' '.join(words)}"
        command = whole(command.commands[arguments.pop(0)])
    if arguments or not bare:
        command.make_context(command.name, arguments)


OURS = [(where, words) for where, words in shown() if words[0] == "tellapart"]


@pytest.mark.parametrize(("where", "words"), OURS, ids=[f"{w} {' '.join(c)}" for w, c in OURS])
def test_a_command_that_is_shown_is_one(where: str, words: list[str]) -> None:
    parse(words, bare=where.endswith(SENTENCE))


def test_an_option_within_a_sentence_is_one() -> None:
    known = set(_options(root())) | {"--help"}
    for path in pages():
        page = path.relative_to(ROOT).as_posix()
        # These pages also name options of other programs.
        if page != "docs/benchmarks.md" and "/decisions/" not in page:
            named = re.findall(r"`(--[a-z-]+)", path.read_text(encoding="utf-8"))
            assert set(named) <= known, page


def _options(command: Any) -> Iterator[str]:
    for option in whole(command).params:
        yield from (*option.opts, *option.secondary_opts)
    for inner in getattr(command, "commands", {}).values():
        yield from _options(inner)


def test_other_commands_name_what_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    others = [(where, words) for where, words in shown() if words[0] != "tellapart"]
    assert {words[0] for _, words in others} <= OTHERS
    for where, words in others:
        if words[0] == "make":
            named = {word for word in words[1:] if "=" not in word}
            assert named <= targets, where
        for extras in re.findall(r"(?:tellapart|\.)\[([^]]+)\]", " ".join(words)):
            assert set(extras.split(",")) <= set(project["optional-dependencies"]), where
        if words[0] in ("jupytext", "jupyter"):
            assert Path(ROOT, words[-1]).with_suffix(".md").is_file(), where


@pytest.mark.parametrize(
    "line",
    [
        "tellapart trian pets/",
        "tellapart train pets/ --epoch 3",
        "tellapart train pets/ --epochs three",
        "tellapart project",
        "tellapart project run house-prices --nowhere",
    ],
)
def test_a_command_that_is_none_is_noticed(line: str) -> None:
    with pytest.raises(Exception, match=r"[Nn]o such option|no command|valid integer"):
        parse(next(commands(line)))
