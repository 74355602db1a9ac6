"""What a page is made from: frozen values, no files, no models.

Whoever builds a view has already read everything; rendering it reads nothing and decides
nothing about the data. A picture is either pixels (uint8 ``[H, W, 3]``, any size) or a
``data:image/…;base64,`` URI; pixels are shrunk and encoded while rendering, within a budget
for the whole page, so give the most telling pictures first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tellapart.reports.network_views import Candidate, LearningView

Picture: TypeAlias = "NDArray[np.uint8] | str"
"""Pixels, uint8 ``[H, W, 3]``, or a ``data:image/…;base64,`` URI."""


class FindingLike(Protocol):
    """What a page shows of a finding; ``tellapart.audit.Finding`` is one."""

    @property
    def code(self) -> str:
        """A stable name, such as ``"near_duplicates"``."""

    @property
    def level(self) -> str:
        """``"error"``, ``"warning"`` or ``"note"``."""

    @property
    def count(self) -> int:
        """How many pictures (or classes) it is about."""

    @property
    def sentence(self) -> str:
        """What was found and what it means."""

    @property
    def remedy(self) -> str:
        """What to do about it; may be empty."""

    @property
    def paths(self) -> Sequence[str]:
        """The pictures it is about, all of them."""


class Example(NamedTuple):
    """One picture shown under a finding; a plain ``(path, picture)`` tuple does as well.

    ``caption`` stands under the picture before its path, such as ``"labeled cats"``.
    """

    path: str
    picture: Picture
    caption: str = ""


@dataclass(frozen=True, slots=True)
class ClassCount:
    """How many pictures of one class stand where."""

    name: str
    train: int = 0
    held_out: int = 0
    validation: int = 0
    left_out: int = 0

    @property
    def total(self) -> int:
        """All pictures of the class, those left out included."""
        return self.train + self.held_out + self.validation + self.left_out


@dataclass(frozen=True, slots=True)
class GalleryItem:
    """A held-out picture that the model got wrong, or was least sure of.

    Args:
        path: The picture's path in the data.
        truth: The class it is labeled with.
        predicted: The class the model gives it.
        probability: What the model gives ``predicted``, 0 to 1.
        picture: The picture; for a heat map, exactly the part of it that the network saw
            (the whole picture with ``squash``, the middle with ``crop``), in any size.
        heat: float ``[h, w]`` of any size, or None: evidence for ``predicted`` at each
            place, positive speaks for it, negative against it. It covers the picture edge
            to edge.
        truth_probability: What the model gives ``truth``, 0 to 1, or None.
    """

    path: str
    truth: str
    predicted: str
    probability: float
    picture: Picture
    heat: NDArray[np.floating[Any]] | None = None
    truth_probability: float | None = None

    @property
    def wrong(self) -> bool:
        """Whether the model disagrees with the label."""
        return self.truth != self.predicted


@dataclass(frozen=True, slots=True)
class Distribution:
    """Values of which a small histogram is drawn.

    Args:
        title: What is counted, such as ``"Longer side"``.
        unit: Unit of the values, such as ``"pixels"``.
        values: One number a picture, ``[n]``; None and NaN are passed over.
        low: Left end of the axis; the smallest value unless given.
        high: Right end of the axis; the largest value unless given.
        help: A sentence on how to read it; may be empty.
    """

    title: str
    unit: str
    values: Sequence[float | None] | NDArray[np.generic]
    low: float | None = None
    high: float | None = None
    help: str = ""


@dataclass(frozen=True, slots=True)
class RunView:
    """A training run, as the report shows it.

    Args:
        run: Content of ``run.json``.
        metrics: Content of ``metrics.json``. Members beyond those that DESIGN.md names, used
            where present: ``held_out.reliability`` (list of ``{low, high, n, confidence,
            accuracy, ci95}``) and ``verdict.next``. The confusion matrix may hold fractions
            (averages over repeated folds).
        timings: Content of ``timings.json``.
        counts: Where the pictures of each class stand, in the order of ``classes``.
        findings: What the audit found, in the order to show; nothing is sorted here.
        examples: Finding code → pictures to show under it.
        left_out: ``(path, reason)`` of every picture that was left out.
        gallery: Most confident mistakes, most confident first; where there are none, the
            pictures it was least sure of, least sure first. Both may be given; they are
            told apart by ``GalleryItem.wrong``.
        confidences: What the model gives the class it says, one a held-out picture that
            counts, shares of 1; drawn under the reliability chart.
        next_steps: What to do next, from the verdict; ``verdict.next`` of the metrics
            unless given.
        model_sha256: Hash of ``model.onnx``, hexadecimal; empty if not known.
        model_bytes: Size of ``model.onnx``.
        version: Version of tellapart that writes the page.
        learning: How the network learned and what it sees; None for a probe.
        candidates: What was tried by ``--model auto``, best first; empty otherwise.
    """

    run: Mapping[str, Any]
    metrics: Mapping[str, Any]
    timings: Mapping[str, Any] = field(default_factory=dict)
    counts: Sequence[ClassCount] = ()
    findings: Sequence[FindingLike] = ()
    examples: Mapping[str, Sequence[Example | tuple[str, Picture]]] = field(default_factory=dict)
    left_out: Sequence[tuple[str, str]] = ()
    gallery: Sequence[GalleryItem] = ()
    confidences: Sequence[float] | NDArray[np.floating[Any]] = ()
    next_steps: Sequence[str] = ()
    model_sha256: str = ""
    model_bytes: int | None = None
    version: str = ""
    learning: LearningView | None = None
    candidates: Sequence[Candidate] = ()


@dataclass(frozen=True, slots=True)
class CheckView:
    """A data audit, as its page shows it.

    Args:
        name: Display name of the data, such as ``pets.zip``.
        data: The data as the user typed it, for the commands under "what to do next".
        pictures: Rows of the catalog, the bad ones included.
        usable: Pictures that decode and are not left out, or None if not known.
        counts: One a class; where the data has no parts, everything stands in ``train``.
        parts: Whether the data came in parts (training, held out, validation).
        formats: Format → pictures, such as ``{"JPEG": 2990, "PNG": 10}``.
        bytes: Size of all files together, or None.
        distributions: Histograms to draw: sizes, brightness, sharpness.
        findings: What the audit found, in the order to show.
        examples: Finding code → pictures to show under it.
        passed_over: Why → how many files were passed over.
        policy: The decode policy, one sentence a rule.
        corrections: Name of the corrections file that was written beside the page, or
            empty if none was.
        created: When, ISO 8601 in UTC; may be empty.
        seconds: How long the check took, or None.
        version: Version of tellapart that writes the page.
    """

    name: str
    data: str
    pictures: int
    usable: int | None = None
    counts: Sequence[ClassCount] = ()
    parts: bool = False
    formats: Mapping[str, int] = field(default_factory=dict)
    bytes: int | None = None
    distributions: Sequence[Distribution] = ()
    findings: Sequence[FindingLike] = ()
    examples: Mapping[str, Sequence[Example | tuple[str, Picture]]] = field(default_factory=dict)
    passed_over: Mapping[str, int] = field(default_factory=dict)
    policy: Sequence[str] = ()
    corrections: str = ""
    created: str = ""
    seconds: float | None = None
    version: str = ""
