"""What a training leaves behind, as plain values: the content of the run folder's files."""

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
from tellapart.core.config import TrainSettings, option
from tellapart.core.version import versions
from tellapart.images.decoder import DECODER, POLICY
from tellapart.metrics import evaluation
from tellapart.pipelines.material import Learned, Material, Measured


def predictions(
    material: Material,
    rows: NDArray[np.int64],
    probabilities: NDArray[np.float32],
    counted: NDArray[np.bool_],
) -> pl.DataFrame:
    """One row a held-out picture, as ``predictions.parquet`` keeps it.

    Args:
        material: Where paths and labels come from.
        rows: int ``[n]``, the held-out rows.
        probabilities: float32 ``[n, K]``.
        counted: bool ``[n]``, false for pictures with a copy in training.
    """
    names = np.array(material.classes, dtype=object)
    best = probabilities.argmax(axis=1)
    columns: dict[str, Any] = {
        "path": material.scan.frame["path"].gather(rows),
        "label": names[material.labels[rows]].tolist(),
        "predicted": names[best].tolist(),
        "probability": probabilities.max(axis=1),
        "correct": best == material.labels[rows],
        "counted": counted,
    }
    columns |= {f"p_{i}": probabilities[:, i] for i in range(len(material.classes))}
    return pl.DataFrame(columns)


def split_frame(material: Material) -> pl.DataFrame:
    """One row a picture: where it stood, and why it was left out if it was."""
    names = {
        splits.TRAIN: "train",
        splits.HELD_OUT: "held_out",
        splits.VALIDATION: "validation",
        splits.LEFT_OUT: "left_out",
    }
    frame = material.scan.frame
    reasons = [material.audit.left_out.get(row) for row in range(frame.height)]
    return frame.select("path", "label").with_columns(
        side=pl.Series([names[int(side)] for side in material.split.side], dtype=pl.String),
        reason=pl.Series(reasons, dtype=pl.String),
        group=pl.Series(material.split.groups),
        leaked=pl.Series(material.split.leaked),
        content=frame["content"],
    )


def metrics(
    material: Material, learned: Learned, measured: Measured, verdict: diagnosis.Verdict
) -> dict[str, Any]:
    """Content of ``metrics.json``."""
    metrics: dict[str, Any] = {
        "schema": runs.SCHEMA,
        "classes": list(material.classes),
        "train": {
            "n": len(learned.rows),
            "accuracy": round(measured.train_accuracy, evaluation.DIGITS),
        },
    }
    if measured.validation_accuracy is not None:
        metrics["validation"] = {
            "n": len(material.validation),
            "accuracy": round(measured.validation_accuracy, evaluation.DIGITS),
        }
    metrics["held_out"] = measured.held_out.as_json()
    if measured.as_given is not None:
        metrics["held_out_as_given"] = measured.as_given.as_json()
    metrics["verdict"] = verdict.as_json()
    return metrics


def run_json(
    data: str | Path,
    name: str,
    material: Material,
    learned: Learned,
    proof: dict[str, Any],
    settings: TrainSettings,
) -> dict[str, Any]:
    """Content of ``run.json``."""
    frame = material.scan.frame
    chosen = settings.model_dump(mode="json")
    return {
        "schema": runs.SCHEMA,
        "name": name,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "model": learned.kind,
        "backbone": learned.backbone,
        "engine": learned.engine,
        "classes": list(material.classes),
        "decode": {
            "policy": list(POLICY),
            "decoder": DECODER,
            "size": learned.size,
            "fit": settings.fit,
        },
        "data": {
            "name": material.scan.catalog.source.name,
            "location": material.scan.catalog.source.location,
            "fingerprint": fingerprint(frame),
            "pictures": frame.height,
            "per_class": dict(sorted(frame["label"].value_counts().iter_rows())),
            "left_out": len(material.audit.left_out),
            "parts": material.split.method == "given",
            "passed_over": dict(material.scan.catalog.passed_over),
        },
        "settings": chosen,
        "seed": settings.seed,
        "versions": versions(),
        "command": _command(data, settings),
        **learned.about,
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
    """The command line that asks for the same run."""
    named = str(data)
    words = ["tellapart", "train", f"./{named}" if named.startswith("-") else named]
    for name, value in settings.model_dump(mode="json", exclude_defaults=True).items():
        if isinstance(value, bool):
            words.append(option(name) if value else option(f"no_{name}"))
        elif isinstance(value, list):
            words += [option(name), ",".join(map(str, value))]
        else:
            words += [option(name), str(value)]
    return shlex.join(words)


def facts(material: Material, learned: Learned, measured: Measured) -> diagnosis.Facts:
    """What the verdict is made from."""
    held = measured.held_out
    training = np.bincount(material.labels[learned.rows], minlength=len(material.classes)).tolist()
    support = [row.n for row in held.per_class]
    least, fewest = int(np.argmin(training)), int(np.argmin(support))
    return diagnosis.Facts(
        train_n=len(learned.rows),
        train_accuracy=measured.train_accuracy,
        held_out_n=held.n,
        held_out_accuracy=held.accuracy,
        held_out_ci95=held.accuracy_ci95,
        majority_accuracy=held.majority_accuracy,
        smallest_train_class=training[least],
        smallest_train_name=material.classes[least],
        smallest_held_out_class=support[fewest],
        smallest_held_out_name=material.classes[fewest],
        pictures=len(material.scan),
        contradicting=sum(
            finding.count
            for finding in material.audit.findings
            if finding.code == "contradicting_labels"
        ),
        leaked=int(material.split.leaked.sum()),
        undecodable=int(material.scan.frame["error"].is_not_null().sum()),
        held_out_groups=held.groups,
        model=learned.kind,
    )
