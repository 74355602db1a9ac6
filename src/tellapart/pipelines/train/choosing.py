"""``--model auto``: the probe first, then the networks that a budget has time for.

Every candidate is measured on the validation slice, which lies inside the training part; the
held-out pictures see only the one that is chosen.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart import splits
from tellapart.core.config import TrainSettings
from tellapart.core.errors import SettingsError
from tellapart.metrics import evaluation
from tellapart.metrics.intervals import wilson
from tellapart.model import Model
from tellapart.pipelines.material import Learned, Material
from tellapart.pipelines.train import networks, probes
from tellapart.pipelines.train.measuring import no_advance
from tellapart.pipelines.train.preparing import Surroundings

BUDGET = 120.0
"""Seconds for all candidates where no budget was given."""
_PHOTOGRAPHS = ("resnet", "cnn")
_SMALL_PICTURES = ("dnn", "resnet")
_SMALL = 40  # pixels a side
_SLICE_LEAST = 50
"""Pictures in the slice under which no choice is made by it."""


@dataclass(frozen=True)
class Candidate:
    """A model that was tried, as ``run.json`` keeps it.

    Attributes:
        name: ``probe`` or the network.
        accuracy: Share of the validation slice that is right; None if it was not trained.
        ci95: Its interval.
        n: Pictures of the slice.
        seconds: How long it took.
        chosen: Whether it is the one.
        note: Why it was not trained, or what else there is to say.
    """

    name: str
    accuracy: float | None
    ci95: tuple[float, float] | None
    n: int
    seconds: float
    chosen: bool = False
    note: str = ""


def learn(material: Material, settings: TrainSettings, around: Surroundings) -> Learned:
    """Try the candidates, choose by the validation slice, and write the chosen one's file.

    The probe is chosen unless a network has more of the slice right: it is the quickest, and
    can be explained exactly.
    """
    rows = material.validation
    if len(rows) < _SLICE_LEAST:
        why = f"chosen without a trial: {len(rows)} pictures to choose by are too few"
        only = Candidate("probe", None, None, len(rows), 0.0, True, why)
        return probes.learn(material, settings, around, about=_about([only]))
    tried = [_probe(material, settings, around)]
    budget = settings.budget or BUDGET
    left = budget - tried[0].seconds
    learned: dict[str, Learned] = {}
    kinds = _kinds(material)
    for place, kind in enumerate(kinds):
        share = left / (len(kinds) - place)
        start = time.perf_counter()
        candidate, found = _network(material, kind, settings, around, share)
        spent = time.perf_counter() - start
        left = max(left - spent, 1.0)
        tried.append(dataclasses.replace(candidate, seconds=spent))
        if found is not None:
            learned[kind] = found
    best = max(tried, key=lambda one: -1.0 if one.accuracy is None else one.accuracy)
    told = _about([dataclasses.replace(one, chosen=one is best) for one in tried])
    if best.name == "probe":
        return probes.learn(material, settings, around, about=told)
    chosen = learned[best.name]
    (around.folder / best.name / "model.onnx").replace(around.folder.parent / "model.onnx")
    return dataclasses.replace(chosen, about={**chosen.about, **told})


def _kinds(material: Material) -> tuple[str, ...]:
    assert material.pixels is not None
    return _SMALL_PICTURES if material.pixels.size <= _SMALL else _PHOTOGRAPHS


def _probe(material: Material, settings: TrainSettings, around: Surroundings) -> Candidate:
    """The probe, fitted without the slice and measured on it."""
    start = time.perf_counter()
    assert material.features is not None
    head = probes.fitted(material, material.rows(splits.TRAIN), settings, around)
    rows = material.validation
    logits = material.features[rows] @ head.weights + head.bias
    return _measured("probe", logits, material, time.perf_counter() - start)


def _network(
    material: Material,
    kind: str,
    settings: TrainSettings,
    around: Surroundings,
    budget: float,
) -> tuple[Candidate, Learned | None]:
    """One network within its share of the budget; a note where it cannot be had."""
    own = dataclasses.replace(around, folder=around.folder / kind / "work")
    own.folder.mkdir(parents=True, exist_ok=True)
    n = len(material.validation)
    with around.progress.stage("Trying", unit="") as stage:
        stage.summarize(f"a {kind}, for at most {budget:.0f} s")
    try:
        learned = networks.learn(material, kind, settings, own, budget=budget)
    except SettingsError as error:
        if error.code not in ("budget_too_short", "extra_missing", "too_small"):
            raise
        return Candidate(kind, None, None, n, 0.0, note=str(error)), None
    model = Model.load(own.folder.parent / "model.onnx")
    answers = learned.answer(model, material.validation, no_advance)
    return _measured(kind, answers, material, 0.0), learned


def _measured(
    name: str, answers: NDArray[np.float32], material: Material, seconds: float
) -> Candidate:
    truth = material.labels[material.validation]
    right = int((answers.argmax(axis=1) == truth).sum())
    low, high = wilson(right, len(truth))
    accuracy = round(right / len(truth), evaluation.DIGITS)
    interval = (round(low, evaluation.DIGITS), round(high, evaluation.DIGITS))
    return Candidate(name, accuracy, interval, len(truth), seconds)


def _about(tried: list[Candidate]) -> Mapping[str, Any]:
    rows = [dataclasses.asdict(one) | {"seconds": round(one.seconds, 1)} for one in tried]
    return {"candidates": rows}
