"""What a terminal sees of trainings in a child process: a table of epochs, or one line for many."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import Any, Protocol

from tellapart.core.progress import Progress, Stage
from tellapart.core.text import counted, percent, seconds
from tellapart.networks.process import events
from tellapart.networks.process.events import EpochRow

_COLUMNS = "epoch   loss   accuracy  val. loss  val. acc.  pictures/s  time left"


class Shown(Protocol):
    """Hears a child's events one by one, as a context that lasts as long as the child."""

    def __enter__(self) -> Shown: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def hear(self, event: dict[str, Any]) -> None:
        """One event."""


class Epochs:
    """One training: a line that Keras starts, then one line an epoch.

    Args:
        progress: Sees the stages ``Starting`` and ``Training``.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._stack = ExitStack()
        self._starting: AbstractContextManager[Stage] | None = None
        self._table: _Table | None = None
        self._early: list[str] = []

    def __enter__(self) -> Epochs:
        self._starting = self._progress.stage("Starting", unit="")
        self._starting.__enter__().summarize("Keras")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end_start()
        if self._table is not None:
            self._table.end()
        self._stack.close()

    def hear(self, event: dict[str, Any]) -> None:
        """One event of the child."""
        match event["event"]:
            case "begin":
                self._end_start()
                total = int(event["pictures"]) * int(event["epochs"])
                stage = self._stack.enter_context(self._progress.stage("Training", total=total))
                self._table = _Table(stage)
                self._table.begin(event, self._early)
            case "note" if self._table is not None:
                self._table.stage.note(str(event["sentence"]))
            case "note":
                self._early.append(str(event["sentence"]))
            case "advance" if self._table is not None:
                self._table.stage.advance(int(event["pictures"]))
            case "epoch" if self._table is not None:
                self._table.add(events.row_of(event))

    def _end_start(self) -> None:
        if self._starting is not None:
            self._starting.__exit__(None, None, None)
            self._starting = None


class Turns:
    """Several trainings, one after the other, as one line that counts them.

    Args:
        progress: Sees one stage.
        title: Its name.
        total: Trainings.
        unit: What they are called.
    """

    def __init__(self, progress: Progress, title: str, total: int, unit: str) -> None:
        self._context = progress.stage(title, total=total, unit=unit)
        self._stage: Stage | None = None

    def __enter__(self) -> Turns:
        self._stage = self._context.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._context.__exit__(kind, error, trace)

    def hear(self, event: dict[str, Any]) -> None:
        """One event of the child."""
        if event["event"] == "trained" and self._stage is not None:
            self._stage.advance(1)


class _Table:
    """The lines that a training leaves in a terminal."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._pictures = self._epochs = 0
        self._times: list[float] = []
        self._last: EpochRow | None = None

    def begin(self, event: dict[str, Any], notes: list[str]) -> None:
        self._pictures, self._epochs = int(event["pictures"]), int(event["epochs"])
        self.stage.advance(self._pictures * int(event["done"]))
        for sentence in notes:
            self.stage.note(sentence)
        self.stage.note(_COLUMNS)

    def add(self, row: EpochRow) -> None:
        self._last = row
        self._times.append(row.seconds)
        recent = self._times[-3:]
        left = max(0, self._epochs - row.epoch) * sum(recent) / len(recent)
        self.stage.note(line(row, pictures=self._pictures, left=left))

    def end(self) -> None:
        if self._last is not None:
            trained = percent(self._last.accuracy)
            summary = f"{counted(self._last.epoch, 'epoch')}, training accuracy {trained}"
            if self._last.validation_accuracy is not None:
                summary += f", validation {percent(self._last.validation_accuracy)}"
            self.stage.summarize(summary)


def line(row: EpochRow, *, pictures: int, left: float) -> str:
    """One epoch as a line of the table.

    Args:
        row: The epoch.
        pictures: Training pictures.
        left: Seconds that the rest will take.
    """
    loss = "–" if row.validation_loss is None else f"{row.validation_loss:.4f}"
    accuracy = "–" if row.validation_accuracy is None else percent(row.validation_accuracy)
    speed = pictures / max(row.seconds, 1e-9)
    return (
        f"{row.epoch:>5}  {row.loss:>7.4f}  {percent(row.accuracy):>7}  {loss:>9}  "
        f"{accuracy:>9}  {speed:>10,.0f}  {seconds(left):>9}"
    )
