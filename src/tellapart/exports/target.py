"""What a target of an export is: the extension point of this package.

A target writes its files into a folder, and answers for them in its own runtime. Everything else
(pictures, comparing, putting in place) is the same for all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tellapart.core.progress import Progress
from tellapart.core.typing import Floats
from tellapart.exports.pictures import Pictures
from tellapart.inference.prediction import Answering
from tellapart.model import Model
from tellapart.runs import Run

Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a target may be from ``model.onnx``; None where it is not asked.

    Attributes:
        max_difference: Largest difference in probability.
        same_top1: Least share of pictures that get the same class.
        accuracy_loss: Most accuracy that may be lost, as a share of all pictures.
        tie: A picture whose two best classes are at most so far apart in ``model.onnx`` may get
            either of them.
        spare: So many pictures may differ or be lost however few there are, where a share is asked.
    """

    max_difference: float | None = None
    same_top1: float | None = None
    accuracy_loss: float | None = None
    tie: float = 0.0
    spare: int = 0


SAME_NUMBERS = Tolerance(max_difference=1e-4, same_top1=1.0, tie=2e-4)
"""What "the same numbers" means: 1e-4 in probability, and so the same class unless the two best
are no further apart than two such differences."""


@dataclass(frozen=True)
class Work:
    """What a target is handed.

    Attributes:
        run: The run that is exported.
        model: Its ``model.onnx``, open.
        held_out: The pictures that the target is checked on.
        expected: float32 ``[n, K]``, what ``model.onnx`` answers for them.
        training: Gives at most so many pictures that the model learnt from.
        scratch: A folder for anything; gone afterwards.
        progress: Who is told how far it is.
    """

    run: Run
    model: Model
    held_out: Pictures
    expected: Floats
    training: Callable[[int], Pictures]
    scratch: Path
    progress: Progress


@dataclass(frozen=True)
class Answers:
    """What a target says of the held-out pictures, in its own runtime.

    Attributes:
        probabilities: float32 ``[n, K]``.
        runtime: Name and version of what ran it, such as ``"ONNX Runtime 1.23.0"``.
        more: More members for ``parity.json``.
    """

    probabilities: Floats
    runtime: str
    more: Mapping[str, Any] = field(default_factory=dict)


class Runner(Answering, Protocol):
    """A model in its own runtime, as :class:`tellapart.Classifier` asks it."""

    @property
    def has_map(self) -> bool:
        """Whether it gives heat maps by itself; only ``model.onnx`` can."""

    def layers(self) -> tuple[tuple[str, tuple[int, int, int]], ...]:
        """Its convolutions and poolings that can be looked into; empty for other runtimes."""


class Target(Protocol):
    """One form that a model is exported in."""

    @property
    def name(self) -> str:
        """What ``--to`` calls it."""

    @property
    def main(self) -> str:
        """The file or folder in the export that matters most, such as ``"model.onnx"``."""

    @property
    def tolerance(self) -> Tolerance:
        """How far it may be from ``model.onnx``."""

    @property
    def depends_on_processor(self) -> bool:
        """Whether the files may give other answers on another processor."""

    def check(self) -> None:
        """Refuse at once where something is not installed.

        Raises:
            SettingsError: With code ``extra_missing``.
        """

    def write(self, folder: Path, card: Mapping[str, Any], work: Work) -> Mapping[str, Any]:
        """Write the model files.

        Args:
            folder: Where to; empty.
            card: Content of ``tellapart.json`` so far.
            work: The model and its pictures.

        Returns:
            More members for ``tellapart.json``.
        """

    def answers(self, folder: Path, work: Work, advance: Advance) -> Answers:
        """Run what was written, in its own runtime, on ``work.held_out``.

        Args:
            folder: Where it was written.
            work: As for :meth:`write`.
            advance: Hears of every ``n`` more pictures that are done.
        """

    def readme(self, card: Mapping[str, Any]) -> str:
        """How to use it: the middle of ``README.txt``."""

    def open(self, folder: Path, card: Mapping[str, Any]) -> Runner:
        """Open an export for predicting; its card and checksums were found to be sound.

        Raises:
            ModelError: If it cannot be used after all.
            SettingsError: If it cannot be run from Python, or an extra is missing.
        """
