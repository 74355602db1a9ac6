"""Reading a run folder; each file is read when it is first used."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tellapart.core.errors import RunError
from tellapart.core.text import agree, counted, interval, percent
from tellapart.diagnosis import fill
from tellapart.runs.files import damaged, read_json
from tellapart.runs.writing import partial_of

if TYPE_CHECKING:
    import polars as pl

    from tellapart.model import Model

SCHEMA = 1
FILES = (
    "run.json",
    "metrics.json",
    "timings.json",
    "model.onnx",
    "split.parquet",
    "findings.parquet",
    "predictions.parquet",
    "report.html",
)
_COLUMNS = {
    "predictions.parquet": {"path", "label", "predicted", "probability", "correct", "counted"},
    "findings.parquet": {"code", "level", "path", "sentence", "remedy"},
    "split.parquet": {"path", "label", "side", "reason", "content"},
    "history.parquet": {"epoch", "loss", "accuracy", "learning_rate"},
}


@dataclass(frozen=True)
class Run:
    """A finished run folder; each file is read when it is first used.

    Attributes:
        path: The folder.
    """

    path: Path

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.name

    @cached_property
    def settings(self) -> dict[str, Any]:
        """Content of ``run.json``: the model, its data, settings and versions."""
        return read_json(self.path / "run.json")

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """Content of ``metrics.json``: the same for the same seed, data and machine."""
        content = read_json(self.path / "metrics.json")
        if not _has_headline(content, len(self.classes)):
            raise damaged(self.path / "metrics.json", "it has no measured accuracy and verdict")
        return content

    @cached_property
    def timings(self) -> dict[str, Any]:
        """Content of ``timings.json``: seconds, pictures per second, memory."""
        return read_json(self.path / "timings.json")

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, in the order of the model's outputs."""
        return tuple(self.settings["classes"])

    @property
    def next_steps(self) -> list[str]:
        """The verdict's next steps, with this run and its data in their commands."""
        folder = self.path.with_name(str(self.settings.get("name", self.name)))
        if self.path != partial_of(folder):  # a finished run keeps the name of its folder
            folder = self.path
        command = shlex.split(str(self.settings.get("command", "")))  # tellapart train DATA …
        data = command[2] if len(command) > 2 else str(self.settings.get("data", {}).get("name"))
        return fill(self.metrics["verdict"].get("next", ()), run=str(folder), data=data)

    @cached_property
    def predictions(self) -> pl.DataFrame:
        """One row per held-out picture: path, label, predicted, probability and more."""
        return self._table("predictions.parquet")

    @cached_property
    def findings(self) -> pl.DataFrame:
        """One row per finding and picture: code, level, path, sentence, remedy."""
        return self._table("findings.parquet")

    @cached_property
    def split(self) -> pl.DataFrame:
        """One row per picture: path, label, side, reason, group, content."""
        return self._table("split.parquet")

    @cached_property
    def history(self) -> pl.DataFrame | None:
        """Loss and accuracy of each epoch of a network's training; None for a probe."""
        if not (self.path / "history.parquet").is_file():
            return None
        return self._table("history.parquet")

    @cached_property
    def model(self) -> Model:
        """The model, ready to run."""
        return self.load_model()

    def load_model(self, *, threads: int | None = None, spin: bool = False) -> Model:
        """Open the model file; its classes must be those of the run.

        Args:
            threads: Threads within one call; by default, one per core.
            spin: Whether threads busy-wait for each other.

        Raises:
            ModelError: If it is damaged or was not written by tellapart.
            RunError: If it belongs to another run.
        """
        from tellapart.model import Model

        model = Model.load(self.path / "model.onnx", threads=threads, spin=spin)
        if model.classes != self.classes:
            raise damaged(self.path, "model.onnx and run.json name different classes")
        return model

    def _table(self, name: str) -> pl.DataFrame:
        import polars as pl

        try:
            frame = pl.read_parquet(self.path / name)
        except (OSError, pl.exceptions.PolarsError) as error:
            raise damaged(self.path / name, str(error)) from None
        missing = _COLUMNS[name] - set(frame.columns)
        if missing:
            raise damaged(self.path / name, f"it has no column '{min(missing)}'")
        return frame

    def as_json(self) -> dict[str, Any]:
        """The document of ``train --json``: the verdict's commands name this run and its data."""
        verdict = {**self.metrics["verdict"], "next": self.next_steps}
        return {
            "schema": SCHEMA,
            "run": str(self.path),
            "metrics": {**self.metrics, "verdict": verdict},
            "timings": self.timings,
        }

    def _repr_html_(self) -> str:
        from html import escape

        held = self.metrics["held_out"]
        turns = held.get("method") == "folds"
        how = counted(held["n"], "picture" if turns else "held-out picture")
        return (
            f"<b>{escape(self.name)}</b>: {percent(held['accuracy'])} of {how} "
            f"right{', cross-validated' if turns else ''} "
            f"(95 % interval {interval(*held['accuracy_ci95'])}). "
            f"{escape(self.metrics['verdict']['sentence'])}"
        )


def open_run(path: str | Path) -> Run:
    """Open a run folder; check that it is complete and of a version that can be read.

    Raises:
        RunError: If it is missing, incomplete, damaged, or from a newer version.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise RunError(
            f"There is no run folder '{folder}'.",
            remedy="Give the folder that 'train' printed, such as runs/pets-1.",
        )
    missing = [name for name in FILES if not (folder / name).is_file()]
    if "run.json" in missing and (folder / "tellapart.json").is_file():
        raise RunError(
            f"'{folder}' is an export, not a run.",
            remedy="Give the run that it was made from. Only 'predict' and 'explain' take exports.",
        )
    if len(missing) == len(FILES):
        raise RunError(
            f"'{folder}' is not a run folder: it has none of a run's files.",
            remedy="Give the folder that 'train' printed, such as runs/pets-1.",
        )
    if "run.json" not in missing:
        _check_schema(folder, read_json(folder / "run.json"))
    if set(missing) - {"report.html"}:  # 'tellapart report' writes a new report
        raise RunError(
            f"The run folder '{folder}' is incomplete: {', '.join(missing)} "
            f"{agree(len(missing), 'is', 'are')} missing.",
            remedy="Copy the whole folder again, or train again.",
        )
    return Run(folder)


def _check_schema(folder: Path, settings: dict[str, Any]) -> None:
    schema = settings.get("schema")
    if not isinstance(schema, int) or schema < 1:
        raise damaged(folder / "run.json", "it has no schema number")
    if schema > SCHEMA:
        raise RunError(
            f"The run '{folder}' was written by a newer tellapart (schema {schema}; this one "
            f"reads up to {SCHEMA}).",
            remedy="Upgrade tellapart.",
            code="newer_schema",
        )
    classes = settings.get("classes")
    if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
        raise damaged(folder / "run.json", "it has no list of classes")
    for part in ("data", "decode", "settings"):
        if not isinstance(settings.get(part, {}), dict):
            raise damaged(folder / "run.json", f"its '{part}' is not an object")


def _has_headline(metrics: dict[str, Any], classes: int) -> bool:
    """Whether the members that every view shows exist and have valid values."""

    def is_share(value: object) -> bool:
        return isinstance(value, (int, float)) and 0 <= value <= 1

    held, verdict = metrics.get("held_out"), metrics.get("verdict")
    if not isinstance(held, dict) or not isinstance(verdict, dict):
        return False
    interval, confusion = held.get("accuracy_ci95"), held.get("confusion")
    return (
        isinstance(held.get("n"), int)
        and isinstance(interval, list)
        and len(interval) == 2
        and all(is_share(held.get(name)) for name in ("accuracy", "majority_accuracy"))
        and all(map(is_share, interval))
        and isinstance(confusion, list)
        and len(confusion) == classes
        and all(isinstance(row, list) and len(row) == classes for row in confusion)
        and isinstance(verdict.get("sentence"), str)
    )
