"""What a target of an export is: one record per format, which lists how to write and run it.

Everything else (finding the pictures, comparing, saving) is the same for all targets.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tellapart.core.errors import ModelError, SettingsError
from tellapart.core.progress import Progress
from tellapart.core.typing import Floats
from tellapart.exports.pictures import Pictures
from tellapart.images.resizing import Fit
from tellapart.inference.prediction import ModelLike
from tellapart.model import Model
from tellapart.model.model import pictures_a_call
from tellapart.runs import Run

Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a target may be from ``model.onnx``; None means that there is no limit.

    Attributes:
        max_difference: Largest difference in probability.
        same_top1: Smallest share of pictures that get the same class.
        accuracy_loss: Largest loss of accuracy, as a share of all pictures.
        tie: If the two best classes of ``model.onnx`` are at most this far apart, the picture may
            get either of them.
        spare: Number of pictures that may differ or be lost in any case, however few there are.
    """

    max_difference: float | None = None
    same_top1: float | None = None
    accuracy_loss: float | None = None
    tie: float = 0.0
    spare: int = 0


SAME_NUMBERS = Tolerance(max_difference=1e-4, same_top1=1.0, tie=2e-4)
"""What "the same numbers" means: 1e-4 in probability, and therefore the same class unless the two
best are no further apart than two such differences."""


@dataclass(frozen=True)
class Work:
    """What a target works with.

    Attributes:
        run: The run that is exported.
        model: Its ``model.onnx``, open.
        held_out: The pictures that the target is checked on.
        expected: float32 ``[n, K]``, what ``model.onnx`` predicts for them.
        training: Gives at most so many pictures that the model learned from.
        scratch: A folder for temporary files.
        progress: Where progress is reported.
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
    """A target's predictions for the held-out pictures, in its own runtime.

    Attributes:
        probabilities: float32 ``[n, K]``.
        runtime: Name and version of the runtime, such as ``"ONNX Runtime 1.23.0"``.
        more: More members for ``parity.json``.
    """

    probabilities: Floats
    runtime: str
    more: Mapping[str, Any] = field(default_factory=dict)


class Runner(ModelLike, Protocol):
    """A model in its own runtime, as :class:`tellapart.Classifier` uses it."""

    @property
    def has_map(self) -> bool:
        """Whether it gives heat maps by itself; only ``model.onnx`` can."""

    def layers(self) -> tuple[tuple[str, tuple[int, int, int]], ...]:
        """Its convolutions and poolings that can be shown; empty for other runtimes."""


@dataclass(frozen=True)
class Target:
    """One format that a model is exported to.

    Attributes:
        name: What ``--to`` calls it.
        main: The file or folder in the export that matters most, such as ``"model.onnx"``.
        write: ``write(folder, card, work)`` writes the model files into an empty folder. ``card``
            is the content of ``tellapart.json`` so far; more members for it are returned.
        predict: ``predict(folder, work, advance)`` runs what was written, in its own runtime, on
            ``work.held_out``, and calls ``advance(n)`` after every ``n`` pictures.
        open: ``open(folder, card)`` opens an export for predicting; its card and its checksums
            are known to be right. Raises ModelError if it cannot be used after all, and
            SettingsError if an extra is missing.
        usage: How to use it, for ``README.txt``; ``SIZE`` stands for the side in pixels.
        tolerance: How far it may be from ``model.onnx``.
        check: Raises SettingsError at once if something is not installed.
        depends_on_processor: Whether another processor may give other answers.
        slow: Whether it is checked on a sample of the held-out pictures unless all are asked for.
    """

    name: str
    main: str
    write: Callable[[Path, Mapping[str, Any], Work], Mapping[str, Any]]
    predict: Callable[[Path, Work, Advance], Answers]
    open: Callable[[Path, Mapping[str, Any]], Runner]
    usage: str
    tolerance: Tolerance = SAME_NUMBERS
    check: Callable[[], object] = lambda: None
    depends_on_processor: bool = False
    slow: bool = False


class RuntimeModel:
    """A model in another runtime, which gives probabilities and nothing else.

    Args:
        classes: Names, in the order of the columns.
        size: Side of the pictures it takes, in pixels.
        fit: How pictures are fitted to that size.
    """

    has_map = False

    def __init__(self, classes: Sequence[str], size: int, fit: Fit) -> None:
        self.classes = tuple(classes)
        self.size = size
        self.fit: Fit = fit

    def layers(self) -> tuple[()]:
        """None that can be shown."""
        return ()

    def run(self, pixels: NDArray[np.uint8]) -> Floats:
        """Probabilities float32 ``[n, K]`` of uint8 ``[n, size, size, 3]``."""
        return in_batches(self.call, pixels, len(self.classes))

    def call(self, pixels: NDArray[np.uint8]) -> Any:
        """The same for as many pictures as fit into one call of the runtime."""
        raise NotImplementedError


def in_batches(
    call: Callable[[NDArray[np.uint8]], Any],
    pixels: NDArray[np.uint8],
    classes: int,
    advance: Advance = lambda n: None,
) -> Floats:
    """Probabilities float32 ``[n, classes]`` of uint8 ``[n, S, S, 3]``, some pictures per call."""
    made = np.empty((len(pixels), classes), np.float32)
    step = pictures_a_call(pixels.shape[1])
    for start in range(0, len(pixels), step):
        part = np.ascontiguousarray(pixels[start : start + step])
        made[start : start + step] = call(part)
        advance(len(part))
    return made


def require(packages: Sequence[str], extras: str, what: str) -> None:
    """Check that packages are installed, without importing them.

    Raises:
        SettingsError: With code ``extra_missing``.
    """
    for name in packages:
        if importlib.util.find_spec(name) is None:
            raise SettingsError(
                f"{what} needs the package {name}, which is not installed.",
                remedy=f"Run: pip install 'tellapart[{extras}]'.",
                code="extra_missing",
            )


def unusable(what: str, where: Path, why: object) -> ModelError:
    """The error about an exported file or folder that is not what it should be.

    Args:
        what: What it is, such as ``"LiteRT file"``.
        where: Its path.
        why: A sentence, or an error of which the first line is quoted.
    """
    first = next(iter(str(why).strip().splitlines()), type(why).__name__)[:200]
    return ModelError(
        f"The {what} '{where}' cannot be used: {first.rstrip('.')}.",
        remedy="Copy the whole export again, or export again.",
    )
