"""Training of a probe: a linear head on pretrained features."""

from __future__ import annotations

from tellapart.core.progress import Progress
from tellapart.core.typing import Floats, Ints
from tellapart.images.resizing import Fit
from tellapart.model import build_probe
from tellapart.pipelines.train.results import Context, Prepared, Trained
from tellapart.transfer import probe


def fit_head(prepared: Prepared, rows: Ints, *, seed: int, progress: Progress) -> probe.Probe:
    """The head fitted to some rows; its strength is chosen by folds among them."""
    return probe.fit(
        prepared.features[rows],
        prepared.labels[rows],
        prepared.split.groups[rows],
        classes=len(prepared.classes),
        seed=seed,
        progress=progress,
    )


def train(prepared: Prepared, *, fit: Fit, seed: int, context: Context) -> Trained:
    """Fit a probe to the whole training part, and write its model file.

    The validation slice is part of it: a probe chooses by folds, so it needs no slice.
    """
    rows, consumer = prepared.not_held_out, prepared.feature_consumer
    assert consumer is not None
    with context.watch.stage("learning", pictures=len(rows)):
        head = fit_head(prepared, rows, seed=seed, progress=context.progress)
        file = build_probe(
            backbone=consumer.backbone,
            size=consumer.size,
            fit=fit,
            weights=head.weights,
            bias=head.bias,
            classes=prepared.classes,
        )

    def out_of_fold() -> Floats:
        return probe.repeated(
            prepared.features[rows],
            prepared.labels[rows],
            prepared.split.groups[rows],
            classes=len(prepared.classes),
            seed=seed,
            progress=context.progress,
        ).probabilities

    return Trained(
        kind="probe",
        file=file,
        size=consumer.size,
        rows=rows,
        predict=lambda model, some, progress: model.head(prepared.features[some]),
        out_of_fold=out_of_fold,
        engine="onnxruntime",
        backbone=consumer.backbone.name,
        details={"probe": head.as_json()},
    )
