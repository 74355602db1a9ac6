"""2,000 cats and dogs: overfitting shown, from scratch with augmentation, and fine-tuned."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks.bench import Bench, Said
from benchmarks.measures import mean
from benchmarks.results import Line, Target
from benchmarks.rows.base import Row
from benchmarks.rows.networks import (
    CLASSIC,
    CLASSIC_EPOCHS,
    QUARTER,
    accuracy_line,
    distance_line,
    seconds_line,
    train,
)

_NAME = "cats-dogs-3k.zip"
_WHAT = "`cats-dogs-3k`"


def _overfit(bench: Bench) -> list[Line]:
    archive = bench.archive(_NAME)
    said = bench.by_seed(
        {
            "ours": partial(_classic, bench, archive),
            "probe": partial(_probe, bench, archive),
        }
    )
    ours, probe = said["ours"], said["probe"]
    trained = [100 * one["train_accuracy"] for one in ours]
    name = f"{_WHAT} `cnn`, no augmentation"
    return [
        _verdicts(f"{name}: verdict `overfitting`", ours, "overfitting"),
        _verdicts(f"{_WHAT} probe, the same pictures: verdict `healthy`", probe, "healthy"),
        Line(
            f"{name}: training accuracy (mean of {len(trained)})",
            "%",
            mean(trained),
            None,
            tuple(trained),
        ),
        accuracy_line(f"{name}: held-out accuracy", ours, None),
    ]


def _classic(bench: Bench, data: Path, seed: int) -> Said:
    return train(bench, data, *CLASSIC, "--epochs", str(CLASSIC_EPOCHS), seed=seed)


def _probe(bench: Bench, data: Path, seed: int) -> Said:
    return train(bench, data, seed=seed)


def _verdicts(what: str, said: Sequence[Said], wanted: str) -> Line:
    given = sum(one["verdict"] == wanted for one in said)
    target = Target("value", "at least", float(len(said)))
    return Line(what, f"of {len(said)} runs", float(given), target)


def _resnet(bench: Bench) -> list[Line]:
    said = _trained(bench, "resnet")
    name = f"{_WHAT} `resnet` from scratch"
    return [
        accuracy_line(f"{name}, held-out accuracy", said, Target("value", "at least", 82.0)),
        seconds_line(name, said, QUARTER),
        distance_line(name, said, 87.0),
    ]


def _finetune(bench: Bench) -> list[Line]:
    said = _trained(bench, "finetune")
    name = f"{_WHAT} `finetune`, held-out accuracy"
    return [accuracy_line(name, said, Target("value", "at least", 98.5))]


def _trained(bench: Bench, kind: str) -> list[Said]:
    side = partial(_train, bench, bench.archive(_NAME), kind)
    return bench.by_seed({"ours": side})["ours"]


def _train(bench: Bench, data: Path, kind: str, seed: int) -> Said:
    return train(bench, data, "--model", kind, seed=seed)


_HELD_OUT = (
    "The part `validation/` (1,000 pictures) is held out and played no part in training or "
    "tuning: options were chosen on a validation slice of the 2,000 training pictures. Each run "
    "has its own seed and a new cache."
)

OVERFIT = Row(
    name="overfit",
    title="The classic overfit on 2,000 photos, and the probe on the same",
    how=(
        f"`tellapart train {_NAME} {' '.join(CLASSIC)} --epochs {CLASSIC_EPOCHS}`, and `tellapart "
        f"train {_NAME}` (the probe). The verdict in `metrics.json` is compared. {_HELD_OUT}"
    ),
    minutes=6,
    measure=_overfit,
    long=True,
)

PETS_RESNET = Row(
    name="pets_resnet",
    title="2,000 photos: resnet from scratch with augmentation",
    how=f"`tellapart train {_NAME} --model resnet`, no other options. {_HELD_OUT}",
    minutes=48,
    measure=_resnet,
    long=True,
)

PETS_FINETUNE = Row(
    name="pets_finetune",
    title="2,000 photos: finetune",
    how=f"`tellapart train {_NAME} --model finetune`, no other options. {_HELD_OUT}",
    minutes=48,
    measure=_finetune,
    long=True,
)
