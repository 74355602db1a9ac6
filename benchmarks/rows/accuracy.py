"""How many held-out pictures are right."""

from __future__ import annotations

from functools import partial

from benchmarks.bench import Bench, Said
from benchmarks.results import Line, Target
from benchmarks.rows.base import Row, plain_line

_PETS, _HORSES = "cats-dogs-3k.zip", "horses-or-humans-100px.zip"


def _measure(bench: Bench) -> list[Line]:
    said = bench.in_turn(
        {name: partial(_train, bench, name) for name in (_PETS, _HORSES)}, repeats=1
    )
    return [_line(_PETS, said[_PETS][0], 98.3), _line(_HORSES, said[_HORSES][0], 99.5)]


def _train(bench: Bench, name: str) -> Said:
    with bench.fresh() as folder:
        return bench.train(bench.archive(name), folder, cache=bench.warm_cache)


def _line(name: str, said: Said, percent: float) -> Line:
    held_out = said["held_out"]
    low, high = (100 * end for end in held_out["accuracy_ci95"])
    what = (
        f"Held-out accuracy, `{name}` ({held_out['n']:,} pictures, 95 % interval "
        f"{low:.1f} to {high:.1f} %)"
    )
    return plain_line(what, "%", [100 * held_out["accuracy"]], Target("value", "at least", percent))


ACCURACY = Row(
    name="accuracy",
    title="Held-out accuracy on two data sets",
    how=(
        "`tellapart train` with its defaults and seed 0. The number is `held_out.accuracy` in "
        "`metrics.json`. One run is enough: the same seed, data and machine give the same file."
    ),
    minutes=1.5,
    measure=_measure,
)
