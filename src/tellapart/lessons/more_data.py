"""``more-data``: held-out accuracy over the number of training pictures, in one picture.

The held-out pictures are the same for every point. The training part is shuffled once, classes in
proportion, and each point trains on the first N pictures. So every larger set contains the smaller
ones, and only the number of pictures changes from point to point.
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import math
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tellapart.core.errors import RunError
from tellapart.core.text import percent
from tellapart.data.catalog import open_catalog
from tellapart.lessons.charts import Line, Point, line_chart
from tellapart.lessons.lesson import Number, Training
from tellapart.metrics.intervals import wilson
from tellapart.reports.plot import Axis, share_axis

if TYPE_CHECKING:
    from tellapart.lessons.context import Context
    from tellapart.runs import Run

SIZES = (250, 500, 1_000, 2_000, 4_000, 8_000, 16_000)

_KINDS = (
    Training(
        "cnn",
        "From scratch.",
        {"model": "cnn", "size": 64, "augment": "flip,shift=0.1", "validation": 0.0},
    ),
    Training("probe", "On pretrained features.", {"model": "probe"}),
)


def first_of(labels: Mapping[str, str], count: int, *, seed: int) -> set[str]:
    """The first ``count`` pictures of a random order, classes in proportion.

    Args:
        labels: Class by path.
        count: How many; all if there are fewer.
        seed: Seed of the order.

    Returns:
        Paths; a larger ``count`` includes those of a smaller one.

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
    # Sorted by the position within the class, as a share: the same order for every count.
    places: list[tuple[float, str]] = []
    for _, paths in sorted(by_class.items()):
        order = rng.permutation(len(paths))
        places += [((rank + 0.5) / len(paths), paths[i]) for rank, i in enumerate(order)]
    return {path for _, path in sorted(places)[:count]}


def work(context: Context) -> None:
    """Train on more and more pictures, and draw how the accuracy grows."""
    assert context.data is not None
    whole = context.train(_KINDS[1])
    if not whole.settings["data"]["parts"]:
        # Otherwise every training would hold out other pictures.
        context.data = _parted(context.data, whole, context.folder / "parted")
        whole = context.train(dataclasses.replace(_KINDS[1], name=f"{_KINDS[1].name}-parted"))
    split = whole.split
    learned = split.filter(split["side"].is_in(("train", "validation")))
    labels = dict(learned.select("path", "label").iter_rows())
    # With fewer training pictures, fewer held-out ones have a copy there; keep to these.
    held_out = whole.predictions.filter(pl.col("counted"))["path"].to_list()
    sizes = [*(size for size in SIZES if size < len(labels)), len(labels)]
    for size in sizes:
        kept = first_of(labels, size, seed=context.seed)
        rest = [path for path in labels if path not in kept]
        corrections = _corrections(context.folder / f"all-but-{size}.csv", rest)
        for kind in _KINDS:
            name = f"{kind.name}-{size}"
            training = dataclasses.replace(kind, name=name)
            run = context.train(training, corrections=corrections)
            measured = run.predictions.filter(pl.col("path").is_in(held_out))
            if len(measured) != len(held_out):
                raise RunError(f"'{name}' was measured on other held-out pictures.")
            right = int(measured["correct"].sum())
            low, high = wilson(right, len(measured))
            context.record(f"{name}.held_out", right / len(measured))
            context.record(f"{name}.low", low)
            context.record(f"{name}.high", high)
    context.record("points", float(len(sizes)))
    context.draw("curve.svg", _curve(context.numbers, sizes, len(held_out)), _SAYS)
    for kind in _KINDS:
        ends = (f"{kind.name}-{size}.held_out" for size in (sizes[0], sizes[-1]))
        first, last = (float(context.numbers[end]) for end in ends)
        context.record(f"{kind.name} gains", 100 * (last - first))


_SAYS = (
    "Accuracy on the same held-out pictures, over the number of pictures learned from (each step "
    "to the right doubles it). The bars are 95 % intervals."
)


def _curve(numbers: Mapping[str, Number], sizes: Sequence[int], held_out: int) -> str:
    """Both curves, as an SVG file."""
    lines = []
    for kind, title in zip(_KINDS, ("CNN from scratch", "probe"), strict=True):
        points = []
        for size in sizes:
            name = f"{kind.name}-{size}"
            value, low, high = (
                float(numbers[f"{name}.{part}"]) for part in ("held_out", "low", "high")
            )
            says = f"{title}, {size:,} pictures: {percent(value)}"
            points.append(Point(math.log2(size), value, says, low, high))
        lines.append(Line(title, points))
    lowest = min(point.low or 0.0 for line in lines for point in line.points)
    bottom = max(math.floor(10 * lowest) / 10, 0.0)
    return line_chart(
        lines,
        Axis(
            "pictures learned from",
            math.log2(sizes[0]),
            math.log2(sizes[-1]),
            [(math.log2(size), f"{size:,}") for size in _marked(sizes)],
        ),
        share_axis(f"right, of {held_out:,} held out", bottom),
        label="; ".join(point.says for line in lines for point in line.points),
    )


def _marked(sizes: Sequence[int]) -> list[int]:
    """The sizes to label: the last, and those not too close to it."""
    return [size for size in sizes if size == sizes[-1] or sizes[-1] / size > 1.5]


def _parted(data: Path, whole: Run, target: Path) -> Path:
    """Copy the data once into ``train/`` and ``test/``, as a run split it.

    Pictures that the run left out are left out here as well.
    """
    if target.is_dir():
        return target
    catalog = open_catalog(data)
    sides = dict(whole.split.select("path", "side").iter_rows())
    made = Path(tempfile.mkdtemp(prefix=".parted.", dir=target.parent))
    try:
        with contextlib.closing(catalog.source):
            rows = catalog.frame.select("path", "label").iter_rows()
            for row, (path, label) in enumerate(rows):
                side = sides.get(path, "left_out")
                if side == "left_out":
                    continue
                part = "test" if side == "held_out" else "train"
                folder = made / part / f"{catalog.classes.index(label):04d}"
                folder.mkdir(parents=True, exist_ok=True)
                (folder / f"{row:06d}").write_bytes(catalog.source.read(row))
        made.chmod(0o755)
        made.rename(target)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return target


def _corrections(file: Path, excluded: Sequence[str]) -> Path:
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened)
        writer.writerow(("path", "action", "label"))
        writer.writerows((path, "exclude", "") for path in excluded)
    return file
