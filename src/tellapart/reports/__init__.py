"""Self-contained HTML pages: the report of a training run and the audit of a data folder.

| Modules | What they do |
|---|---|
| ``views``, ``network_views`` | what a page is made from: frozen dataclasses of plain values |
| ``pages``, ``network_pages`` | read a run folder, an audit and a few pictures into views |
| ``render`` | turns a view into one HTML string |
| ``sections``, ``network_sections`` | what each section shows |
| ``confusion`` | arranges a confusion matrix for reading |
| ``charts``, ``network_charts``, ``rates`` | charts |
| ``plot``, ``svg`` | axes, lines and bars of all charts; SVG elements |
| ``line_labels`` | places the names of lines where they cover nothing |
| ``thumbnails``, ``maps`` | turn pixels, filters and feature maps into data URIs |

A page needs no script, no network and no font of its own; class and file names are text
everywhere. What a network's sections show is imported from :mod:`.network_views`.
"""

from __future__ import annotations

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
