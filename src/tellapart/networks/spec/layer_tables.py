"""The layers of each network, from the pixels to the input of the logits."""

from __future__ import annotations

from collections.abc import Sequence

from tellapart.graph import Layer
from tellapart.graph.layers import Add, Conv, Dense, Flatten, GlobalAveragePool, MaxPool, Scale
from tellapart.transfer import backbones

FEATURE_MAP = "feature_map"
"""The last map of a network that ends in the map's mean and one dense layer."""

BACKBONE = "efficientnet-lite0"


def linear() -> list[Layer]:
    """The pixels in a row."""
    return [Scale("scaled"), Flatten("pixels")]


def dnn(units: Sequence[int], dropout: float) -> list[Layer]:
    """Dense layers on the pixels; dropout starts after the first one."""
    layers = linear()
    for number, wide in enumerate(units, 1):
        dropped = dropout if number > 1 else 0.0
        layers.append(Dense(f"dense{number}", units=wide, activation="relu", dropout=dropped))
    return layers


def cnn(filters: Sequence[int], units: Sequence[int], dropout: float) -> list[Layer]:
    """An unpadded convolution and a maximum, a few times, then dense layers."""
    layers: list[Layer] = [Scale("scaled")]
    for number, wide in enumerate(filters, 1):
        layers += [
            Conv(f"conv{number}", filters=wide, kernel=3, activation="relu", padding="valid"),
            MaxPool(f"pool{number}"),
        ]
    layers.append(Flatten("flat"))
    for number, wide in enumerate(units, 1):
        layers.append(Dense(f"dense{number}", units=wide, activation="relu", dropout=dropout))
    return layers


def resnet(widths: Sequence[int], blocks: Sequence[int], *, halve: bool) -> list[Layer]:
    """A stem, then stages that halve the map and continue in residual blocks, then the mean.

    Args:
        widths: Channels of the stem and of each stage.
        blocks: Residual blocks in each stage, one number fewer than widths.
        halve: Whether the stem halves the picture as well.
    """
    # Levels between -1 and 1, as the first normalization expects.
    layers: list[Layer] = [
        Scale("scaled", scale=1 / 128, zero=128),
        _normed("stem", widths[0], stride=2 if halve else 1),
    ]
    for stage, (wide, repeats) in enumerate(zip(widths[1:], blocks, strict=True), 1):
        ending = stage == len(blocks)
        down = FEATURE_MAP if ending and not repeats else f"stage{stage}/down"
        layers.append(_normed(down, wide, stride=2))
        for repeat in range(1, repeats + 1):
            name, before = f"stage{stage}/block{repeat}", layers[-1].name
            total = FEATURE_MAP if ending and repeat == repeats else f"{name}/sum"
            layers += [
                _normed(f"{name}/first", wide),
                Conv(f"{name}/second", filters=wide, kernel=3, norm=True),
                Add(total, inputs=(f"{name}/second", before), activation="relu"),
            ]
    return [*layers, GlobalAveragePool("pooled")]


def finetune(size: int) -> list[Layer]:
    """The pretrained network up to its features."""
    return list(backbones.get(BACKBONE).graph(size).layers)


def _normed(name: str, filters: int, *, stride: int = 1) -> Conv:
    return Conv(name, filters=filters, kernel=3, stride=stride, activation="relu", norm=True)
