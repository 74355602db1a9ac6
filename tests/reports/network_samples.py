"""Made-up but plausible views of networks, for the tests of their sections."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tellapart.reports.network_views import (
    AugmentedRow,
    Candidate,
    EpochRow,
    FeatureMap,
    Layer,
    LearningView,
    Stage,
)

RECIPE = (
    ("Epochs", "15"), ("Batch", "32"), ("Optimizer", "adam, learning rate 0.001"),
    ("Schedule", "constant"), ("Label smoothing", "0"), ("Seed", "0"),
)  # fmt: skip


def history(
    epochs: int, *, start: float, end: float, worst: float | None, overfit: float = 0.0,
    rate: float = 1e-3, seed: int = 0,
) -> list[EpochRow]:  # fmt: skip
    """Accuracy from ``start`` to ``end``; validation reaches ``worst`` and its loss rises."""
    draw = np.random.default_rng(seed)
    rows = []
    for epoch in range(1, epochs + 1):
        done = 1 - math.exp(-4.2 * (epoch - 1) / max(epochs - 1, 1))
        accuracy = min(start + (end - start) * done / (1 - math.exp(-4.2)), 1.0)
        loss = 2.2 * (1 - accuracy) + 0.01 + abs(float(draw.normal(0, 0.01)))
        checked = None if worst is None else start + (worst - start) * min(2.2 * done, 1.0)
        rows.append(
            EpochRow(
                epoch, loss, accuracy,
                None if checked is None
                else 1.6 * (1 - checked) + overfit * done**3 + float(draw.normal(0, 0.03)),
                None if checked is None else checked + float(draw.normal(0, 0.012)),
                rate * (0.5 + 0.5 * math.cos(math.pi * (epoch - 1) / epochs)),
            )
        )  # fmt: skip
    return rows


def picture(size: int, seed: int = 0, channels: int = 3) -> NDArray[np.uint8]:
    """Soft stripes with a disc, uint8 ``[size, size, channels]``."""
    draw = np.random.default_rng(seed)
    y, x = np.mgrid[0:size, 0:size] / size
    turn = draw.uniform(0, math.pi)
    waves = np.sin(9 * (x * math.cos(turn) + y * math.sin(turn)))[..., None]
    disc = ((x - draw.uniform(0.3, 0.7)) ** 2 + (y - draw.uniform(0.3, 0.7)) ** 2 < 0.06)[..., None]
    color = draw.uniform(40, 200, 3)
    made = (color + 35 * waves) * (1 - disc) + disc * draw.uniform(60, 250, 3)
    made = made + draw.normal(0, 4, made.shape)
    return np.clip(made[..., :channels], 0, 255).astype(np.uint8)


def varied(count: int, size: int) -> list[AugmentedRow]:
    """Pictures with seven variations each."""
    rows = []
    for index in range(count):
        original = picture(size, index)
        draw = np.random.default_rng(index)
        shown = [
            np.roll(original[:, :: 1 if k % 2 else -1], tuple(draw.integers(-20, 20, 2)), (0, 1))
            for k in range(7)
        ]
        rows.append(AugmentedRow(original, shown))
    return rows


def maps(layers: Sequence[tuple[str, int, int]], seed: int = 0) -> list[FeatureMap]:
    """Smooth positive maps of ``(name, side, count)``, some of them silent."""
    draw = np.random.default_rng(seed)
    made = []
    for name, side, count in layers:
        base = picture(side, seed)[..., 0].astype(np.float32)
        values = np.stack([np.roll(base, k, 1) * draw.normal() for k in range(count)], axis=-1)
        values = np.maximum(values - values.mean(axis=(0, 1)), 0)
        values[..., draw.random(count) < 0.12] = 0
        made.append(FeatureMap(name, values.astype(np.float32)))
    return made


def filters(count: int, side: int, channels: int = 3, seed: int = 0) -> NDArray[np.uint8]:
    """Oriented edges, uint8 ``[count, side, side, channels]``."""
    draw = np.random.default_rng(seed)
    return draw.integers(0, 256, (count, side, side, channels), dtype=np.uint8)


def cnn() -> LearningView:
    """Three convolutions that learn 2,000 photographs by heart."""
    rows = history(15, start=0.53, end=0.998, worst=0.735, overfit=1.1)
    sides = ("74 × 74 × 16", "36 × 36 × 32", "17 × 17 × 64")
    return LearningView(
        network="cnn",
        history=rows,
        sentences=("It trained all of its 15 epochs.",),
        recipe=RECIPE,
        best_epoch=5,
        validation_n=321,
        target=0.99,
        layers=[
            layer
            for k, (shape, count) in enumerate(zip(sides, (448, 4640, 18496), strict=True), 1)
            for layer in (Layer(f"conv_{k}", "convolution 3 × 3, relu", shape, count),
                          Layer(f"pool_{k}", "largest of 2 × 2", shape, 0))
        ] + [Layer("dense_1", "dense, relu", "512", 9470464), Layer("logits", "dense", "2", 1026)],
        parameters=9_495_074,
        augment_sentence="Pictures are shown as they are.",
        filters=filters(16, 3),
        feature_picture=picture(150, 3),
        feature_path="validation/cats/cat.2004.jpg",
        feature_maps=maps([("conv_1", 148, 16), ("pool_1", 74, 16), ("conv_2", 72, 32),
                           ("pool_2", 36, 32), ("conv_3", 34, 64), ("pool_3", 17, 64)]),
    )  # fmt: skip


def resnet() -> LearningView:
    """A healthy one: varied pictures, a schedule, a finder, the best epoch kept."""
    draw = np.random.default_rng(4)
    rates = np.geomspace(1e-5, 3, 90)
    losses = 0.7 - 0.22 / (1 + np.exp(-3 * (np.log10(rates) + 2)))
    losses = losses + np.exp(6 * (np.log10(rates) - 0.05)) + draw.normal(0, 0.006, 90)
    return LearningView(
        network="resnet",
        history=history(40, start=0.55, end=0.872, worst=0.868, rate=0.2, seed=2),
        sentences=("It stopped after 40 of 60 epochs: the validation loss had not fallen for 8.",
                   "The weights of epoch 32 were kept."),
        recipe=RECIPE, best_epoch=32, best_kept=True, validation_n=200,
        finder=[*zip(rates.tolist(), losses.tolist(), strict=True), (4.0, math.inf)],
        chosen_rate=0.08,
        layers=[Layer(f"block_{k}_conv", "convolution 3 × 3, relu", "32 × 32 × 64", 36928)
                for k in range(20)],
        parameters=2_777_674,
        augment_sentence="Each picture is mirrored half of the time, shifted by up to 10 %, "
        "turned by up to 15 degrees and zoomed from 0.8 to 1.25.",
        augment_rows=varied(4, 96),
        filters=filters(64, 5),
        feature_picture=picture(96, 5),
        feature_maps=maps([(f"block_{k}", max(96 >> (k // 3), 3), 64) for k in range(14)]),
    )  # fmt: skip


def finetune() -> LearningView:
    """A pretrained network, its layers let go in stages."""
    return LearningView(
        network="finetune",
        history=history(12, start=0.94, end=0.992, worst=0.987, rate=1e-4, seed=3),
        sentences=("It trained all of its 12 epochs in three stages.",),
        recipe=RECIPE, best_epoch=9, best_kept=True, validation_n=200,
        stages=[Stage(1, "head only"), (5, "from stage 6 up"), Stage(11, "all layers")],
        layers=[Layer(f"block_{k}", "inverted residual", "7 × 7 × 320", 90000) for k in range(80)],
        parameters=3_412_994,
        augment_sentence="Each picture is mirrored half of the time.",
        augment_rows=[tuple(row) for row in varied(2, 224)],
        filters=filters(32, 3),
        feature_maps=maps([("stem", 112, 32), ("stage_7", 7, 320)]),
    )  # fmt: skip


def exploded() -> LearningView:
    """Stopped where the loss was no number."""
    rows = history(4, start=0.5, end=0.6, worst=0.58)
    return LearningView(
        network="dnn",
        history=[*rows, EpochRow(5, 4.1e8, 0.5, 9.9e9, 0.5, 1.0),
                 EpochRow(6, math.nan, 0.5, math.nan, 0.5, 1.0)],
        sentences=("The loss was no number in epoch 6; the weights of epoch 4 were kept. "
                   "Try a smaller learning rate: --lr 0.0003.",),
        best_epoch=4, best_kept=True, validation_n=100,
    )  # fmt: skip


def gray() -> LearningView:
    """Digits: one channel, no validation slice, stopped at a target."""
    return LearningView(
        network="cnn",
        history=history(5, start=0.91, end=0.9911, worst=None),
        sentences=("It stopped after epoch 5: the training accuracy reached 99 %. Only the "
                   "training accuracy did; the held-out one is above.",),
        target=0.99,
        filters=filters(16, 3, channels=1),
        feature_picture=picture(28, 1, 1).repeat(3, axis=2),
        feature_maps=[("conv_1", maps([("conv_1", 26, 16)])[0].values)],
    )  # fmt: skip


CASES = {
    "cnn": cnn,
    "resnet": resnet,
    "finetune": finetune,
    "exploded": exploded,
    "gray": gray,
    "one epoch": lambda: LearningView(
        network="linear", history=history(1, start=0.7, end=0.7, worst=0.68), best_epoch=1
    ),
    "long": lambda: LearningView(
        network="dnn", history=history(300, start=0.2, end=0.93, worst=0.9, overfit=0.2),
        best_epoch=211, validation_n=6000, filters=filters(8, 1),
    ),
    "very long": lambda: LearningView(
        network="dnn", history=history(5000, start=0.2, end=0.93, worst=0.9), best_epoch=4999
    ),
    "nothing": lambda: LearningView(network="cnn"),
}  # fmt: skip


CANDIDATES = (
    Candidate("probe", 0.986, (0.979, 0.991), 1600, 19.4, chosen=True),
    Candidate("finetune", 0.981, (0.965, 0.990), 321, 71.0),
    Candidate("cnn", 0.735, (0.684, 0.780), 321, 24.8, note="12 of 15 epochs fitted the budget"),
    Candidate("resnet", note="not tried: one epoch takes 2 min 40 s, more than the budget left"),
)
