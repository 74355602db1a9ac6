"""Checkpoints: everything that a training needs to go on as if it had never stopped.

One file, ``checkpoint.npz``, replaced atomically: all variables of model and optimizer (the
states of random generators too), the best weights where they may be wanted back, and a
:class:`State`.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from tellapart.core.errors import RunError
from tellapart.networks.loop.stopping import Patience
from tellapart.networks.process.events import EpochRow
from tellapart.networks.spec.arrays import load_arrays, save_arrays
from tellapart.networks.spec.recipes import Stage

NAME = "checkpoint.npz"
SCHEMA = 1
_STATE = "state.json"

Arrays = dict[str, NDArray[Any]]
Stopped = Literal["epochs", "target", "patience", "budget", "not_finite"]


class State(BaseModel):
    """Where a training stands.

    Attributes:
        schema_version: Of this file.
        engine: Versions it was made by; a run goes on only on the same.
        fingerprint: Of the job.
        stages: As planned, with the learning rates chosen.
        stage: The current one, from 0.
        epoch: The current one, from 0, over all stages.
        stage_epoch: The current one, from 0, in its stage.
        step: Batches done of the epoch.
        batch: Pictures a step.
        precision: Keras's policy.
        loss_sum: Sum over the epoch's pictures so far.
        correct: Pictures right so far.
        seen: Pictures so far, those that fill the last batch included.
        epoch_seconds: That the epoch has taken so far.
        seconds: That the training has taken so far, in all processes.
        patience: The best epoch.
        history: The epochs done.
        notes: Sentences worth keeping.
        finder: The search for a learning rate: rate and loss.
        planned_epochs: With a budget, how many fit; None without one.
        stopped: Why it ended, or None while it goes on.
        sentence: The same in words.
    """

    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="constants")

    schema_version: int = SCHEMA
    engine: dict[str, str]
    fingerprint: str
    stages: tuple[Stage, ...]
    stage: int = 0
    epoch: int = 0
    stage_epoch: int = 0
    step: int = 0
    batch: int
    precision: str
    loss_sum: float = 0.0
    correct: int = 0
    seen: int = 0
    epoch_seconds: float = 0.0
    seconds: float = 0.0
    patience: Patience = Patience()
    history: list[EpochRow] = []
    notes: list[str] = []
    finder: list[tuple[float, float]] | None = None
    planned_epochs: int | None = None
    stopped: Stopped | None = None
    sentence: str = ""


@dataclass(frozen=True)
class Checkpoint:
    """A state with its arrays.

    Attributes:
        state: Where the training stands.
        model: All variables of the model.
        optimizer: All variables of the optimizer.
        best: Variables of the model at its best epoch; empty where nobody will ask.
    """

    state: State
    model: Arrays
    optimizer: Arrays
    best: Arrays

    def save(self, folder: Path) -> None:
        """Write it in place of the one before; a kill at any moment leaves one of them."""
        arrays: Arrays = {
            _STATE: np.frombuffer(self.state.model_dump_json().encode(), np.uint8),
        }
        for part, values in self._parts().items():
            arrays.update({f"{part}/{name}": value for name, value in values.items()})
        save_arrays(folder / NAME, arrays)

    def _parts(self) -> Mapping[str, Arrays]:
        return {"model": self.model, "optimizer": self.optimizer, "best": self.best}


class Keeper:
    """Writes checkpoints beside the training, one at a time.

    A kill while one is being written leaves the one before.

    Args:
        folder: Where they lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    def save(self, checkpoint: Checkpoint) -> None:
        """Begin to write a checkpoint, once the one before is written.

        The state may change afterwards; the arrays may not.

        Raises:
            Exception: What kept the one before from being written, such as OSError.
        """
        self.wait()
        frozen = dataclasses.replace(checkpoint, state=checkpoint.state.model_copy(deep=True))
        self._thread = threading.Thread(
            target=self._write, args=(frozen,), name="tellapart-checkpoint"
        )
        self._thread.start()

    def wait(self) -> None:
        """Return when everything is on the disk.

        Raises:
            Exception: What kept it from being written, such as OSError or MemoryError.
        """
        self.join()
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def join(self) -> None:
        """Return when nothing is being written any more, well or not."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _write(self, checkpoint: Checkpoint) -> None:
        try:
            checkpoint.save(self._folder)
        except BaseException as error:  # raised by the next `wait`, in the thread that trains
            self._error = error


def load(folder: Path) -> Checkpoint | None:
    """The checkpoint of a folder, or None where there is none yet.

    Raises:
        RunError: If it is damaged or of another version.
    """
    path = folder / NAME
    try:
        arrays = load_arrays(path)
        state = State.model_validate_json(arrays.pop(_STATE).tobytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, ValidationError) as error:
        raise RunError(
            f"The checkpoint '{path}' cannot be read: {error}.",
            remedy="Start the training again, without --resume.",
            code="damaged_checkpoint",
        ) from None
    parts: dict[str, Arrays] = {"model": {}, "optimizer": {}, "best": {}}
    for name, array in arrays.items():
        part, _, rest = name.partition("/")
        parts.setdefault(part, {})[rest] = array
    return Checkpoint(state, parts["model"], parts["optimizer"], parts["best"])


def check_same(state: State, *, engine: Mapping[str, str], fingerprint: str) -> None:
    """Refuse to go on under other versions or other settings.

    Raises:
        RunError: With code ``other_version`` or ``other_settings``.
    """
    if state.schema_version != SCHEMA or state.engine != dict(engine):
        raise RunError(
            f"The training was begun with {_named(state.engine)}; here is {_named(engine)}.",
            remedy="Install those versions (or set KERAS_BACKEND to that engine), or start "
            "again without --resume.",
            code="other_version",
        )
    if state.fingerprint != fingerprint:
        raise other_settings()


def other_settings() -> RunError:
    """The error for going on with another job than was begun."""
    return RunError(
        "The training was begun with other data or other settings.",
        remedy="Give the same ones again, or start again without --resume.",
        code="other_settings",
    )


def _named(engine: Mapping[str, str]) -> str:
    return (
        f"Keras {engine.get('keras', '?')} on {engine.get('engine', '?')} "
        f"{engine.get('engine_version', '?')}"
    )
