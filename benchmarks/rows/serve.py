"""How a served model holds under load."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks import processes, wrk
from benchmarks.bench import Bench, Said
from benchmarks.measures import median
from benchmarks.results import Line, Target
from benchmarks.rows.base import Row, plain_line, speed_line

_NAME = "cats-dogs-3k.zip"
CLIENTS = (1, 16, 64)
"""Clients at once; the last is saturation."""
_SECONDS, _SHORT = 10, 2
_MANY, _FEW = 10_000, 500
"""Requests of the run that watches memory."""
_BODY = ("--max-body-mb", "2")


def _measure(bench: Bench) -> list[Line]:
    pictures = bench.folder(_NAME)
    with bench.fresh() as folder:
        bench.say("training a model to serve")
        bench.train(bench.archive(_NAME), folder, cache=bench.warm_cache)
        run = folder / "run"
        said = bench.in_turn(
            {
                "ours": partial(_ours, bench, run, pictures),
                "keras": partial(_peer, bench, pictures, "keras_server"),
                "onnx": partial(_peer, bench, pictures, "onnx_server", run / "model.onnx"),
            }
        )
        long = bench.in_turn({"many": partial(_many, bench, run, pictures)}, repeats=1)["many"]
    return [*_speeds(said), *_latencies(said), *_endurance(long)]


def _ours(bench: Bench, run: Path, pictures: Path) -> Said:
    port = processes.free_port()
    command = [*processes.tellapart_command(), "serve", run, "--port", str(port), *_BODY]
    env = processes.our_environment(bench.warm_cache)
    with bench.serving(command, env, port):
        return _loads(bench, f"http://127.0.0.1:{port}/v1/predict", "picture", pictures)


def _peer(bench: Bench, pictures: Path, script: str, *arguments: Path) -> Said:
    port = processes.free_port()
    server = processes.PEERS / f"{script}.py"
    command = [processes.peers_python(), server, str(port), *arguments]
    url = f"http://127.0.0.1:{port}"
    with bench.serving(command, processes.peers_environment(), port):
        with urllib.request.urlopen(f"{url}/versions") as answer:
            versions = json.load(answer)
        return {**_loads(bench, f"{url}/predict", "file", pictures), "versions": versions}


def _loads(bench: Bench, url: str, field: str, pictures: Path) -> Said:
    wrk.load(url, field, pictures, clients=4, seconds=_SHORT)  # to warm up
    seconds = _SHORT if bench.small else _SECONDS
    return {
        str(clients): wrk.load(url, field, pictures, clients=clients, seconds=seconds)
        for clients in CLIENTS
    }


def _many(bench: Bench, run: Path, pictures: Path) -> Said:
    """Ten thousand requests, some of them hostile, and the memory before and after."""
    port = processes.free_port()
    command = [*processes.tellapart_command(), "serve", run, "--port", str(port), *_BODY]
    env = processes.our_environment(bench.warm_cache)
    url = f"http://127.0.0.1:{port}/v1/predict"
    with bench.serving(command, env, port) as memory:
        at_start = memory()
        _hostile(bench, url, _FEW, pictures)
        before = memory()
        said = _hostile(bench, url, _FEW if bench.small else _MANY, pictures)
        return {**said, "start_mb": at_start, "before_mb": before, "after_mb": memory()}


def _hostile(bench: Bench, url: str, count: int, pictures: Path) -> Said:
    return bench.ours("load", url, "picture", "16", str(count), pictures, cache=bench.warm_cache)


def _speeds(said: dict[str, list[Said]]) -> list[Line]:
    most = str(CLIENTS[-1])
    ours = [one[most] for one in said["ours"]]
    peers = {
        "keras": ("FastAPI and Keras predict, MobileNetV2", 4.0),
        "onnx": ("FastAPI, Pillow and ONNX Runtime, the same model", 1.3),
    }
    return [
        speed_line(
            f"`tellapart serve`, photos per second, {most} clients",
            ours,
            name,
            [one[most] for one in said[side]],
            Target("ratio", "at least", limit),
        )
        for side, (name, limit) in peers.items()
    ]


def _latencies(said: dict[str, list[Said]]) -> list[Line]:
    names = {"keras": "FastAPI and Keras", "onnx": "FastAPI and ONNX Runtime"}
    lines = [
        _beside(f"{which} of one photo, {clients} at once", clients, key, said, side, name)
        for clients in CLIENTS[:2]
        for which, key in (("Median latency", "p50_ms"), ("99th percentile", "p99_ms"))
        for side, name in names.items()
    ]
    spread = [one["16"]["p99_ms"] / one["16"]["p50_ms"] for one in said["ours"]]
    target = Target("value", "at most", 3.0)
    return [*lines, plain_line("99th percentile over median, 16 at once", "times", spread, target)]


def _beside(
    what: str, clients: int, key: str, said: dict[str, list[Said]], side: str, name: str
) -> Line:
    mine = [float(one[str(clients)][key]) for one in said["ours"]]
    others = [float(one[str(clients)][key]) for one in said[side]]
    return Line(
        what, "ms", median(mine), None, tuple(mine), name, median(others), tuple(others)
    )  # fmt: skip


def _endurance(said: Sequence[Said]) -> list[Line]:
    bad = [float(one["wrong"] + one["lost"]) for one in said]
    growth = [one["after_mb"] / one["before_mb"] for one in said]
    start, after = ([float(one[key]) for one in said] for key in ("start_mb", "after_mb"))
    return [
        plain_line(
            "Lost or wrong of 10,000 answers, 1 % cut off and 1 % oversized",
            "answers", bad, Target("value", "at most", 0),
        ),
        Line("Memory of the server at its start", "MB", median(start), None, tuple(start)),
        Line("Memory after 10,500 requests", "MB", median(after), None, tuple(after)),
        plain_line(
            "The same against memory after 500 requests", "times", growth,
            Target("value", "at most", 1.1),
        ),
    ]  # fmt: skip


SERVE = Row(
    name="serve",
    title="A served model under load, beside two plain FastAPI routes",
    how=(
        "`tellapart serve` of a probe on `cats-dogs-3k.zip` at 224, and two FastAPI routes that "
        "decode with Pillow: one calls Keras `predict` on MobileNetV2, one ONNX Runtime on the "
        "same `model.onnx`. Each is a process on the same machine as the client (wrk), which posts "
        f"forms of one photo on {', '.join(map(str, CLIENTS))} connections for {_SECONDS} s each "
        "after a warm-up, and sends the next as soon as the answer arrives. In the long run, a "
        "client that reads the answers posts 500 photos and then 10,000. Of these, one in a "
        "hundred is cut off, and one in a hundred has 3 MiB where 2 are allowed. Memory is "
        "anonymous memory."
    ),
    minutes=10,
    measure=_measure,
)
