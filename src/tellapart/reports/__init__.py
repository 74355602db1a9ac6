"""Self-contained HTML pages: the report of a training run and the audit of a data folder.

``views`` and ``learning`` say what goes in (frozen dataclasses of plain values), ``render``
turns a view into one HTML string, ``sections`` and ``networks`` arrange what each section
shows, ``charts`` and ``curves`` draw small SVG pictures, ``thumbnails`` and ``maps`` turn
pixels into data URIs, ``confusion`` arranges a confusion matrix for reading, ``text`` writes
numbers and names. A page needs no script, no network and no font of its own; class and file
names are text everywhere.
"""

from __future__ import annotations

from tellapart.reports.learning import (
    AugmentedRow,
    Candidate,
    EpochRow,
    FeatureMap,
    Layer,
    LearningView,
    Stage,
)
from tellapart.reports.render import render_check, render_run
from tellapart.reports.views import (
    CheckView,
    ClassCount,
    Distribution,
    Example,
    FindingLike,
    GalleryItem,
    RunView,
)

__all__ = [
    "AugmentedRow",
    "Candidate",
    "CheckView",
    "ClassCount",
    "Distribution",
    "EpochRow",
    "Example",
    "FeatureMap",
    "FindingLike",
    "GalleryItem",
    "Layer",
    "LearningView",
    "RunView",
    "Stage",
    "render_check",
    "render_run",
]
