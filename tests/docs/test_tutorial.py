"""Every cell of the tutorial runs, and prints what the page shows.

Its networks train in the tests' process, where Keras has started already; with
``TELLAPART_DOCS=all``, in child processes, as a reader's do.
"""

from __future__ import annotations

import contextlib
import importlib.util
from pathlib import Path

import jupytext
import nbformat
import numpy as np
import pytest
import tour
from fences import ALL_RUN
from networks_here import in_this_process
from PIL import Image
from shown import difference

HAS_KERAS = importlib.util.find_spec("keras") is not None
LEVELS = 12.0
"""Largest difference between a picture and the page's, in levels of 256 on average."""
BY_NETWORK = {"way.png", "heat-cnn.png"}
"""Depend on a trained network, which differs from machine to machine."""


def test_the_cells_give_what_the_page_shows(in_tmp: Path) -> None:
    chosen = [cell for cell in tour.cells() if HAS_KERAS or not cell.second_part]
    faults = []
    with in_this_process() if HAS_KERAS and not ALL_RUN else contextlib.nullcontext():
        for cell, came in tour.run(chosen):
            fault = difference(cell.shown, came)
            if fault is not None:
                faults.append(f"{cell.title}: {fault}")
    written = [name for name in tour.pictures() if HAS_KERAS or name not in BY_NETWORK]
    faults += [f"{name}: {fault}" for name in written if (fault := _differs(name))]
    assert not faults, "\n".join(faults)
    if not HAS_KERAS:
        pytest.skip("the second part needs the extra 'keras'")


def test_the_page_is_a_notebook_and_every_block_of_python_a_cell() -> None:
    page = tour.PAGE.read_text(encoding="utf-8")
    notebook = jupytext.read(tour.PAGE)
    nbformat.validate(nbformat.from_dict(nbformat.reads(jupytext.writes(notebook, "ipynb"), 4)))
    cells = tour.cells()
    assert len(cells) == page.count("\n```python") > 20
    # Every output is below its cell, and nowhere else.
    assert sum(bool(cell.shown) for cell in cells) == page.count("\n```text")
    assert [cell.second_part for cell in cells] == sorted(cell.second_part for cell in cells)
    # The folder holds the pictures that the page shows, and no others.
    assert {path.name for path in tour.PICTURES.iterdir()} == set(tour.pictures())


@pytest.mark.parametrize(
    ("shown", "came"),
    [
        ("one", "two"),
        ("one", "one\ntwo"),
        ("one\n…\nthree", "one\ntwo"),
        ("about 97% of 10", "about 92% of 10"),
        ("about 97% of 10", "about 97% of 11"),
        ("about 90% to 97%", "about 90% to 85%"),
        ("a … c", "a b"),
        ("", "something"),
    ],
)
def test_what_is_not_shown_is_noticed(shown: str, came: str) -> None:
    assert difference(shown, came) is not None


def test_what_is_left_out_and_about_right_is_not() -> None:
    assert difference("one\n…\nfour", "one\ntwo\nthree\nfour\n") is None
    assert difference("about 97% of 10, about 5 …", "about 96% of 10, about 7 wrong") is None


def _differs(name: str) -> str | None:
    if not Path(name).is_file():
        return "no cell wrote it"
    with Image.open(name) as came, Image.open(tour.PICTURES / name) as shown:
        if came.size != shown.size:
            return f"{came.size}, and not {shown.size}"
        pixels = [np.asarray(image.convert("RGB")).astype(float) for image in (came, shown)]
    if name in BY_NETWORK:
        return None if pixels[0].std() > LEVELS else "nothing is on it"
    apart = float(np.abs(pixels[0] - pixels[1]).mean())
    return None if apart <= LEVELS else f"{apart:.0f} levels from what is shown"
