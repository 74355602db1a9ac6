"""A linear head on pretrained features, written and ready to be measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.core.config import TrainSettings
from tellapart.core.typing import Floats
from tellapart.model import writing
from tellapart.pipelines.material import Learned, Material
from tellapart.pipelines.train.preparing import Surroundings
from tellapart.transfer import probe

Rows = NDArray[np.int64]


def fitted(
    material: Material, rows: Rows, settings: TrainSettings, around: Surroundings
) -> probe.Probe:
    """The head from some rows; every choice comes from folds among them."""
    return probe.fit(
        _features(material)[rows],
        material.labels[rows],
        material.split.groups[rows],
        classes=len(material.classes),
        seed=settings.seed,
        progress=around.progress,
    )


def learn(
    material: Material,
    settings: TrainSettings,
    around: Surroundings,
    *,
    about: Mapping[str, Any] | None = None,
) -> Learned:
    """Fit a probe on the whole training part, and write its file.

    A validation slice belongs to that part: a probe's choices come from folds, so the slice has
    nothing else to do.
    """
    features, rows, consumer = _features(material), material.training, material.feature_consumer
    assert consumer is not None
    with around.watch.stage("learning", pictures=len(rows)):
        head = fitted(material, rows, settings, around)
        writing.write(
            around.folder.parent / "model.onnx",
            backbone=consumer.backbone,
            size=consumer.size,
            fit=settings.fit,
            weights=head.weights,
            bias=head.bias,
            classes=material.classes,
        )

    def unseen() -> Floats:
        return probe.repeated(
            features[rows],
            material.labels[rows],
            material.split.groups[rows],
            classes=len(material.classes),
            seed=settings.seed,
            progress=around.progress,
        ).probabilities

    return Learned(
        kind="probe",
        size=consumer.size,
        rows=rows,
        answer=lambda model, asked, advance: model.head(features[asked]),
        unseen=unseen,
        engine="onnxruntime",
        backbone=consumer.backbone.name,
        about={"probe": head.as_json(), **(about or {})},
    )


def _features(material: Material) -> Floats:
    assert material.features is not None, "the scan was asked for no features"
    return material.features
