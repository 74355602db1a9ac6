"""The files of a finished training, written into the folder that becomes its run."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tellapart.runs.files import write_json
from tellapart.runs.folder import Run

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Content:
    """What a run folder holds besides its timings and its report.

    Attributes:
        model: The bytes of ``model.onnx``.
        settings: Of ``run.json``.
        metrics: Of ``metrics.json``.
        split: One row per picture.
        findings: One row per finding and picture.
        predictions: One row per held-out picture.
        history: One row per epoch of a network's training; None for a probe.
        files: More files or folders to move into the run folder, by name.
    """

    model: bytes
    settings: Mapping[str, Any]
    metrics: Mapping[str, Any]
    split: pl.DataFrame
    findings: pl.DataFrame
    predictions: pl.DataFrame
    history: pl.DataFrame | None = None
    files: Mapping[str, Path] = field(default_factory=dict)


def save(
    folder: Path,
    content: Content,
    *,
    timings: Callable[[], Mapping[str, Any]],
    report: Callable[[Run], str],
) -> None:
    """Write every file of a run.

    Args:
        folder: What :func:`tellapart.runs.create` gave.
        content: What to write.
        timings: Gives the content of ``timings.json``; asked before and after the report.
        report: Renders the page from the run, whose other files are written by then.
    """
    (folder / "model.onnx").write_bytes(content.model)
    write_json(folder / "run.json", content.settings)
    write_json(folder / "metrics.json", content.metrics)
    tables = {
        "split": content.split,
        "findings": content.findings,
        "predictions": content.predictions,
        "history": content.history,
    }
    for name, table in tables.items():
        if table is not None:
            table.write_parquet(folder / f"{name}.parquet")
    for name, file in content.files.items():
        shutil.move(file, folder / name)
    write_json(folder / "timings.json", timings())
    (folder / "report.html").write_text(report(Run(folder)), encoding="utf-8")
    write_json(folder / "timings.json", timings())
