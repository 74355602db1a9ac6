"""The classic convolutional network on 2,002 photographs, against the classic scripts."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from benchmarks.bench import Bench, Said
from benchmarks.results import Line, Target
from benchmarks.rows.base import Row
from benchmarks.rows.networks import (
    CLASSIC,
    CLASSIC_EPOCHS,
    FLOAT32,
    accuracy_line,
    epochs,
    time_line,
    train,
    whole,
)

_NAME = "cats-dogs-kaggle-2k.zip"
_WHAT = f"`cnn` 16-32-64-512, {CLASSIC_EPOCHS} epochs, 2,002 Kaggle photos"
_GENERATOR, _DATASET = "Keras ImageDataGenerator", "Keras image_dataset_from_directory, cached"

FROM_SCRATCH = ("--model", "resnet")
"""The best of our networks from scratch in so short a time, chosen on the validation slice."""
REST = 15.0
"""Seconds of a fifth that are not given to training but to starting, reading and measuring."""


def _script(bench: Bench, script: str, data: Path, seed: int) -> Said:
    return bench.peer(script, data, epochs(bench, CLASSIC_EPOCHS), str(seed))


def _ours(bench: Bench, data: Path, precision: tuple[str, str], seed: int) -> Said:
    options = (*CLASSIC, *precision, "--epochs", str(CLASSIC_EPOCHS))
    return train(bench, data, *options, seed=seed)


def _generator(bench: Bench) -> list[Line]:
    data = bench.in_parts(_NAME)
    said = bench.by_seed(
        {
            "ours": partial(_ours, bench, data, FLOAT32),
            "keras": partial(_script, bench, "keras_generator", data),
        }
    )
    ours, keras = said["ours"], said["keras"]
    return [
        time_line(
            f"{_WHAT}, whole process",
            "s",
            whole(ours),
            Target("ratio", "at most", 0.6),
            _GENERATOR,
            whole(keras),
        ),
        accuracy_line(
            f"{_WHAT}, held-out accuracy",
            ours,
            Target("difference", "at least", -2.0),
            _GENERATOR,
            keras,
        ),
    ]


def _dataset(bench: Bench) -> list[Line]:
    data = bench.in_parts(_NAME)
    said = bench.by_seed(
        {
            "ours": partial(_ours, bench, data, FLOAT32),
            "keras": partial(_script, bench, "keras_dataset", data),
            "bfloat16": partial(_ours, bench, data, ("--precision", "mixed_bfloat16")),
        }
    )
    keras, half = said["keras"], said["bfloat16"]
    name = f"{_WHAT}, whole process"
    target = Target("ratio", "at most", 1.05)
    return [
        time_line(f"{name}, float32", "s", whole(said["ours"]), target, _DATASET, whole(keras)),
        time_line(f"{name}, mixed_bfloat16", "s", whole(half), None, _DATASET, whole(keras)),
        accuracy_line(f"{_WHAT}, held-out, float32", said["ours"], None, _DATASET, keras),
        accuracy_line(f"{_WHAT}, held-out, mixed_bfloat16", half, None, _DATASET, keras),
    ]


def _fifth(bench: Bench) -> list[Line]:
    data = bench.in_parts(_NAME)
    said = bench.by_seed(
        {
            "keras": partial(_script, bench, "keras_generator", data),
            "ours": partial(_in_a_fifth, bench, data),
        }
    )
    name = f"`{' '.join(FROM_SCRATCH)}` from scratch in a fifth of the time, 2,002 Kaggle photos"
    ours, keras = said["ours"], said["keras"]
    return [
        accuracy_line(
            f"{name}, held-out accuracy",
            ours,
            Target("difference", "at least", 0.0),
            _GENERATOR,
            keras,
        ),
        time_line(
            f"{name}, whole process",
            "s",
            whole(ours),
            Target("ratio", "at most", 0.2),
            _GENERATOR,
            whole(keras),
        ),
    ]


def _in_a_fifth(bench: Bench, data: Path, seed: int) -> Said:
    # The script of this turn has just run: its whole time is what a fifth is taken of.
    fifth = bench.raw["keras"][seed]["process_seconds"] / 5
    budget = 600.0 if bench.small else max(fifth - REST, 1.0)
    return train(bench, data, *FROM_SCRATCH, "--budget", f"{budget:.1f}s", seed=seed)


_PARTS = (
    "The 2,002 photos lie in class folders, one in five of each class (drawn once, with a fixed "
    "seed) below `validation/`, and both sides get that folder, 150x150, batches of 32, Adam(1e-3)."
)

GENERATOR = Row(
    name="generator",
    title="The classic CNN against a script with ImageDataGenerator",
    how=(
        f"`tellapart train FOLDER {' '.join(CLASSIC)} --precision float32 --epochs "
        f"{CLASSIC_EPOCHS} --seed N`, new cache, from process start to exit: reading, hashing, "
        "checks, training, the measuring of all pictures with `model.onnx`, and the report. "
        "Against a script with the same layers that reads by `ImageDataGenerator(rescale=1/255)` "
        "and `flow_from_directory`, fits as many epochs and evaluates once; it does not validate "
        f"after each epoch, which would cost it more. {_PARTS} Each turn has a seed of its own "
        "on both sides. Accuracy is of all held-out pictures on both sides."
    ),
    minutes=20,
    measure=_generator,
    long=True,
)

DATASET = Row(
    name="dataset",
    title="The same against image_dataset_from_directory with a cache",
    how=(
        "The same command, against a script that reads by `image_dataset_from_directory`, "
        "`.cache().prefetch(AUTOTUNE)` (it decodes once too) and scales in the network. Our "
        "`--precision mixed_bfloat16` runs beside, in the same turns. " + _PARTS
    ),
    minutes=20,
    measure=_dataset,
    long=True,
)

FIFTH = Row(
    name="fifth",
    title="The best from scratch in a fifth of that script's time",
    how=(
        "In each turn the script with `ImageDataGenerator` runs first, 15 epochs; then `tellapart "
        f"train FOLDER {' '.join(FROM_SCRATCH)} --budget B`, new cache, with a fifth of the "
        f"script's whole time less {REST:g} s for what is not training. The whole process has to "
        "end within the fifth. The network was chosen on a validation slice of the training "
        "part. " + _PARTS
    ),
    minutes=16,
    measure=_fifth,
    long=True,
)
