"""Evaluation of the model file on held-out pictures, and a check from their bytes on."""

from __future__ import annotations

import contextlib
import hashlib
from typing import Any

import numpy as np

from tellapart.core.errors import ModelError, PictureError
from tellapart.core.progress import Progress
from tellapart.core.typing import Floats, Ints
from tellapart.images.decoder import decode
from tellapart.images.resizing import resize
from tellapart.metrics import evaluation
from tellapart.model import Model
from tellapart.pipelines.train.results import Measured, Prepared, Trained
from tellapart.pipelines.train.run_content import predictions

PROOFS = 32
"""Held-out pictures whose bytes are decoded again and run through the whole file."""
TOLERANCE = 1e-4


def measure(prepared: Prepared, trained: Trained, *, seed: int, progress: Progress) -> Measured:
    """Evaluate the model file, on known features of its backbone or on pixels."""
    model = Model.load(trained.file)
    validation = np.setdiff1d(prepared.validation, trained.rows)
    parts = [trained.rows, prepared.held_out, validation]
    answers = trained.predict(model, np.concatenate(parts), progress)
    on_training, on_held_out, on_validation = np.split(
        answers, np.cumsum([len(rows) for rows in parts[:-1]])
    )
    if prepared.split.method == "folds":
        rows, counted = trained.rows, np.ones(len(trained.rows), bool)
        rounds = trained.out_of_fold()
        answers, of_file = rounds.mean(axis=0), on_training
    else:
        rows = prepared.held_out
        counted = ~prepared.split.leaked[rows]
        answers = of_file = on_held_out
        rounds = answers[None]
    return Measured(
        held_out=_evaluate(prepared, rounds[:, counted], rows[counted]),
        as_given=None if counted.all() else _evaluate(prepared, rounds, rows),
        train_accuracy=_accuracy(prepared, on_training, trained.rows),
        validation_accuracy=(
            _accuracy(prepared, on_validation, validation) if len(validation) else None
        ),
        predictions=predictions(prepared, rows, answers, counted),
        proof=_proof(prepared, model, rows, of_file, seed),
    )


def _accuracy(prepared: Prepared, probabilities: Floats, rows: Ints) -> float:
    return float((probabilities.argmax(axis=1) == prepared.labels[rows]).mean())


def _proof(
    prepared: Prepared, model: Model, rows: Ints, expected: Floats, seed: int
) -> dict[str, Any]:
    """Run the whole file on the bytes of some pictures, and compare with the measured results.

    Pictures that were changed or removed since the scan are skipped.

    Raises:
        ModelError: If the probabilities differ.
    """
    drawn = np.random.default_rng([seed, len(rows)]).permutation(len(rows))[:PROOFS]
    contents = prepared.scan.frame["content"]
    worst, n = 0.0, 0
    for place in sorted(drawn.tolist()):
        row = int(rows[place])
        with contextlib.suppress(PictureError):
            data = prepared.scan.catalog.source.read(row)
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


def _evaluate(prepared: Prepared, rounds: Floats, rows: Ints) -> evaluation.Evaluation:
    counts = np.bincount(prepared.labels[prepared.not_held_out], minlength=len(prepared.classes))
    return evaluation.evaluate(
        rounds,
        prepared.labels[rows],
        classes=prepared.classes,
        groups=prepared.split.groups[rows],
        method="folds" if prepared.split.method == "folds" else "split",
        train_counts=counts.tolist(),
    )
