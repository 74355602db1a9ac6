"""CPU against GPU, where there is one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from benchmarks.bench import Bench, Said
from benchmarks.measures import median, paired_ratio
from benchmarks.results import Line
from benchmarks.rows.base import Row

_UNITS = (("step_ms", "ms", "one step"), ("epoch_seconds", "s", "one epoch"))


def _measure(bench: Bench) -> list[Line]:
    said = bench.in_turn({"devices": partial(_table, bench)})["devices"]
    names = [row["device"] for row in said[0]["rows"]]
    others = [name for name in dict.fromkeys(names) if not name.startswith("cpu")]
    return [
        line
        for network in ("dnn", "cnn")
        for field, unit, what in _UNITS
        for line in _lines(said, network, field, unit, what, others)
    ]


def _lines(
    said: Sequence[Said], network: str, field: str, unit: str, what: str, others: Sequence[str]
) -> list[Line]:
    engine = said[0]["engine"]
    title = f"`bench devices`: `{network}` on {engine}, {what}, CPU"
    cpu = _values(said, network, "cpu:0", field)
    if not others:
        return [Line(f"{title} (no GPU here)", unit, median(cpu), None, tuple(cpu))]
    made = []
    for device in others:
        beside = _values(said, network, device, field)
        ratio = paired_ratio(cpu, beside)
        name = f"{device}, {said[0]['hardware'][device]}"
        name += "" if _agree(said, network, device) else ", LOSSES DIFFER"
        numbers = (unit, median(cpu), None, tuple(cpu), name, median(beside), tuple(beside))
        made.append(Line(title, *numbers, ratio, "times as long"))
    return made


def _values(said: Sequence[Said], network: str, device: str, field: str) -> list[float]:
    return [
        float(row[field])
        for one in said
        for row in one["rows"]
        if (row["network"], row["device"]) == (network, device)
    ]


def _agree(said: Sequence[Said], network: str, device: str) -> bool:
    rows = [row for one in said for row in one["rows"]]
    return all(r["agrees"] for r in rows if (r["network"], r["device"]) == (network, device))


def _table(bench: Bench) -> Said:
    few = ("--pictures", "64") if bench.small else ()
    return dict(bench.tellapart("bench", "devices", *few, "--json", cache=bench.warm_cache).json())


DEVICES = Row(
    name="devices",
    title="CPU against GPU: a step and an epoch of dnn and cnn",
    how=(
        "`tellapart bench devices`: 60,000 generated gray pictures of 28x28 for `dnn` 512-512 and "
        "2,000 color pictures of 150x150 for `cnn` 16-32-64-512, batches of 32, after everything "
        "has been compiled. All devices start from the same weights, and their losses are compared "
        "(docs/devices.md says how closely)."
    ),
    minutes=8,
    measure=_measure,
    long=True,
)
