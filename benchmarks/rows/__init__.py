"""The rows: what is measured, how, and what is to be reached."""

from __future__ import annotations

from benchmarks.rows.accuracy import ACCURACY
from benchmarks.rows.base import Row
from benchmarks.rows.devices import DEVICES
from benchmarks.rows.digits import (
    FASHION_DNN,
    FASHION_EPOCH,
    FASHION_RESNET,
    MNIST_DNN,
    MNIST_RESNET,
)
from benchmarks.rows.features import FEATURES
from benchmarks.rows.kaggle import KAGGLE
from benchmarks.rows.large import LARGE
from benchmarks.rows.pets import OVERFIT, PETS_FINETUNE, PETS_RESNET
from benchmarks.rows.scan import SCAN
from benchmarks.rows.serve import SERVE
from benchmarks.rows.start import START
from benchmarks.rows.train import TRAIN, WARM

__all__ = ["ROWS", "Row"]

ROWS: tuple[Row, ...] = (
    *(SCAN, FEATURES, TRAIN, WARM, LARGE, START, ACCURACY, SERVE),
    *(KAGGLE, FASHION_EPOCH, FASHION_DNN, FASHION_RESNET, MNIST_DNN, MNIST_RESNET),
    *(OVERFIT, PETS_RESNET, PETS_FINETUNE, DEVICES),
)
"""All of them, in the order of the table."""
