"""Checkpoints: everything that a training needs to continue as if it had never stopped.

One file, ``checkpoint.npz``, is replaced atomically. It holds all variables of model and
optimizer (including the states of random generators), the best weights if patience may want them
back, and a :class:`State`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import ConfigDict, Field, ValidationError

from tellapart.core.config import Settings
from tellapart.core.errors import RunError
from tellapart.networks.array_files import load_arrays, save_arrays
from tellapart.networks.loop.keras_variables import Arrays
from tellapart.networks.loop.scores import Scores
from tellapart.networks.process.events import EpochRow
from tellapart.networks.spec.recipes import Stage

NAME = "checkpoint.npz"
SCHEMA = 1
_STATE = "state.json"
_PARTS = ("model", "optimizer", "best")

Stopped = Literal["epochs", "target", "patience", "budget", "not_finite"]


class BestEpoch(Settings):
    """The epoch with the lowest validation loss so far.

    Attributes:
        best: Its validation loss, or None before the first epoch.
        epoch: Its number, from 1; 0 before the first.
        waited: Epochs since then.
    """

    best: float | None = None
    epoch: int = 0
    waited: int = 0

    def after(self, epoch: int, loss: float) -> BestEpoch:
        """The best epoch after one more."""
        if self.best is None or loss < self.best:
            return BestEpoch(best=loss, epoch=epoch)
        return self.model_copy(update={"waited": self.waited + 1})


class State(Scores):
    """How far a training is. The scores are those of the current epoch so far.

    Attributes:
        schema_version: Version of this format.
        engine: Versions of Keras and its engine; a training resumes only on the same ones.
        fingerprint: Of the job.
        stages: As planned, with the learning rates chosen.
        stage: The current one, from 0.
        epoch: Epochs done, over all stages.
        stage_epoch: Epochs done of the current stage.
        step: Batches done of the current epoch.
        batch: Pictures per step.
        precision: Keras's dtype policy.
        epoch_seconds: That the current epoch has taken so far.
        seconds: That the training has taken so far, in all processes.
        patience: The best epoch.
        history: One row per finished epoch.
        notes: Sentences for the report.
        finder: The search for a learning rate: pairs of rate and loss, or None.
        stopped: Why it ended, or None.
        sentence: The reason for people.
    """

    model_config = ConfigDict(ser_json_inf_nan="constants")

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
    epoch_seconds: float = 0.0
    seconds: float = 0.0
    patience: BestEpoch = BestEpoch()
    history: list[EpochRow] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)
    finder: list[tuple[float, float]] | None = None
    stopped: Stopped | None = None
    sentence: str = ""

    @property
    def current_epoch(self) -> int:
        """The epoch in progress or, between two epochs, the one that just ended; from 1."""
        return max(1, self.epoch + (self.step > 0))

    @property
    def wanted_epochs(self) -> int:
        """Epochs of all stages, as planned now."""
        return sum(stage.epochs for stage in self.stages)

    def end_epoch(self, row: EpochRow) -> None:
        """Keep the row of an epoch, and be ready for the next one."""
        self.history.append(row)
        self.epoch, self.stage_epoch, self.step = self.epoch + 1, self.stage_epoch + 1, 0
        self.loss_sum, self.correct, self.seen, self.epoch_seconds = 0.0, 0, 0, 0.0


@dataclass(frozen=True)
class Checkpoint:
    """A state with its arrays.

    Attributes:
        state: How far the training is.
        model: All variables of the model.
        optimizer: All variables of the optimizer.
        best: Variables of the model at its best epoch; empty without patience.
    """

    state: State
    model: Arrays
    optimizer: Arrays
    best: Arrays

    def save(self, folder: Path) -> None:
        """Replace the folder's checkpoint; a kill at any moment leaves the old or the new one."""
        arrays: Arrays = {
            _STATE: np.frombuffer(self.state.model_dump_json().encode(), np.uint8),
        }
        for part in _PARTS:
            values = getattr(self, part)
            arrays.update({f"{part}/{name}": value for name, value in values.items()})
        save_arrays(folder / NAME, arrays)


class CheckpointWriter:
    """Writes checkpoints in a thread while the training continues, one at a time.

    Args:
        folder: Where they are written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pool = ThreadPoolExecutor(1, "tellapart-checkpoint")
        self._writing: Future[None] | None = None

    def save(self, checkpoint: Checkpoint) -> None:
        """Start to write a checkpoint, as soon as the previous one is written.

        The state may change afterwards; the arrays must not.

        Raises:
            Exception: If the previous one could not be written, such as OSError.
        """
        self.wait()
        frozen = dataclasses.replace(checkpoint, state=checkpoint.state.model_copy(deep=True))
        self._writing = self._pool.submit(frozen.save, self._folder)

    def wait(self) -> None:
        """Return when everything is on the disk.

        Raises:
            Exception: If it could not be written, such as OSError or MemoryError.
        """
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.result()

    def join(self) -> None:
        """Return when writing has ended, whether it succeeded or not."""
        self._pool.shutdown()


def load(folder: Path) -> Checkpoint | None:
    """The checkpoint of a folder, or None if there is none yet.

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
    parts: dict[str, Arrays] = {part: {} for part in _PARTS}
    for name, array in arrays.items():
        part, _, rest = name.partition("/")
        parts.setdefault(part, {})[rest] = array
    return Checkpoint(state, *(parts[part] for part in _PARTS))


def check_same(state: State, *, engine: Mapping[str, str], fingerprint: str) -> None:
    """Refuse to resume with other versions or other settings.

    Raises:
        RunError: With code ``other_version`` or ``other_settings``.
    """
    if state.schema_version != SCHEMA or state.engine != dict(engine):
        raise RunError(
            f"The training was started with {_named(state.engine)}; this is {_named(engine)}.",
            remedy="Install those versions (or set KERAS_BACKEND to that engine), or start "
            "again without --resume.",
            code="other_version",
        )
    if state.fingerprint != fingerprint:
        raise other_settings()


def other_settings() -> RunError:
    """The error for resuming with another job than was started."""
    return RunError(
        "The training was started with other data or other settings.",
        remedy="Use the same data and settings, or start again without --resume.",
        code="other_settings",
    )


def _named(engine: Mapping[str, str]) -> str:
    return (
        f"Keras {engine.get('keras', '?')} on {engine.get('engine', '?')} "
        f"{engine.get('engine_version', '?')}"
    )
