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
    accuracy_line,
    epochs,
    time_line,
    train,
    whole,
)

_NAME = "cats-dogs-kaggle-2k.zip"
_WHAT = f"`cnn` 16-32-64-512, {CLASSIC_EPOCHS} epochs, 2,002 Kaggle photos"
_GENERATOR, _DATASET = "Keras ImageDataGenerator", "Keras image_dataset_from_directory, cached"

FROM_SCRATCH = (
    *("--model", "cnn", "--size", "64", "--filters", "16,32,64", "--units", "128"),
    *("--augment", "flip,shift=0.1", "--validation", "0", "--epochs", "25"),
)
"""The best of our networks from scratch in so short a time, chosen on a validation slice."""
REST = 5.0
"""Seconds of a fifth that are not training: Python's start, reading, measuring, the report."""


def _script(bench: Bench, script: str, data: Path, seed: int) -> Said:
    return bench.peer(script, data, epochs(bench, CLASSIC_EPOCHS), str(seed))


def _ours(bench: Bench, data: Path, precision: str, seed: int) -> Said:
    options = (*CLASSIC, "--precision", precision, "--epochs", str(CLASSIC_EPOCHS))
    return train(bench, data, *options, seed=seed)


def _in_a_fifth(bench: Bench, data: Path, seed: int) -> Said:
    # The script of this turn has just run: its whole time is what a fifth is taken of.
    fifth = bench.raw["generator"][seed]["process_seconds"] / 5
    budget = 600.0 if bench.small else max(fifth - REST, 1.0)
    return train(bench, data, *FROM_SCRATCH, "--budget", f"{budget:.1f}s", seed=seed)


def _classic(bench: Bench) -> list[Line]:
    data = bench.in_parts(_NAME)
    said = bench.by_seed(
        {
            "generator": partial(_script, bench, "keras_generator", data),
            "fifth": partial(_in_a_fifth, bench, data),
            "float32": partial(_ours, bench, data, "float32"),
            "dataset": partial(_script, bench, "keras_dataset", data),
            "bfloat16": partial(_ours, bench, data, "mixed_bfloat16"),
        }
    )
    single, half, quick = said["float32"], said["bfloat16"], said["fifth"]
    generator, dataset = said["generator"], said["dataset"]
    name, accuracy = f"{_WHAT}, whole process", f"{_WHAT}, held-out accuracy"
    scratch = "From scratch in a fifth of that time, 2,002 Kaggle photos"
    times = (
        (f"{name}, `mixed_bfloat16`", half, 0.6, _GENERATOR, generator),
        (f"{name}, float32", single, 0.6, _GENERATOR, generator),
        (f"{name}, float32", single, 1.05, _DATASET, dataset),
        (f"{name}, `mixed_bfloat16`", half, None, _DATASET, dataset),
        (f"{scratch}, whole process", quick, 0.2, _GENERATOR, generator),
    )
    accuracies = (
        (f"{accuracy}, `mixed_bfloat16`", half, -2.0, _GENERATOR, generator),
        (f"{accuracy}, float32", single, -2.0, _GENERATOR, generator),
        (f"{accuracy}, float32", single, None, _DATASET, dataset),
        (f"{scratch}, held-out accuracy", quick, 0.0, _GENERATOR, generator),
    )
    return [
        time_line(
            what,
            "s",
            whole(ours),
            None if most is None else Target("ratio", "at most", most),
            peer,
            whole(theirs),
        )
        for what, ours, most, peer, theirs in times
    ] + [
        accuracy_line(
            what,
            ours,
            None if least is None else Target("difference", "at least", least),
            peer,
            theirs,
        )
        for what, ours, least, peer, theirs in accuracies
    ]


KAGGLE = Row(
    name="kaggle",
    title="The classic CNN on photographs against the classic scripts",
    how=(
        f"`tellapart train FOLDER {' '.join(CLASSIC)} --epochs {CLASSIC_EPOCHS} --seed N` with "
        "`--precision float32` and with `mixed_bfloat16`, new cache, from process start to exit: "
        "reading, hashing, checks, training, measuring all pictures with `model.onnx`, and the "
        "report. The peers are two scripts with the same layers, batches of 32 and Adam(1e-3). One "
        "reads with `ImageDataGenerator(rescale=1/255)` and `flow_from_directory`, the other with "
        "`image_dataset_from_directory` and `.cache().prefetch(AUTOTUNE)`, which decodes once as "
        "well. Both fit as many epochs in float32, so a line on `mixed_bfloat16` compares two "
        "precisions. They evaluate once; validation after each epoch would cost them more. "
        "All sides get the same folder of the 2,002 photos: class folders, with one in five "
        "pictures of each class (drawn once, with a fixed seed) below `validation/`. In each turn, "
        "all sides have a seed of their own. Accuracy is that of all held-out pictures. In a fifth "
        f"of the time: `tellapart train FOLDER {' '.join(FROM_SCRATCH)} --budget B` right after "
        f"the first script. B is a fifth of the script's whole time, less {REST:g} s for what is "
        "not training; the whole process has to end within the fifth. Network and size were chosen "
        "on a validation slice of the training part."
    ),
    minutes=20,
    measure=_classic,
    long=True,
)
