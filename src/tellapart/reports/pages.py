"""From values to the views of the two pages: what is shown, of which pictures, and how many.

:mod:`tellapart.reports` renders views and reads nothing; this module reads: the run folder,
the few pictures that are shown, and their heat maps.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from tellapart import runs
from tellapart.audit import Audit, Finding
from tellapart.core.errors import PictureError, TellapartError
from tellapart.core.version import __version__
from tellapart.data.catalog import open_again
from tellapart.data.sources.names import raw
from tellapart.explanations import heat_of
from tellapart.images.decoder import POLICY, decode
from tellapart.images.resizing import RGB, Fit, resize, stretch
from tellapart.reports import (
    CheckView,
    ClassCount,
    Distribution,
    Example,
    GalleryItem,
    RunView,
    render_run,
)
from tellapart.reports.network_pages import candidates, learning_view
from tellapart.runs import Run

if TYPE_CHECKING:
    from tellapart.scanning.scanner import Scan

Reader = Callable[[str], bytes | None]
"""Gives the bytes of a picture by its path, or None where it cannot be had any more."""

GALLERY = 24
EXAMPLES = 6
THUMB_SIDE = 240  # pixels, of what is handed to the page


def run_view(run: Run, read: Reader) -> RunView:
    """The view of a run's report.

    Args:
        run: A run whose files, but for the report, are written.
        read: Gives pictures by path; those it cannot give are left out of the page.
    """
    findings = stored_findings(run.findings)
    labels = dict(run.split.select("path", "label").iter_rows())
    return RunView(
        run=run.settings,
        metrics=run.metrics,
        timings=run.timings,
        counts=_counts(run.split, run.classes),
        findings=findings,
        examples=_examples(findings, _by_path(read), labels),
        left_out=run.split.filter(pl.col("side") == "left_out").select("path", "reason").rows(),
        gallery=_gallery(run, read),
        confidences=run.predictions.filter(pl.col("counted"))["probability"].to_numpy(),
        model_sha256=run.model.fingerprint,
        model_bytes=(run.path / "model.onnx").stat().st_size,
        version=__version__,
        learning=learning_view(run, _by_path(read)),
        candidates=candidates(run),
        next_steps=run.next_steps,
    )


def check_view(
    scan: Scan,
    audit: Audit,
    *,
    data: str,
    created: str,
    corrections: str,
) -> CheckView:
    """The view of a check's page."""
    frame = scan.frame
    sound = frame.filter(pl.col("error").is_null())
    load = _by_path(reader_of(scan.catalog.paths, scan.catalog.source.read))
    return CheckView(
        name=scan.catalog.source.name,
        data=data,
        pictures=len(scan),
        usable=len(scan) - len(audit.left_out),
        counts=_counts(_sides(frame, audit), scan.catalog.classes),
        parts=scan.catalog.layout == "parts" or frame["part"].is_not_null().any(),
        formats=dict(sound["format"].value_counts(sort=True).iter_rows()),
        bytes=int(frame["bytes"].sum() or 0),
        distributions=_distributions(sound),
        findings=audit.findings,
        examples=_examples(audit.findings, load, dict(frame.select("path", "label").iter_rows())),
        passed_over=scan.catalog.passed_over,
        policy=POLICY,
        corrections=corrections,
        created=created,
        seconds=scan.seconds,
        version=__version__,
    )


def stored_findings(frame: pl.DataFrame) -> tuple[Finding, ...]:
    """Findings as ``findings.parquet`` keeps them: one row a finding and picture."""
    findings = []
    keys = ["code", "level", "count", "sentence", "remedy"]
    for key, group in frame.group_by(keys, maintain_order=True):
        code, level, count, sentence, remedy = key
        paths = tuple(path for path in group["path"] if path is not None)
        findings.append(Finding(code, level, count, sentence, remedy, paths))
    return tuple(findings)


def _sides(frame: pl.DataFrame, audit: Audit) -> pl.DataFrame:
    left_out = pl.Series([row in audit.left_out for row in range(frame.height)], dtype=pl.Boolean)
    has_test = bool((frame["part"] == "test").any())
    held = "test" if has_test else "validation"
    side = (
        pl.when(left_out)
        .then(pl.lit("left_out"))
        .when(pl.col("part") == held)
        .then(pl.lit("held_out"))
        .when(pl.col("part") == "validation")
        .then(pl.lit("validation"))
        .otherwise(pl.lit("train"))
    )
    return frame.select("label", side=side)


def _counts(split: pl.DataFrame, classes: Sequence[str]) -> list[ClassCount]:
    table: dict[str, dict[str, int]] = {name: {} for name in classes}
    for label, side, count in split.group_by("label", "side").len().iter_rows():
        if label in table:
            table[label][side] = count
    return [ClassCount(name, **sides) for name, sides in table.items()]


def _distributions(sound: pl.DataFrame) -> list[Distribution]:
    longer = sound.select(pl.max_horizontal("width", "height")).to_series()
    return [
        Distribution("Longer side", "pixels", longer.to_numpy()),
        Distribution("Brightness", "mean luma", sound["brightness"].to_numpy(), 0, 255),
        Distribution("Contrast", "spread of luma", sound["contrast"].to_numpy(), 0),
    ]


def _examples(
    findings: Sequence[Any],
    load: Callable[[str], RGB | None],
    labels: Mapping[str, str | None],
) -> dict[str, list[Example | tuple[str, Any]]]:
    examples: dict[str, list[Example | tuple[str, Any]]] = {}
    for finding in findings:
        shown = examples.setdefault(finding.code, [])
        for path in finding.paths[:EXAMPLES]:
            pixels = load(path)
            if pixels is not None:
                shown.append(Example(path, _small(pixels), labels.get(path) or ""))
    return examples


def _gallery(run: Run, read: Reader) -> list[GalleryItem]:
    """The most confident mistakes; without any, what the model was least sure of."""
    shown = run.predictions.filter(pl.col("counted") & ~pl.col("correct")).sort(
        ["probability", "path"], descending=[True, False]
    )
    if shown.is_empty():
        shown = run.predictions.filter(pl.col("counted")).sort("probability", "path").head(8)
    items: list[GalleryItem] = []
    model, classes = run.model, run.classes
    for row in shown.head(GALLERY).iter_rows(named=True):
        pixels = _load(read, row["path"])
        if pixels is None:
            continue
        seen = resize(pixels, model.size, model.fit)
        heat = None
        if model.has_map or model.layers():  # hiding parts, for the others, would take too long
            heat = heat_of(model, seen, classes.index(row["predicted"]))
        items.append(
            GalleryItem(
                path=row["path"],
                truth=row["label"],
                predicted=row["predicted"],
                probability=row["probability"],
                picture=_small(_seen(pixels, seen, model.fit)),
                heat=heat,
                truth_probability=row[f"p_{classes.index(row['label'])}"],
            )
        )
    return items


def _by_path(read: Reader) -> Callable[[str], RGB | None]:
    return lambda path: _load(read, path)


def _load(read: Reader, path: str) -> RGB | None:
    try:
        data = read(path)
        return None if data is None else decode(data).pixels
    except PictureError:
        return None


def _seen(pixels: RGB, square: RGB, fit: Fit) -> RGB:
    """The part of the picture that the network saw, in its own shape where that is whole."""
    return pixels if fit == "squash" else square


def _small(pixels: RGB) -> RGB:
    height, width = pixels.shape[:2]
    scale = min(1.0, THUMB_SIDE / max(height, width))
    return stretch(pixels, max(1, round(width * scale)), max(1, round(height * scale)))


def reader_of(paths: Sequence[str], read: Callable[[int], bytes]) -> Reader:
    """A :data:`Reader` over the rows of an open catalog."""
    rows = {path: row for row, path in enumerate(paths)}

    def get(path: str) -> bytes | None:
        return read(rows[path]) if path in rows else None

    return get


def replace_page(path: Path, page: str) -> Path:
    """Write a page whole: whoever opens the file sees the old one or the new one."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(page, encoding="utf-8")
    partial.replace(path)
    return path


def rewrite_report(path: str | Path) -> Path:
    """Write a run's report again, from its files and the pictures that are still there.

    Returns:
        The report's path.

    Raises:
        RunError: If the run cannot be read.
    """
    run = runs.open_run(path)
    read = _reader_of_run(run)
    return replace_page(run.path / "report.html", render_run(run_view(run, read)))


def _reader_of_run(run: runs.Run) -> Reader:
    """Reads pictures of the run's data, where they are still what they were."""
    chosen = run.settings.get("settings", {})
    data = run.settings.get("data", {})
    try:
        catalog = open_again(raw(str(data.get("location", ""))), chosen)
    except TellapartError:
        return lambda path: None
    contents = dict(run.split.select("path", "content").iter_rows())
    read = reader_of(catalog.paths, catalog.source.read)

    def unchanged(path: str) -> bytes | None:
        found = read(path)
        if found is None or hashlib.sha256(found).hexdigest() != contents.get(path):
            return None
        return found

    return unchanged
