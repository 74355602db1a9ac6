"""What a training says while it goes on, and how that crosses from one process to another.

Who does what: the loop tells a :class:`Listener`; in a child process that is
:class:`Writer`, which writes one line of JSON for each event; the parent reads the lines with
:func:`read` and shows them.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from typing import IO, Any

_EVERY = 0.2  # seconds between two reports of pictures done
_LONGEST = 1 << 20  # characters of a line


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
    """Writes each event as a line of JSON.

    Args:
        stream: A text stream that nobody else writes to. Once its reader is gone, nothing is
            written any more and nothing raised: the training ends by other means.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream: IO[str] | None = stream
        self._pictures = 0
        self._told = 0.0

    def begin(self, *, pictures: int, epochs: int, done: int) -> None:
        """As in :class:`Listener`."""
        self.write("begin", pictures=pictures, epochs=epochs, done=done)

    def advance(self, pictures: int) -> None:
        """As in :class:`Listener`; small advances are gathered."""
        self._pictures += pictures
        if time.monotonic() - self._told >= _EVERY:
            self._flush()

    def note(self, sentence: str) -> None:
        """As in :class:`Listener`."""
        self.write("note", sentence=sentence)

    def epoch(self, row: EpochRow) -> None:
        """As in :class:`Listener`."""
        self._flush()
        self.write("epoch", **asdict(row))

    def write(self, event: str, **values: Any) -> None:
        """Write one event."""
        if self._stream is None:
            return
        try:
            self._stream.write(json.dumps({"event": event, **values}) + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            self._stream = None

    def _flush(self) -> None:
        if self._pictures:
            self.write("advance", pictures=self._pictures)
        self._pictures, self._told = 0, time.monotonic()


def read(line: str) -> dict[str, Any] | None:
    """One line as an event with its name under ``"event"``; None where it is not one."""
    if len(line) > _LONGEST:
        return None
    try:
        values = json.loads(line)
    except ValueError:
        return None
    return values if isinstance(values, dict) and isinstance(values.get("event"), str) else None


def row_of(values: dict[str, Any]) -> EpochRow:
    """The row of an ``epoch`` event."""
    return EpochRow(**{name: values[name] for name in EpochRow.__dataclass_fields__})
