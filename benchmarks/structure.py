"""Count the house: rooms, arrows, levels, circles, and lines of code.

    python -m benchmarks.structure [FOLDER]

``FOLDER`` is a package's source folder, ``src/tellapart`` unless given; another checkout's works as
well, so that two versions can be compared. A room is a package or a module directly below it. An
arrow is a room that imports another, wherever in the file the import is. A circle is a set of
rooms that all reach each other. The level of a room is the longest way down from it. The package's
``__init__`` is the room ``front door``.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

FRONT_DOOR = "front door"
SOURCE = Path(__file__).parents[1] / "src" / "tellapart"

Arrows = Mapping[str, set[str]]


@dataclass(frozen=True, slots=True)
class Structure:
    """What was counted of a package."""

    files: int
    lines: int
    code: int
    rooms: int
    arrows: int
    levels: int
    circles: tuple[tuple[str, ...], ...]
    largest: tuple[tuple[str, int], ...]


def structure(source: Path = SOURCE) -> Structure:
    """Count a package's rooms and lines.

    Args:
        source: The folder of the package.
    """
    files = sorted(source.rglob("*.py"))
    texts = {file: file.read_text(encoding="utf-8") for file in files}
    below = arrows(texts, source)
    circles = tuple(tuple(sorted(circle)) for circle in _circles(below))
    code: dict[str, int] = {}
    for file, text in texts.items():
        room = _room(file, source)
        code[room] = code.get(room, 0) + code_lines(text)
    return Structure(
        files=len(files),
        lines=sum(text.count("\n") for text in texts.values()),
        code=sum(code.values()),
        rooms=len(below),
        arrows=sum(len(rooms) for rooms in below.values()),
        levels=_levels(below),
        circles=circles,
        largest=tuple(sorted(code.items(), key=lambda item: -item[1])),
    )


def arrows(texts: Mapping[Path, str], source: Path) -> Arrows:
    """For every room the rooms that it imports."""
    rooms = {_room(file, source) for file in texts}
    found: dict[str, set[str]] = {room: set() for room in rooms}
    for file, text in texts.items():
        room = _room(file, source)
        imported = _imported(text, source.name)
        found[room] |= {name if name in rooms else FRONT_DOOR for name in imported} - {room}
    return found


def code_lines(text: str) -> int:
    """Lines with code on them: neither blank, nor comment, nor docstring."""
    prose = {
        line
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    passed_over = (
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    )
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in passed_over:
            lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines - prose)


def _room(file: Path, source: Path) -> str:
    name = file.relative_to(source).parts[0].removesuffix(".py")
    return FRONT_DOOR if name == "__init__" else name


def _imported(text: str, package: str) -> Iterator[str]:
    """The rooms that a file names in its imports."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == package:
                yield parts[1] if len(parts) > 1 else FRONT_DOOR


def _reached(below: Arrows, start: str) -> set[str]:
    seen: set[str] = set()
    left = [start]
    while left:
        for room in below[left.pop()] - seen:
            seen.add(room)
            left.append(room)
    return seen


def _circles(below: Arrows) -> list[set[str]]:
    reached = {room: _reached(below, room) for room in below}
    found: list[set[str]] = []
    for room in below:
        circle = {other for other in reached[room] if room in reached[other]}
        if circle and circle not in found:
            found.append(circle)
    return found


def _levels(below: Arrows) -> int:
    """The longest way down, counted in rooms; a circle is one step."""
    circles = _circles(below)
    whole = {
        room: min((c for c in circles if room in c), key=len, default={room}) for room in below
    }
    depth: dict[str, int] = {}

    def deep(room: str) -> int:
        key = min(whole[room])
        if key not in depth:
            depth[key] = 0
            outside = {other for one in whole[room] for other in below[one]} - whole[room]
            depth[key] = 1 + max((deep(other) for other in outside), default=0)
        return depth[key]

    return max((deep(room) for room in below), default=0)


def main() -> None:
    """Print the counts of the folder that the command line names."""
    counted = structure(Path(sys.argv[1]) if len(sys.argv) > 1 else SOURCE)
    print(f"files          {counted.files:>7,}")
    print(f"lines          {counted.lines:>7,}")
    print(f"lines of code  {counted.code:>7,}")
    print(f"rooms          {counted.rooms:>7,}")
    print(f"arrows         {counted.arrows:>7,}")
    print(f"levels         {counted.levels:>7,}")
    print(f"circles        {len(counted.circles):>7,}")
    for circle in counted.circles:
        print(f"  {' · '.join(circle)}")
    print("lines of code by room")
    for room, lines in counted.largest:
        print(f"  {room:<13}{lines:>7,}")


if __name__ == "__main__":
    main()
