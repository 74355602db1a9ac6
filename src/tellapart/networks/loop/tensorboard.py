"""TensorBoard logs, through Keras's own callback."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from tellapart.core.errors import SettingsError
from tellapart.networks.loop import backend
from tellapart.networks.process.events import EpochRow

FOLDER = "tensorboard"


class EpochLog:
    """Writes one point per epoch.

    The callback is called by hand, since the loop calls ``fit`` several times per epoch.

    Args:
        model: The compiled Keras model.
        folder: Logs go to its sub-folder ``tensorboard``.

    Raises:
        SettingsError: With code ``tensorboard_missing`` if logs cannot be written.
    """

    def __init__(self, model: Any, folder: Path) -> None:
        check()
        try:
            callback = backend.keras().callbacks.TensorBoard(
                str(folder / FOLDER), write_graph=False
            )
            callback.set_model(model)
            callback.on_train_begin()
            _ = callback.summary
        except Exception as error:
            raise _missing(str(error)) from None
        self._callback = callback

    def write(self, row: EpochRow) -> None:
        """Write the point of an epoch."""
        logs = {"loss": row.loss, "accuracy": row.accuracy, "learning_rate": row.learning_rate}
        if row.validation_loss is not None and row.validation_accuracy is not None:
            logs |= {"val_loss": row.validation_loss, "val_accuracy": row.validation_accuracy}
        try:
            self._callback.on_epoch_end(row.epoch, logs)
        except Exception as error:
            raise _missing(str(error)) from None

    def close(self) -> None:
        """Write what is still buffered."""
        self._callback.on_train_end()


def check() -> None:
    """Refuse early if the package is missing: Keras imports it only at its first point.

    Raises:
        SettingsError: With code ``tensorboard_missing``.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise _missing("the package is not installed")


def _missing(why: str) -> SettingsError:
    return SettingsError(
        f"--tensorboard cannot write its logs: {why}.",
        remedy="Run: pip install tensorboard tensorflow, or omit --tensorboard.",
        code="tensorboard_missing",
    )
