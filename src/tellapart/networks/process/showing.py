"""What a terminal sees of trainings in a child process: a table of epochs, or one line for many."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from tellapart.core.progress import Progress, Stage
from tellapart.core.text import counted, percent, seconds
from tellapart.networks.process import events
from tellapart.networks.process.events import EpochRow

_COLUMNS = "epoch   loss   accuracy  val. loss  val. acc.  pictures/s  time left"


Hear = Callable[[dict[str, Any]], None]
"""Hears one event of a child."""


@contextmanager
def table_of_epochs(progress: Progress) -> Iterator[Hear]:
    """One training: the stages ``Starting`` and ``Training``, with one line an epoch."""
    with ExitStack() as starting, ExitStack() as training:
        starting.enter_context(progress.stage("Starting", unit="")).summarize("Keras")
        early: list[str] = []  # notes from before the training began
        stage: Stage | None = None
        pictures = epochs = 0
        rows: list[EpochRow] = []

        def hear(event: dict[str, Any]) -> None:
            nonlocal stage, pictures, epochs
            match event["event"]:
                case "begin":
                    starting.close()
                    pictures, epochs = int(event["pictures"]), int(event["epochs"])
                    total = pictures * epochs
                    stage = training.enter_context(progress.stage("Training", total=total))
                    stage.advance(pictures * int(event["done"]))
                    for sentence in [*early, _COLUMNS]:
                        stage.note(sentence)
                case "note" if stage is not None:
                    stage.note(str(event["sentence"]))
                case "note":
                    early.append(str(event["sentence"]))
                case "advance" if stage is not None:
                    stage.advance(int(event["pictures"]))
                case "epoch" if stage is not None:
                    rows.append(events.row_of(event))
                    recent = [row.seconds for row in rows[-3:]]
                    left = max(0, epochs - rows[-1].epoch) * sum(recent) / len(recent)
                    stage.note(line(rows[-1], pictures=pictures, left=left))

        try:
            yield hear
        finally:  # an interrupted training, too, leaves the lines of its stages
            if stage is not None and rows:
                stage.summarize(_summary(rows[-1]))
            starting.close()
            training.close()


@contextmanager
def count_of_trainings(progress: Progress, title: str, total: int, unit: str) -> Iterator[Hear]:
    """Several trainings, one after the other, as one line that counts them.

    Args:
        progress: Sees one stage.
        title: Its name.
        total: Trainings.
        unit: What they are called.
    """
    with progress.stage(title, total=total, unit=unit) as stage:

        def hear(event: dict[str, Any]) -> None:
            if event["event"] == "trained":
                stage.advance(1)

        yield hear


def _summary(row: EpochRow) -> str:
    said = f"{counted(row.epoch, 'epoch')}, training accuracy {percent(row.accuracy)}"
    if row.validation_accuracy is not None:
        said += f", validation {percent(row.validation_accuracy)}"
    return said


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
