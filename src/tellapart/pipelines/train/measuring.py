"""The written file on pictures that chose nothing, and the proof that it is what was measured."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart import splits
from tellapart.core.config import TrainSettings
from tellapart.core.errors import ModelError, PictureError
from tellapart.core.progress import Progress
from tellapart.core.resources import Stopwatch
from tellapart.images.decoder import decode
from tellapart.images.resizing import resize
from tellapart.metrics import evaluation
from tellapart.model import Model
from tellapart.pipelines.material import Learned, Material, Measured
from tellapart.pipelines.records import predictions

PROOFS = 32
"""Held-out pictures that the whole written file is run on, from their bytes on."""
TOLERANCE = 1e-4


def measured(
    material: Material,
    learned: Learned,
    file: Path,
    settings: TrainSettings,
    progress: Progress,
    watch: Stopwatch,
) -> Measured:
    """Evaluate the written file, on features that its own backbone gave or on pixels."""
    with watch.stage("evaluating"):
        model = Model.load(file)
        chose = np.setdiff1d(material.validation, learned.rows)
        asked = [learned.rows, material.held_out, chose]
        own, held, choice = _answers(model, learned, asked, progress)
        if material.split.method == "folds":
            rows, counted = learned.rows, np.ones(len(learned.rows), bool)
            unseen = learned.unseen()
            probabilities, proof_of = unseen.mean(axis=0), own
        else:
            rows = material.held_out
            counted = ~material.split.leaked[rows]
            probabilities = proof_of = held
            unseen = probabilities[None]
        proof = _proof(material, model, rows, proof_of, settings.seed)
        validation = _right(material, choice, chose) if len(chose) else None
    headline = _evaluation(material, learned, unseen[:, counted], rows[counted])
    return Measured(
        held_out=headline,
        as_given=None if counted.all() else _evaluation(material, learned, unseen, rows),
        train_accuracy=_right(material, own, learned.rows),
        validation_accuracy=validation,
        predictions=predictions(material, rows, probabilities, counted),
        proof=proof,
    )


def _answers(
    model: Model, learned: Learned, asked: list[NDArray[np.int64]], progress: Progress
) -> list[NDArray[np.float32]]:
    """What the file says of several sets of rows."""
    if learned.kind == "probe":  # features are known: it takes no time worth a bar
        return [learned.answer(model, rows, no_advance) for rows in asked]
    with progress.stage("Measuring", total=sum(map(len, asked))) as stage:
        return [learned.answer(model, rows, stage.advance) for rows in asked]


def no_advance(n: int) -> None:
    """Says nothing of ``n`` more pictures."""


def _right(
    material: Material, probabilities: NDArray[np.float32], rows: NDArray[np.int64]
) -> float:
    return float((probabilities.argmax(axis=1) == material.labels[rows]).mean())


def _proof(
    material: Material,
    model: Model,
    rows: NDArray[np.int64],
    expected: NDArray[np.float32],
    seed: int,
) -> dict[str, Any]:
    """Run the whole file on some pictures, from their bytes on, and compare.

    Pictures that were changed or removed since they were measured prove nothing, and are
    passed over.

    Raises:
        ModelError: If the file does not answer what was measured.
    """
    drawn = np.random.default_rng([seed, len(rows)]).permutation(len(rows))[:PROOFS]
    contents = material.scan.frame["content"]
    worst, n = 0.0, 0
    for place in sorted(drawn.tolist()):
        row = int(rows[place])
        with contextlib.suppress(PictureError):
            data = material.scan.catalog.source.read(row)
            if hashlib.sha256(data).hexdigest() != contents[row]:
                continue
            square = resize(decode(data).pixels, model.size, model.fit)
            difference = np.abs(model.run(square[None])[0] - expected[place]).max()
            worst, n = max(worst, float(difference)), n + 1
    if worst > TOLERANCE:
        raise ModelError(
            f"The written model differs from what was measured by {worst:.2g} in probability.",
            remedy="Clear the cache with 'tellapart cache clear' and train again.",
            code="not_proven",
        )
    return {"n": n, "max_difference": round(worst, 7), "tolerance": TOLERANCE}


def _evaluation(
    material: Material,
    learned: Learned,
    probabilities: NDArray[np.float32],
    rows: NDArray[np.int64],
) -> evaluation.Evaluation:
    known = np.isin(material.split.side, (splits.TRAIN, splits.VALIDATION))
    counts = np.bincount(material.labels[known], minlength=len(material.classes))
    return evaluation.evaluate(
        probabilities,
        material.labels[rows],
        classes=material.classes,
        groups=material.split.groups[rows],
        method="folds" if material.split.method == "folds" else "split",
        train_counts=counts.tolist(),
    )
