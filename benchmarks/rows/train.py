"""How long the whole main job takes, from nothing and again."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from benchmarks.bench import Bench, Said
from benchmarks.measures import median, paired_ratio
from benchmarks.results import Line, Target
from benchmarks.rows.base import Row, plain_line

_NAME = "cats-dogs-3k.zip"


def _cold(bench: Bench) -> list[Line]:
    archive = bench.archive(_NAME)
    pictures = bench.folder(_NAME) / "train"
    said = bench.in_turn(
        {
            "ours": partial(_train, bench, archive),
            "keras": partial(bench.peer, "keras_epochs", pictures),
        }
    )
    ours = [float(one["seconds"]) for one in said["ours"]]
    epochs = [median(one["epochs"]) for one in said["keras"]]
    return [
        Line(
            f"`tellapart train {_NAME}`, cold cache, whole process",
            "s",
            median(ours),
            Target("ratio", "under", 2.0),
            tuple(ours),
            "Keras, one epoch of the classic CNN",
            median(epochs),
            tuple(epochs),
            paired_ratio(ours, epochs),
            "of its epochs",
        )
    ]


def _warm(bench: Bench) -> list[Line]:
    archive = bench.archive(_NAME)
    fill = partial(_train, bench, archive, bench.warm_cache)
    bench.say("filling the cache")
    fill()
    said = bench.in_turn({"ours": fill})
    what = f"`tellapart train {_NAME}`, warm cache, whole process"
    seconds = [float(one["seconds"]) for one in said["ours"]]
    return [plain_line(what, "s", seconds, Target("value", "under", 8.0))]


def _train(bench: Bench, data: Path, cache: Path | None = None) -> Said:
    with bench.fresh() as folder:
        return bench.train(data, folder, cache=cache or folder / "cache")


TRAIN = Row(
    name="train",
    title="The whole main job, cold, against epochs of a classic CNN",
    how=(
        "The command from process start to exit, with a new cache, on all 3,000 pictures, up to "
        "model, metrics and report. The peer is one epoch of Keras's `ImageDataGenerator` (rescale "
        "1/255, 150x150, batches of 20, `flow_from_directory`) and a CNN of three convolutions "
        "(16, 32, 64, each with max pooling) and a dense layer of 512, RMSprop(1e-3), on the "
        "2,000 pictures of the training part. Three epochs run in one process, and their median "
        "counts, so the slow first epoch does not matter. The ratio is in epochs."
    ),
    minutes=7,
    measure=_cold,
)

WARM = Row(
    name="warm",
    title="The same again, with the cache filled",
    how="The same command, process start included, after an uncounted run has filled the cache.",
    minutes=1.5,
    measure=_warm,
)
