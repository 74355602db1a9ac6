"""What happens in a training, and how it is reported to the parent process.

The loop tells a :class:`Listener`; in a child process that is a :class:`Writer`. The parent shows
the events (:mod:`.showing`).
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

from tellapart.core.process import Reporter

_EVERY = 0.2  # seconds between two reports of pictures done


@dataclass(frozen=True, slots=True)
class EpochRow:
    """One epoch.

    Attributes:
        epoch: From 1.
        loss: Mean cross-entropy over the epoch, running, as augmented and with dropout.
        accuracy: Share right over the epoch, the same way.
        validation_loss: Of the validation slice after the epoch, or None without one.
        validation_accuracy: The same.
        learning_rate: At its last step.
        seconds: That it took, validation included.
    """

    epoch: int
    loss: float
    accuracy: float
    validation_loss: float | None
    validation_accuracy: float | None
    learning_rate: float
    seconds: float


class Listener:
    """Hears of a training; every hook is empty."""

    def begin(self, *, pictures: int, epochs: int, done: int) -> None:
        """Training starts, or goes on.

        Args:
            pictures: In one epoch.
            epochs: Planned.
            done: Epochs done before.
        """

    def before_chunk(self, *, epoch: int, step: int, batch: int) -> None:
        """Some batches are about to be trained on, the first being ``step`` of ``epoch`` (from 0).

        What is raised here is taken as raised by the engine.
        """

    def advance(self, pictures: int) -> None:
        """So many more pictures were trained on."""

    def note(self, sentence: str) -> None:
        """Something worth saying happened."""

    def epoch(self, row: EpochRow) -> None:
        """An epoch is done; its checkpoint is being written."""


class Writer(Listener):
    """Reports each event to the parent process.

    Args:
        reporter: Where to.
    """

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._pictures = 0
        self._told = 0.0

    def begin(self, *, pictures: int, epochs: int, done: int) -> None:
        """As in :class:`Listener`."""
        self._reporter.report("begin", pictures=pictures, epochs=epochs, done=done)

    def advance(self, pictures: int) -> None:
        """As in :class:`Listener`; small advances are gathered."""
        self._pictures += pictures
        if time.monotonic() - self._told >= _EVERY:
            self._flush()

    def note(self, sentence: str) -> None:
        """As in :class:`Listener`."""
        self._reporter.report("note", sentence=sentence)

    def epoch(self, row: EpochRow) -> None:
        """As in :class:`Listener`."""
        self._flush()
        self._reporter.report("epoch", **asdict(row))

    def _flush(self) -> None:
        if self._pictures:
            self._reporter.report("advance", pictures=self._pictures)
        self._pictures, self._told = 0, time.monotonic()


def row_of(values: dict[str, Any]) -> EpochRow:
    """The row of an ``epoch`` event."""
    return EpochRow(**{name: values[name] for name in EpochRow.__dataclass_fields__})
