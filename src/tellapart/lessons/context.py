"""A lesson while it runs: its data, its folder, and what it has recorded so far."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from tellapart import api
from tellapart.core.errors import RunError
from tellapart.core.progress import Progress
from tellapart.lessons.illustrations import FOLDER, Illustration
from tellapart.lessons.lesson import Number, Training
from tellapart.runs import Run, open_run
from tellapart.runs.writing import is_resumable, partial_of


class Context:
    """The argument of a lesson's ``work``: trains, and records numbers, notes and drawings.

    Args:
        folder: Existing folder for the runs.
        data: Pictures to train on, or None for a lesson without pictures.
        seed: Seed of every random choice.
        progress: Where progress is reported.

    Attributes:
        numbers: From :meth:`record`, in order.
        notes: From :meth:`note`.
        runs: From :meth:`train`, by the name of the training.
        drawn: From :meth:`draw`.
    """

    def __init__(self, folder: Path, data: Path | None, seed: int, progress: Progress) -> None:
        self.folder, self.data, self.seed, self.progress = folder, data, seed, progress
        self.numbers: dict[str, Number] = {}
        self.notes: list[str] = []
        self.runs: dict[str, Run] = {}
        self.drawn: list[Illustration] = []

    def record(self, name: str, value: Number) -> None:
        """Record a number, or a word, for the targets and the page."""
        self.numbers[name] = value

    def note(self, sentence: str) -> None:
        """Add a sentence to show with the result."""
        self.notes.append(sentence)

    def draw(self, file: str, content: str, says: str) -> None:
        """Write a drawing as an SVG file; it contains no pictures of the data."""
        folder = self.folder / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(content, encoding="utf-8")
        self.drawn.append(Illustration(file, says, of_data=False))

    def train(self, training: Training, *, data: Path | None = None, **more: Any) -> Run:
        """Train, or open the run that an interrupted run of the lesson has finished.

        Records under the training's name: ``held_out``, ``train``, ``gap``, ``n``, ``verdict``,
        ``seconds``, and of a network ``epochs`` and ``shown`` (the running training accuracy of
        the last epoch).

        Args:
            training: Name and settings.
            data: Pictures to use instead of the lesson's.
            more: Further settings.
        """
        source = data or self.data
        if source is None:
            raise RunError(f"'{training.name}' has no pictures to train on.")
        target = self.folder / training.name
        if (target / "metrics.json").is_file():
            run = open_run(target)
        elif is_resumable(partial_of(target)):
            run = api.resume(target, progress=Titled(self.progress, training.name))
        else:
            run = api.train(
                source,
                **{"seed": self.seed, **training.settings, **more},
                out=target,
                progress=Titled(self.progress, training.name),
            )
        self.runs[training.name] = run
        self._tell_all(training.name, run)
        return run

    def _tell_all(self, name: str, run: Run) -> None:
        held, trained = run.metrics["held_out"], run.metrics["train"]
        numbers: dict[str, Number] = {
            "held_out": held["accuracy"],
            "train": trained["accuracy"],
            "gap": trained["accuracy"] - held["accuracy"],
            "n": held["n"],
            "verdict": run.metrics["verdict"]["code"],
            "seconds": run.timings["seconds"]["total"],
        }
        if run.history is not None:
            numbers["epochs"] = run.history.height
            numbers["shown"] = float(run.history["accuracy"][-1])
        for key, value in numbers.items():
            self.record(f"{name}.{key}", value)


@dataclasses.dataclass(frozen=True)
class Titled:
    """A progress that first names the training whose stages follow."""

    progress: Progress
    title: str

    def __post_init__(self) -> None:
        with self.progress.stage("Training", unit="") as stage:
            stage.summarize(self.title)

    def stage(self, name: str, *, total: int | None = None, unit: str = "pictures") -> Any:
        """As the progress itself."""
        return self.progress.stage(name, total=total, unit=unit)
