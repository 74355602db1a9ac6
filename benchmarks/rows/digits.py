"""MNIST and Fashion-MNIST: dense and residual networks on small gray pictures."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from benchmarks.bench import Bench, Said
from benchmarks.measures import mean, median
from benchmarks.results import Line, Target
from benchmarks.rows.base import Row, plain_line
from benchmarks.rows.networks import (
    FLOAT32,
    QUARTER,
    accuracy_line,
    distance_line,
    epochs,
    seconds_line,
    time_line,
    train,
    whole,
)

_FASHION, _MNIST = "fashion-mnist", "mnist"
_NAMES = {_FASHION: "Fashion-MNIST", _MNIST: "MNIST"}
_PLAIN = "plain keras.fit"
_TIMED_EPOCHS, _LESSON_EPOCHS, _MOST_EPOCHS = 4, 10, 50
_CLASSIC_STOP = (
    *("--target", "0.99", "--target-on", "training", "--epochs", str(_MOST_EPOCHS)),
    *("--schedule", "constant", "--augment", "none", "--validation", "0"),
)


def _default(bench: Bench, data: Path, kind: str, seed: int) -> Said:
    return train(bench, data, "--model", kind, seed=seed)


def _plain(bench: Bench, data: Path, wanted: int, target: str, seed: int) -> Said:
    arguments = [epochs(bench, wanted), str(seed), *([target] if target else [])]
    return bench.peer("keras_dense", data, *arguments)


def _epoch(bench: Bench) -> list[Line]:
    data = bench.arrays(_FASHION)
    said = bench.by_seed(
        {
            "ours": partial(_four_epochs, bench, data),
            "keras": partial(_plain, bench, data, _TIMED_EPOCHS, ""),
        }
    )
    # The first epoch compiles, on both sides: the median leaves it out.
    ours, keras = ([median(one["epochs"]) for one in said[side]] for side in ("ours", "keras"))
    what = "Fashion-MNIST `dnn` 512-512, batches of 32, one epoch"
    return [time_line(what, "s", ours, Target("ratio", "at most", 0.6), _PLAIN, keras)]


def _four_epochs(bench: Bench, data: Path, seed: int) -> Said:
    options = ("--model", "dnn", "--units", "512,512", "--batch", "32", *FLOAT32)
    rest = ("--augment", "none", "--validation", "0", "--epochs", str(_TIMED_EPOCHS))
    return train(bench, data, *options, *rest, seed=seed)


def _fashion_dnn(bench: Bench) -> list[Line]:
    data = bench.arrays(_FASHION)
    said = bench.by_seed(
        {
            "ours": partial(_default, bench, data, "dnn"),
            "keras": partial(_plain, bench, data, _LESSON_EPOCHS, ""),
        }
    )
    ours, keras = said["ours"], said["keras"]
    name = f"{_PLAIN}, {_LESSON_EPOCHS} epochs"
    target = Target("value", "at least", 90.0)
    return [
        accuracy_line("Fashion-MNIST `dnn`, test accuracy", ours, target, name, keras),
        seconds_line("Fashion-MNIST `dnn`", ours, 90.0),
    ]


def _mnist_dnn(bench: Bench) -> list[Line]:
    data = bench.arrays(_MNIST)
    said = bench.by_seed(
        {
            "ours": partial(_default, bench, data, "dnn"),
            "classic": partial(_stopped, bench, data),
            "keras": partial(_plain, bench, data, _MOST_EPOCHS, "0.99"),
        }
    )
    ours, classic, keras = said["ours"], said["classic"], said["keras"]
    lesson = "MNIST `dnn` that stops at 99 % training accuracy"
    peer = f"{_PLAIN} with the classic callback"
    shown = [100 * one["shown_accuracy"] for one in classic]
    passes, others = ([float(len(one["epochs"])) for one in side] for side in (classic, keras))
    return [
        accuracy_line(
            "MNIST `dnn`, default recipe, test accuracy", ours, Target("value", "at least", 98.6)
        ),
        seconds_line("MNIST `dnn`, default recipe", ours, QUARTER),
        plain_line(
            f"{lesson}: training accuracy when it stopped",
            "%",
            shown,
            Target("value", "at least", 99.0),
        ),
        Line(
            f"{lesson}: epochs (mean of {len(passes)})",
            "epochs",
            mean(passes),
            None,
            tuple(passes),
            peer,
            mean(others),
            tuple(others),
        ),
        time_line(f"{lesson}: whole process", "s", whole(classic), None, peer, whole(keras)),
        accuracy_line(f"{lesson}: test accuracy", classic, None, peer, keras),
    ]


def _stopped(bench: Bench, data: Path, seed: int) -> Said:
    return train(bench, data, "--model", "dnn", *_CLASSIC_STOP, seed=seed)


def _resnet(bench: Bench, *, name: str, least: float, beyond: float | None) -> list[Line]:
    data = bench.arrays(name)
    said = bench.by_seed({"ours": partial(_default, bench, data, "resnet")})["ours"]
    what = f"{_NAMES[name]} `resnet`"
    lines = [
        accuracy_line(f"{what}, test accuracy", said, Target("value", "at least", least)),
        seconds_line(what, said, QUARTER),
    ]
    return lines if beyond is None else [*lines, distance_line(what, said, beyond)]


_TEST = (
    "`tellapart train FOLDER` on the folder of the four IDX files; each run has its own seed and "
    "a new cache. The test pictures (`t10k`) played no part in training or tuning: options were "
    "chosen on a validation slice of the training pictures. Accuracy is that of all 10,000 test "
    "pictures."
)

FASHION_EPOCH = Row(
    name="fashion_epoch",
    title="Fashion-MNIST dnn: an epoch against plain keras.fit",
    how=(
        "Seconds per epoch inside the process, from our `history.parquet` and from a callback in "
        f"the script; the median of {_TIMED_EPOCHS} epochs, so the first, which compiles, does not "
        "count. Both have two dense layers of 512, batches of 32 and Adam(1e-3) in float32. Ours "
        "has dropout of a fifth of the inputs after the first layer; the script has none, which "
        "makes it faster. The script is `model.fit` on arrays, as in Keras's documentation."
    ),
    minutes=7,
    measure=_epoch,
    long=True,
)

FASHION_DNN = Row(
    name="fashion_dnn",
    title="Fashion-MNIST dnn: test accuracy and time",
    how=(
        f"`--model dnn`, no other options. {_TEST} The peer is the classic script: `keras.fit` on "
        f"two layers of 512, Adam, batches of 32, {_LESSON_EPOCHS} epochs."
    ),
    minutes=10,
    measure=_fashion_dnn,
    long=True,
)

FASHION_RESNET = Row(
    name="fashion_resnet",
    title="Fashion-MNIST resnet: test accuracy and time",
    how=f"`--model resnet`, no other options. {_TEST}",
    minutes=48,
    measure=partial(_resnet, name=_FASHION, least=93.5, beyond=94.5),
    long=True,
)

MNIST_DNN = Row(
    name="mnist_dnn",
    title="MNIST dnn: test accuracy, and the run that stops at 99 %",
    how=(
        f"`--model dnn`, no other options; and `--model dnn {' '.join(_CLASSIC_STOP)}`. {_TEST} "
        "The peer of the second is the classic script: `keras.fit` on two layers of 512 with a "
        "callback that stops when an epoch's running training accuracy is 99 %. It has no dropout, "
        "so it needs fewer epochs."
    ),
    minutes=15,
    measure=_mnist_dnn,
    long=True,
)

MNIST_RESNET = Row(
    name="mnist_resnet",
    title="MNIST resnet: test accuracy and time",
    how=f"`--model resnet`, no other options. {_TEST}",
    minutes=48,
    measure=partial(_resnet, name=_MNIST, least=99.5, beyond=None),
    long=True,
)
