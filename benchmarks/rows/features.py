"""How fast pictures become features."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from benchmarks.bench import Bench, Said
from benchmarks.results import Line, Target
from benchmarks.rows.base import Row, speed_line

_ARRAYS = 640
"""Pictures for the peer: their float32 arrays are 385 MB."""


def _measure(bench: Bench) -> list[Line]:
    archive = bench.archive("cats-dogs-3k.zip")
    said = bench.in_turn(
        {
            "ours": partial(_ours, bench, archive),
            "keras": partial(bench.peer, "keras_predict", str(32 if bench.small else _ARRAYS)),
        }
    )
    return [
        speed_line(
            f"Features at 224 of {bench.count(archive):,} pictures, decoding included",
            said["ours"],
            "Keras predict, MobileNetV2, ready arrays",
            said["keras"],
            Target("ratio", "at least", 3.0),
        )
    ]


def _ours(bench: Bench, data: Path) -> Said:
    with bench.fresh() as cache:
        return bench.ours("features", data, cache=cache)


FEATURES = Row(
    name="features",
    title="Features from files against Keras predict on ready arrays",
    how=(
        "`scan` of `cats-dogs-3k.zip` with the EfficientNet-Lite0 tap at 224 and no cache: "
        "reading, hashing, decoding and resizing are included. The peer is `predict` (batches of "
        f"32, after a warm-up batch) of Keras's `MobileNetV2(weights=None)` on {_ARRAYS} pictures "
        "that are already float32 arrays. Process start, imports and building the networks are "
        "excluded on both sides."
    ),
    minutes=2,
    measure=_measure,
)
