"""The tutorial's cells, and running them.

``python tests/docs/tour.py`` runs all of them, prints the output of every cell for which the page
shows another one, and renews the page's pictures.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import jupytext

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "tutorial.md"
PICTURES = DOCS / "images" / "tutorial"
SECOND_PART = "## Part two"
"""From here on, the extra ``keras`` is needed."""

_TEXT = re.compile(r"\s*```text\n(.*?)```", re.DOTALL)


@dataclass(frozen=True)
class Cell:
    """A cell of code.

    Attributes:
        title: Its number, and the heading above it.
        source: Python.
        shown: The output that the page shows.
        second_part: Whether it needs Keras.
    """

    title: str
    source: str
    shown: str
    second_part: bool


def cells() -> list[Cell]:
    """All cells of code, as in a notebook made from the page."""
    notebook = jupytext.read(PAGE)
    found: list[Cell] = []
    heading, second = "", False
    for place, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            after = notebook.cells[place + 1 : place + 2]
            words = after[0].source if after and after[0].cell_type == "markdown" else ""
            text = _TEXT.match(words)
            title = f"cell {len(found) + 1}, {heading}"
            found.append(Cell(title, cell.source, text[1] if text else "", second))
        else:
            second = second or SECOND_PART in cell.source
            headings = re.findall(r"^#+ (.+)$", cell.source, re.MULTILINE)
            heading = headings[-1] if headings else heading
    return found


def run(chosen: list[Cell]) -> Iterator[tuple[Cell, str]]:
    """Run cells one after the other in one namespace, in the working directory.

    Yields:
        Each cell and what it printed.
    """
    names: dict[str, object] = {"__name__": "__main__"}
    for cell in chosen:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(cell.source, cell.title, "exec"), names)
        yield cell, out.getvalue()


def pictures() -> list[str]:
    """Names of the pictures that the cells write and the page shows."""
    return re.findall(r"!\[[^\]]+\]\(images/tutorial/([^)]+)\)", PAGE.read_text(encoding="utf-8"))


def _renew() -> int:
    from shown import difference

    faults = 0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for cell, came in run(cells()):
            if difference(cell.shown, came) is not None:
                faults += 1
                print(f"--- {cell.title}\n{came}", flush=True)
        for name in pictures():
            shutil.copy(name, PICTURES / name)
        os.chdir(DOCS)
    return faults


if __name__ == "__main__":
    sys.exit(_renew())
