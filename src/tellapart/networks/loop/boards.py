"""TensorBoard logs, through Keras's own callback."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from tellapart.core.errors import SettingsError
from tellapart.networks.loop import backend
from tellapart.networks.process.events import EpochRow

FOLDER = "tensorboard"


class Board:
    """Writes one point an epoch.

    The callback is called by hand: the loop calls ``fit`` several times an epoch.

    Args:
        model: The Keras model, compiled.
        folder: Logs go to its sub-folder ``tensorboard``.

    Raises:
        SettingsError: With code ``tensorboard_missing`` if it cannot be used.
    """

    def __init__(self, model: Any, folder: Path) -> None:
        check()
        try:
            made = backend.keras().callbacks.TensorBoard(str(folder / FOLDER), write_graph=False)
            made.set_model(model)
            made.on_train_begin()
            _ = made.summary
        except Exception as error:
            raise _missing(str(error)) from None
        self._callback = made

    def epoch(self, row: EpochRow) -> None:
        """Write the point of an epoch."""
        logs = {"loss": row.loss, "accuracy": row.accuracy, "learning_rate": row.learning_rate}
        if row.validation_loss is not None and row.validation_accuracy is not None:
            logs |= {"val_loss": row.validation_loss, "val_accuracy": row.validation_accuracy}
        try:
            self._callback.on_epoch_end(row.epoch, logs)
        except Exception as error:
            raise _missing(str(error)) from None

    def close(self) -> None:
        """Write out what is left."""
        self._callback.on_train_end()


def check() -> None:
    """Refuse where the package is missing: Keras imports it at its first point only, too late.

    Raises:
        SettingsError: With code ``tensorboard_missing``.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise _missing("the package is not installed")


def _missing(why: str) -> SettingsError:
    return SettingsError(
        f"--tensorboard cannot write its logs: {why}.",
        remedy="Run: pip install tensorboard tensorflow, or leave --tensorboard away.",
        code="tensorboard_missing",
    )
