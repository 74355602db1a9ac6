"""Self-contained HTML pages: the report of a training run and the audit of a data folder.

``views`` says what goes in (frozen dataclasses of plain values), ``render`` turns a view into
one HTML string, ``charts`` draws small SVG pictures, ``thumbnails`` turns pixels into data
URIs, ``confusion`` arranges a confusion matrix for reading, ``text`` writes numbers and names.
A page needs no script, no network and no font of its own; class and file names are text
everywhere.
"""

from __future__ import annotations

from tellapart.report.render import render_check, render_run
from tellapart.report.views import (
    CheckView,
    ClassCount,
    Distribution,
    Example,
    FindingLike,
    GalleryItem,
    RunView,
)

__all__ = [
    "CheckView",
    "ClassCount",
    "Distribution",
    "Example",
    "FindingLike",
    "GalleryItem",
    "RunView",
    "render_check",
    "render_run",
]
