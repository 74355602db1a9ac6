"""What a training leaves behind: four files, and the value they are read into."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tellapart.core.errors import RunError
from tellapart.networks.array_files import load_arrays, save_arrays, write_atomically
from tellapart.networks.loop.checkpoints import State, other_settings
from tellapart.networks.process.events import EpochRow

if TYPE_CHECKING:
    import polars as pl

WEIGHTS, MODEL, HISTORY, OUTCOME = "weights.npz", "model.keras", "history.json", "outcome.json"
_MOST_JSON = 64 * 2**20


@dataclass(frozen=True)
class Fitted:
    """A trained network.

    Attributes:
        weights: float32 arrays by the names of :func:`tellapart.graph.layers.weight_shapes`.
        history: One row an epoch: ``epoch``, ``loss``, ``accuracy``, ``validation_loss``,
            ``validation_accuracy``, ``learning_rate``, ``seconds``.
        outcome: How it went: ``stopped`` (``epochs``, ``target``, ``patience``, ``budget`` or
            ``not_finite``), ``sentence``, ``epochs`` (done), ``planned_epochs``, ``best_epoch``
            (the one whose weights these are), ``batch``, ``precision``, ``keras``, ``engine``,
            ``engine_version``, ``notes`` (sentences), ``finder`` (``[[rate, loss], …]`` or None),
            ``learning_rate`` (peak), ``seconds``, ``fingerprint`` (of the job).
        model: Where ``model.keras`` lies.
    """

    weights: dict[str, NDArray[np.float32]]
    history: pl.DataFrame
    outcome: dict[str, Any]
    model: Path


def write(
    folder: Path,
    *,
    weights: dict[str, NDArray[np.float32]],
    history: list[EpochRow],
    outcome: dict[str, Any],
) -> None:
    """Write all but ``model.keras``; ``outcome.json`` comes last and says that all is there."""
    save_arrays(folder / WEIGHTS, dict(weights))
    rows = [asdict(row) for row in history]
    write_atomically(folder / HISTORY, json.dumps(rows, indent=1).encode())
    write_atomically(folder / OUTCOME, json.dumps(outcome, indent=1).encode())


def outcome(state: State, *, best_epoch: int, seconds: float) -> dict[str, Any]:
    """The ``outcome`` of :class:`Fitted`."""
    return {
        "stopped": state.stopped,
        "sentence": state.sentence,
        "epochs": state.epoch,
        "planned_epochs": sum(stage.epochs for stage in state.stages),
        "best_epoch": best_epoch,
        "batch": state.batch,
        "precision": state.precision,
        **state.engine,
        "notes": state.notes,
        "finder": state.finder,
        "learning_rate": max(stage.learning_rate for stage in state.stages),
        "seconds": seconds,
        "fingerprint": state.fingerprint,
    }


def is_done(folder: Path) -> bool:
    """Whether a training in this folder has ended."""
    return (folder / OUTCOME).is_file()


def load(folder: Path, *, fingerprint: str | None = None) -> Fitted:
    """Read what a training left.

    Args:
        folder: Where it was trained.
        fingerprint: Of the job that it should be of, or None for any.

    Raises:
        RunError: If it is missing or damaged, or, with code ``other_settings``, of another job.
    """
    import polars as pl

    try:
        for name in (HISTORY, OUTCOME):
            if (folder / name).stat().st_size > _MOST_JSON:
                raise ValueError(f"{name} is too large")
        rows = json.loads((folder / HISTORY).read_bytes())
        outcome = json.loads((folder / OUTCOME).read_bytes())
        weights = load_arrays(folder / WEIGHTS)
        schema = {
            "epoch": pl.Int64,
            **dict.fromkeys(list(EpochRow.__dataclass_fields__)[1:], pl.Float64),
        }
        history = pl.DataFrame(rows, schema=schema)
    except (OSError, ValueError, TypeError, pl.exceptions.PolarsError) as error:
        raise RunError(
            f"The trained network in '{folder}' cannot be read: {error}.",
            remedy="Start the training again.",
            code="damaged_network",
        ) from None
    if fingerprint is not None and outcome.get("fingerprint") != fingerprint:
        raise other_settings()
    return Fitted(weights, history, outcome, folder / MODEL)
