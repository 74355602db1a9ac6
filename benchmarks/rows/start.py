"""How long one waits for small things."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from benchmarks.bench import Bench, Said
from benchmarks.results import Line, Target
from benchmarks.rows.base import Row, plain_line

_NAME = "cats-dogs-3k.zip"
_OFTEN = 3
"""Short things are repeated so many times as often as others."""


def _measure(bench: Bench) -> list[Line]:
    folder = bench.folder(_NAME)
    picture = sorted(folder.rglob("*.jpg"))[0]
    with bench.fresh() as run:
        bench.say("training a model to predict with")
        bench.train(bench.archive(_NAME), run, cache=bench.warm_cache)
        sides: dict[str, Callable[[], Said]] = {
            "help": partial(_command, bench, "--help"),
            "predict": partial(_command, bench, "predict", run / "run", picture),
            "import": partial(bench.ours, "importing", cache=bench.warm_cache),
        }
        for warm_up in sides.values():
            warm_up()
        said = bench.in_turn(sides, repeats=_OFTEN * bench.repeats)
    return [
        _line("`tellapart --help`, whole process", said["help"], 0.4),
        _line("`tellapart predict` of one picture, whole process", said["predict"], 1.5),
        _line("`import tellapart`", said["import"], 0.2),
    ]


def _command(bench: Bench, *arguments: str | Path) -> Said:
    done = bench.tellapart(*arguments, cache=bench.warm_cache)
    return {"seconds": round(done.seconds, 4)}


def _line(what: str, said: Sequence[Said], limit: float) -> Line:
    values = [float(one["seconds"]) for one in said]
    return plain_line(what, "s", values, Target("value", "under", limit))


START = Row(
    name="start",
    title="Start-up: --help, predict of one picture, import",
    how=(
        "The two commands run from process start to exit, with a model that is already trained. "
        "The import is measured inside a new Python process each time. Each command runs once "
        "uncounted before, so its files are in the system's page cache. There are three times as "
        "many repeats as elsewhere."
    ),
    minutes=1.5,
    measure=_measure,
)
