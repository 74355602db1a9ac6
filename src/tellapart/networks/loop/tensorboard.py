"""TensorBoard logs, through Keras's own callback."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from tellapart.core.errors import SettingsError
from tellapart.networks.loop import backend
from tellapart.networks.process.events import EpochRow

FOLDER = "tensorboard"
PACKAGES = ("tensorboard", "tensorflow")
"""Keras writes its logs through TensorFlow, whatever engine it runs on."""


class EpochLog:
    """Writes one point per epoch.

    The callback is called by hand, since the loop calls ``fit`` several times per epoch.

    Args:
        model: The compiled Keras model.
        folder: Logs go to its sub-folder ``tensorboard``.

    Raises:
        SettingsError: With code ``tensorboard_missing`` if a package is missing.
    """

    def __init__(self, model: Any, folder: Path) -> None:
        check()
        callbacks = backend.keras().callbacks
        self._callback = callbacks.TensorBoard(str(folder / FOLDER), write_graph=False)
        self._callback.set_model(model)
        self._callback.on_train_begin()

    def write(self, row: EpochRow) -> None:
        """Write the point of an epoch."""
        logs = {"loss": row.loss, "accuracy": row.accuracy, "learning_rate": row.learning_rate}
        if row.validation_loss is not None and row.validation_accuracy is not None:
            logs |= {"val_loss": row.validation_loss, "val_accuracy": row.validation_accuracy}
        self._callback.on_epoch_end(row.epoch, logs)

    def close(self) -> None:
        """Write what is still buffered."""
        self._callback.on_train_end()


def check() -> None:
    """Refuse early if a package is missing: Keras imports them only at its first point.

    Raises:
        SettingsError: With code ``tensorboard_missing``.
    """
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise SettingsError(
            f"--tensorboard needs packages that are not installed: {', '.join(missing)}.",
            remedy=f"Run: pip install {' '.join(missing)}, or omit --tensorboard.",
            code="tensorboard_missing",
        )
