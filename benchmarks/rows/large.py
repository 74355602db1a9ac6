"""Memory with 25,000 pictures, and whether the time a picture grows."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from benchmarks.bench import Bench, Said
from benchmarks.measures import growth, median
from benchmarks.pictures import CHANGED
from benchmarks.results import Line, Target
from benchmarks.rows.base import Row, plain_line

_NAME = "cats-dogs-3k.zip"
_FEW, _MANY = 3_000, 25_000


def _measure(bench: Bench) -> list[Line]:
    few, many = (60, 400) if bench.small else (_FEW, _MANY)
    said = bench.in_turn(
        {
            "few": partial(_train, bench, bench.copies(_NAME, few)),
            "many": partial(_train, bench, bench.copies(_NAME, many)),
        }
    )
    short, long = ([float(one["seconds"]) for one in said[name]] for name in ("few", "many"))
    memory = [_memory(one) for one in said["many"]]
    by_picture = [1000 * seconds / many for seconds in long]
    by_picture_few = [1000 * seconds / few for seconds in short]
    return [
        plain_line(
            f"Anonymous memory of `train` on {many:,} pictures",
            "MB",
            memory,
            Target("value", "under", 1000.0),
        ),
        Line(
            f"`train` on {many:,} pictures, per picture",
            "ms",
            median(by_picture),
            Target("ratio", "at most", 1.15),
            tuple(by_picture),
            f"the same on {few:,}",
            median(by_picture_few),
            tuple(by_picture_few),
            growth(short, few, long, many),
            "times the time",
        ),
    ]


def _train(bench: Bench, data: Path) -> Said:
    with bench.fresh() as folder:
        return bench.train(data, folder, cache=folder / "cache", watch=True)


def _memory(said: Said) -> float:
    """The larger of what the run says of itself and what is seen from outside."""
    return max(float(said["timings"]["peak_memory_mb"]), float(said["memory_mb"] or 0.0))


LARGE = Row(
    name="large",
    title="25,000 pictures: memory, and time a picture against 3,000",
    how=(
        f"The command on folders of {_FEW:,} and {_MANY:,} JPEG files, new cache, process start "
        "included. The files are copies of the pictures in `cats-dogs-3k.zip`, taken repeatedly in "
        f"a fixed random order. In each copy, {CHANGED} random pixels get a random color. It is "
        "encoded again at the same size, with the original's quantization tables and chroma "
        f"subsampling. The {_FEW:,} are the first files of the {_MANY:,}. Memory is the larger of "
        "`peak_memory_mb` in `timings.json` and the sum of `RssAnon` over the process and its "
        "descendants, read ten times per second from outside."
    ),
    minutes=18,
    measure=_measure,
)
