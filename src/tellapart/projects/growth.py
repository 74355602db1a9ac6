"""``more-data``: held-out accuracy over the number of training pictures, in one picture.

The held-out pictures are the same for every point. Of the training part, the first N of an order
that was drawn once are learned from, classes in proportion; so each larger set holds the
smaller ones, and what changes from point to point is only that there is more.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tellapart.errors import RunError
from tellapart.projects.base import Bound, Project, Target, Training

if TYPE_CHECKING:
    from tellapart.projects.workshop import Workshop
    from tellapart.runs import Run

SIZES = (250, 500, 1_000, 2_000, 4_000, 8_000, 16_000)

_KINDS = (
    Training(
        "cnn",
        "From scratch.",
        {"model": "cnn", "size": 96, "augment": "flip,shift=0.1", "validation": 0.0},
    ),
    Training("probe", "On pretrained features.", {"model": "probe"}),
)


def first_of(labels: Mapping[str, str], count: int, *, seed: int) -> set[str]:
    """The first ``count`` pictures of an order, classes in proportion.

    Args:
        labels: Class by path.
        count: How many; all where there are fewer.
        seed: Draws the order.

    Returns:
        Paths; those of a smaller ``count`` are among those of a larger one.

    Example:
        >>> labels = {f"{name}{i}": name for name in "ab" for i in range(6)}
        >>> small, large = (first_of(labels, n, seed=0) for n in (4, 8))
        >>> len(small), small < large, sum(path.startswith("a") for path in small)
        (4, True, 2)
    """
    rng = np.random.default_rng(seed)
    by_class: dict[str, list[str]] = {}
    for path in sorted(labels):
        by_class.setdefault(labels[path], []).append(path)
    # Each picture's place in its class, as a share: the same order for every count.
    places: list[tuple[float, str]] = []
    for _, paths in sorted(by_class.items()):
        order = rng.permutation(len(paths))
        places += [((rank + 0.5) / len(paths), paths[i]) for rank, i in enumerate(order)]
    return {path for _, path in sorted(places)[:count]}


def _work(shop: Workshop) -> None:
    whole = shop.train(_KINDS[1])  # on all: its split says who is held out
    split = whole.split
    learned = split.filter(split["side"].is_in(("train", "validation")))
    held_out = set(split.filter(split["side"] == "held_out")["path"])
    labels = dict(learned.select("path", "label").iter_rows())
    answers = dict(split.filter(split["path"].is_in(held_out)).select("path", "label").iter_rows())
    sizes = [*(size for size in SIZES if size < len(labels)), len(labels)]
    for size in sizes:
        kept = first_of(labels, size, seed=shop.seed)
        where, more = _only(shop, labels, kept, answers, size)
        for kind in _KINDS:
            name = f"{kind.name}-{size}"
            run = shop.train(Training(name, kind.says, kind.settings), data=where, **more)
            low, high = run.metrics["held_out"]["accuracy_ci95"]
            shop.tell(f"{name}.low", low)
            shop.tell(f"{name}.high", high)
            if not _held_out(run) <= {Path(path).name for path in held_out}:
                raise RunError(f"'{name}' was measured on other pictures than the whole.")
    shop.tell("points", float(len(sizes)))
    for kind in _KINDS:
        first, last = (
            float(shop.numbers[f"{kind.name}-{n}.held_out"]) for n in (sizes[0], sizes[-1])
        )
        shop.tell(f"{kind.name} gains", last - first)


def _only(
    shop: Workshop,
    labels: Mapping[str, str],
    kept: set[str],
    held_out: Mapping[str, str],
    size: int,
) -> tuple[Path, dict[str, Any]]:
    """Data with only some of its training pictures: a manifest, or corrections of an archive."""
    assert shop.data is not None
    if not shop.data.is_dir():
        rows = [(path, "exclude", "") for path in labels if path not in kept]
        file = _write(shop.folder / f"all-but-{size}.csv", ("path", "action", "label"), rows)
        return shop.data, {"corrections": file}
    root = shop.data.absolute()
    parts = [(path, labels[path], "train") for path in labels if path in kept]
    parts += [(path, label, "test") for path, label in held_out.items()]
    rows = [(str(root / path), label, part) for path, label, part in parts]
    return _write(shop.folder / f"first-{size}.csv", ("path", "label", "split"), rows), {}


def _held_out(run: Run) -> set[str]:
    return {Path(path).name for path in run.predictions["path"]}


def _write(file: Path, header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Path:
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened)
        writer.writerow(header)
        writer.writerows(rows)
    return file


PROJECT = Project(
    name="more-data",
    title="Would more pictures help? A curve",
    idea=(
        "Train on 250 pictures, on 500, on 1,000, and look where the curve goes. Where it still "
        "climbs, take more photographs. Where it is flat, more of the same will not help."
    ),
    task="Why 25,000 pictures do not overfit and 2,000 do. Courses tell it; they do not draw it.",
    source="not drawn by the courses",
    data=("cats-dogs-25k", "cats-dogs-25k-180px", "cats-dogs-3k"),
    targets=(
        Target("points on the curve", "points", "", Bound(low=4.0)),
        Target("what more pictures give a CNN from scratch", "cnn gains", "", Bound(unit="%")),
        Target("what they give pretrained features", "probe gains", "", Bound(unit="%")),
    ),
    minutes=8,
    code=(
        "import tellapart as ta\n\n"
        'run = ta.train("pets/", model="cnn", corrections="all-but-250.csv")\n'
        'print(run.metrics["train"]["n"], run.metrics["held_out"]["accuracy"])\n'
    ),
    next=("Draw the curve for your own folder: is it still climbing?",),
    work=_work,
)
