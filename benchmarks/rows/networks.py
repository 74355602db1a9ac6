"""What the rows about networks share: how one is trained, and the shape of their lines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.bench import Bench, Said
from benchmarks.measures import mean, median, paired_ratio
from benchmarks.results import Line, Target

CLASSIC = (
    *("--model", "cnn", "--size", "150", "--filters", "16,32,64", "--units", "512"),
    *("--batch", "32", "--augment", "none", "--validation", "0"),
)
"""The classic convolutional network, as the scripts in ``peers/`` write it."""
CLASSIC_EPOCHS = 15

FLOAT32 = ("--precision", "float32")
QUARTER = 900.0  # seconds


def train(bench: Bench, data: Path, *options: str, seed: int) -> Said:
    """``tellapart train DATA OPTIONS`` with a new cache; one epoch where it is only tried."""
    tried = ("--epochs", "1") if bench.small and "--model" in options else ()
    with bench.fresh() as folder:
        return bench.train(
            data, folder, *options, *tried, "--seed", str(seed), cache=folder / "cache"
        )


def epochs(bench: Bench, wanted: int) -> str:
    """A number of epochs as an argument: 1 where the row is only tried."""
    return str(1 if bench.small else wanted)


def percents(said: Sequence[Said]) -> list[float]:
    """Accuracy of each repeat in percent, of ours or of a peer.

    Ours counts every held-out picture, as peers do: also those that have a copy in training.
    """
    return [100 * float(one.get("as_given", one.get("held_out", one))["accuracy"]) for one in said]


def whole(said: Sequence[Said]) -> list[float]:
    """Seconds of each whole process, of ours or of a peer."""
    return [float(one.get("process_seconds", one.get("seconds"))) for one in said]


def accuracy_line(
    what: str,
    ours: Sequence[Said],
    target: Target | None,
    peer_name: str | None = None,
    peers: Sequence[Said] = (),
) -> Line:
    """Mean accuracy over the seeds, beside a peer's where there is one."""
    mine, others = percents(ours), percents(peers)
    line = Line(f"{what} (mean of {len(mine)})", "%", mean(mine), target, tuple(mine))
    return line if peer_name is None else _beside(line, peer_name, others)


def _beside(line: Line, peer_name: str, others: Sequence[float]) -> Line:
    return Line(
        line.what,
        line.unit,
        line.value,
        line.target,
        line.values,
        peer_name,
        mean(others),
        tuple(others),
        difference=line.value - mean(others),
        difference_unit="points",
    )


def time_line(
    what: str,
    unit: str,
    mine: Sequence[float],
    target: Target | None,
    peer_name: str,
    others: Sequence[float],
) -> Line:
    """Ours against a peer's time; the ratio is of neighbors."""
    return Line(
        what,
        unit,
        median(mine),
        target,
        tuple(mine),
        peer_name,
        median(others),
        tuple(others),
        paired_ratio(mine, others),
        "of its time",
    )


def seconds_line(what: str, ours: Sequence[Said], at_most: float) -> Line:
    """Whole processes against a limit."""
    mine = whole(ours)
    target = Target("value", "at most", at_most)
    return Line(f"{what}, whole process", "s", median(mine), target, tuple(mine))


def distance_line(what: str, ours: Sequence[Said], percent: float) -> Line:
    """How far the mean accuracy is from a number that is not the target."""
    away = [one - percent for one in percents(ours)]
    return Line(f"{what}: above {percent:g} %", "points", mean(away), None, tuple(away))
