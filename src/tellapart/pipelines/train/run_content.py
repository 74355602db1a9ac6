"""The content of a run's files, as plain values."""

from __future__ import annotations

import datetime
import hashlib
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tellapart import diagnosis, runs, splits
from tellapart.audit import findings_frame
from tellapart.core.config import TrainSettings, option
from tellapart.core.typing import Floats, Ints
from tellapart.core.version import versions
from tellapart.images.decoder import DECODER, POLICY
from tellapart.metrics import evaluation
from tellapart.pipelines.train.results import Measured, Prepared, Trained
from tellapart.runs.request import Request


def predictions(
    prepared: Prepared,
    rows: Ints,
    probabilities: Floats,
    counted: NDArray[np.bool_],
) -> pl.DataFrame:
    """Content of ``predictions.parquet``: one row per held-out picture.

    Args:
        prepared: The pictures.
        rows: int ``[n]``, the held-out rows.
        probabilities: float32 ``[n, K]``.
        counted: bool ``[n]``, false for pictures with a copy in training.
    """
    names = np.array(prepared.classes, dtype=object)
    best = probabilities.argmax(axis=1)
    columns: dict[str, Any] = {
        "path": prepared.scan.frame["path"].gather(rows),
        "label": names[prepared.labels[rows]].tolist(),
        "predicted": names[best].tolist(),
        "probability": probabilities.max(axis=1),
        "correct": best == prepared.labels[rows],
        "counted": counted,
    }
    columns |= {f"p_{i}": probabilities[:, i] for i in range(len(prepared.classes))}
    return pl.DataFrame(columns)


def _split_frame(prepared: Prepared) -> pl.DataFrame:
    """Content of ``split.parquet``: one row per picture, with its side and why it was left out."""
    names = {
        splits.TRAIN: "train",
        splits.HELD_OUT: "held_out",
        splits.VALIDATION: "validation",
        splits.LEFT_OUT: "left_out",
    }
    frame = prepared.scan.frame
    reasons = [prepared.audit.left_out.get(row) for row in range(frame.height)]
    return frame.select("path", "label").with_columns(
        side=pl.Series([names[int(side)] for side in prepared.split.side], dtype=pl.String),
        reason=pl.Series(reasons, dtype=pl.String),
        group=pl.Series(prepared.split.groups),
        leaked=pl.Series(prepared.split.leaked),
        content=frame["content"],
    )


def run_content(
    name: str, request: Request, prepared: Prepared, trained: Trained, measured: Measured
) -> runs.Content:
    """All files of the run except the timings and the report."""
    return runs.Content(
        model=trained.file,
        settings=_run_json(name, request, prepared, trained, measured.proof),
        metrics=_metrics_json(prepared, trained, measured),
        split=_split_frame(prepared),
        findings=findings_frame(prepared.audit),
        predictions=measured.predictions,
        history=trained.history,
        files=trained.files,
    )


def _metrics_json(prepared: Prepared, trained: Trained, measured: Measured) -> dict[str, Any]:
    """Content of ``metrics.json``."""
    metrics: dict[str, Any] = {
        "schema": runs.SCHEMA,
        "classes": list(prepared.classes),
        "train": {
            "n": len(trained.rows),
            "accuracy": round(measured.train_accuracy, evaluation.DIGITS),
        },
    }
    if measured.validation_accuracy is not None:
        metrics["validation"] = {
            "n": len(prepared.validation),
            "accuracy": round(measured.validation_accuracy, evaluation.DIGITS),
        }
    metrics["held_out"] = measured.held_out.as_json()
    if measured.as_given is not None:
        metrics["held_out_as_given"] = measured.as_given.as_json()
    verdict = diagnosis.diagnose(_facts(prepared, trained, measured))
    metrics["verdict"] = verdict.as_json()
    return metrics


def _run_json(
    name: str, request: Request, prepared: Prepared, trained: Trained, proof: dict[str, Any]
) -> dict[str, Any]:
    """Content of ``run.json``."""
    frame, settings = prepared.scan.frame, request.settings
    return {
        "schema": runs.SCHEMA,
        "name": name,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "model": trained.kind,
        "backbone": trained.backbone,
        "engine": trained.engine,
        "classes": list(prepared.classes),
        "decode": {
            "policy": list(POLICY),
            "decoder": DECODER,
            "size": trained.size,
            "fit": settings.fit,
        },
        "data": {
            "name": prepared.scan.catalog.source.name,
            "location": prepared.scan.catalog.source.location,
            "fingerprint": fingerprint(frame),
            "pictures": frame.height,
            "per_class": dict(sorted(frame["label"].value_counts().iter_rows())),
            "left_out": len(prepared.audit.left_out),
            "parts": prepared.split.method == "given",
            "passed_over": dict(prepared.scan.catalog.passed_over),
        },
        "settings": settings.model_dump(mode="json"),
        "seed": settings.seed,
        "versions": versions(),
        "command": _command(request.data, settings),
        **trained.details,
        "proof": proof,
    }


def fingerprint(frame: pl.DataFrame) -> str:
    """SHA-256 over path, label, part, group and content of every picture, in order."""
    digest = hashlib.sha256()
    for row in frame.select("path", "label", "part", "group", "content").iter_rows():
        digest.update("\x1f".join("" if value is None else str(value) for value in row).encode())
        digest.update(b"\x1e")
    return digest.hexdigest()


def _command(data: str | Path, settings: TrainSettings) -> str:
    """The command that trains the same run."""
    named = str(data)
    words = ["tellapart", "train", f"./{named}" if named.startswith("-") else named]
    for name, value in settings.model_dump(mode="json", exclude_defaults=True).items():
        if isinstance(value, bool):
            words.append(option(name) if value else option(f"no_{name}"))
        elif isinstance(value, list) and all(isinstance(one, str) for one in value):
            words += [word for one in value for word in (option(name), one)]
        elif isinstance(value, list):
            words += [option(name), ",".join(map(str, value))]
        else:
            words += [option(name), str(value)]
    return shlex.join(words)


def _facts(prepared: Prepared, trained: Trained, measured: Measured) -> diagnosis.Facts:
    """The numbers that the verdict depends on."""
    held = measured.held_out
    training = np.bincount(prepared.labels[trained.rows], minlength=len(prepared.classes)).tolist()
    support = [row.n for row in held.per_class]
    least, fewest = int(np.argmin(training)), int(np.argmin(support))
    return diagnosis.Facts(
        train_n=len(trained.rows),
        train_accuracy=measured.train_accuracy,
        held_out_n=held.n,
        held_out_accuracy=held.accuracy,
        held_out_ci95=held.accuracy_ci95,
        majority_accuracy=held.majority_accuracy,
        smallest_train_class=training[least],
        smallest_train_name=prepared.classes[least],
        smallest_held_out_class=support[fewest],
        smallest_held_out_name=prepared.classes[fewest],
        pictures=len(prepared.scan),
        contradicting=sum(
            finding.count
            for finding in prepared.audit.findings
            if finding.code == "contradicting_labels"
        ),
        leaked=int(prepared.split.leaked.sum()),
        undecodable=int(prepared.scan.frame["error"].is_not_null().sum()),
        held_out_groups=held.groups,
        model=trained.kind,
    )
