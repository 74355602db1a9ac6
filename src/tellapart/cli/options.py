"""Options that several commands share, so that they read the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help="A folder with one sub-folder a class, a .zip or .tar of one, or a CSV, JSON Lines "
        "or Parquet manifest.",
        show_default=False,
    ),
]
RunFolder = Annotated[
    str,
    typer.Argument(metavar="RUN", help="A run folder, as 'train' printed it.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
Rescan = Annotated[
    bool, typer.Option("--rescan", help="Read every file again instead of trusting its date.")
]
Corrections = Annotated[
    Path | None,
    typer.Option(
        "--corrections",
        metavar="FILE",
        help="A CSV (path,action,label) of pictures to exclude or relabel.",
        show_default=False,
    ),
]
GroupFrom = Annotated[
    str | None,
    typer.Option(
        "--group-from",
        metavar="parent|REGEX",
        help="Keep pictures together that share a group (patient, specimen, burst), read from "
        "their parent folder or by a regular expression.",
        show_default=False,
    ),
]
LabelFrom = Annotated[
    str | None,
    typer.Option(
        "--label-from",
        metavar="name",
        help="Take labels from file names such as cat.0.jpg.",
        show_default=False,
    ),
]
