"""The blocks of code in README and docs."""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
ALL_RUN = os.environ.get("TELLAPART_DOCS") == "all"
"""Whether everything on the pages runs as it would for a reader, however long it takes."""

_FENCE = re.compile(
    r"^(?P<indent> *)(?P<ticks>```+|~~~+) *(?P<info>[^\n`]*)\n"
    r"(?P<code>.*?)^(?P=indent)(?P=ticks) *$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        page: Path from the project's root, such as ``docs/train.md``.
        line: Number of its first line of code, from 1.
        language: The word after the fence, such as ``python``.
        code: Its lines, without the indentation of a list around it.
    """

    page: str
    line: int
    language: str
    code: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[Path]:
    """README and every page of the docs."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(*languages: str) -> list[Block]:
    """Every block of these languages, page by page."""
    return [
        block
        for path in pages()
        for block in blocks_of(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
        if block.language in languages
    ]


def blocks_of(page: str, text: str) -> Iterator[Block]:
    """The blocks of one page."""
    for found in _FENCE.finditer(text):
        line = text.count("\n", 0, found.start("code")) + 1
        yield Block(page, line, found["info"].strip(), textwrap.dedent(found["code"]))
