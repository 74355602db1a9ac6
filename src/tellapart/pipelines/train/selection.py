"""Model selection, ``--model auto``: the probe, and the networks that the budget has time for.

All candidates are compared on the validation slice, which is inside the training part. Only the
chosen one is evaluated on the held-out pictures.
"""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass

from tellapart import splits
from tellapart.core.config import TrainSettings
from tellapart.core.errors import SettingsError
from tellapart.core.progress import SILENT
from tellapart.core.typing import Floats
from tellapart.metrics import evaluation
from tellapart.metrics.intervals import wilson
from tellapart.model import Model
from tellapart.pipelines.train import networks, probes
from tellapart.pipelines.train.results import Context, Prepared, Trained

BUDGET = 120.0
"""Seconds for all candidates if no budget was given."""
_FOR_PHOTOS = ("resnet", "cnn")
_FOR_SMALL_PICTURES = ("dnn", "resnet")
_SMALL = 40  # pixels per side
_SLICE_LEAST = 50
"""Fewest pictures in a validation slice that candidates are compared on."""


@dataclass(frozen=True)
class Candidate:
    """A model that was tried, for ``run.json``.

    Attributes:
        name: ``probe`` or the network.
        accuracy: On the validation slice; None if it was not trained.
        ci95: Interval of the accuracy.
        n: Pictures of the slice.
        seconds: Training time.
        chosen: Whether it was chosen.
        note: Why it was not trained, or why it was chosen without a trial.
    """

    name: str
    accuracy: float | None
    ci95: tuple[float, float] | None
    n: int
    seconds: float
    chosen: bool = False
    note: str = ""


def train(prepared: Prepared, settings: TrainSettings, context: Context) -> Trained:
    """Train the candidates, and choose by their accuracy on the validation slice.

    The probe wins a tie: it is the fastest, and has exact explanations.
    """
    n = len(prepared.validation)
    if n < _SLICE_LEAST:
        why = f"chosen without a trial: {n} pictures to choose by are too few"
        candidates = [Candidate("probe", None, None, n, 0.0, note=why)]
        best, chosen = candidates[0], None
    else:
        candidates, trained = _try_all(prepared, settings, context)
        best = max(candidates, key=lambda one: -1.0 if one.accuracy is None else one.accuracy)
        chosen = trained.get(best.name)
    if chosen is None:
        chosen = probes.train(prepared, fit=settings.fit, seed=settings.seed, context=context)
    rows = [
        dataclasses.asdict(one) | {"seconds": round(one.seconds, 1), "chosen": one is best}
        for one in candidates
    ]
    return dataclasses.replace(chosen, details={**chosen.details, "candidates": rows})


def _try_all(
    prepared: Prepared, settings: TrainSettings, context: Context
) -> tuple[list[Candidate], dict[str, Trained]]:
    """The probe, then each network within an equal share of the rest of the budget."""
    start = time.perf_counter()
    head = probes.fit_head(
        prepared, prepared.rows(splits.TRAIN), seed=settings.seed, progress=context.progress
    )
    logits = prepared.features[prepared.validation] @ head.weights + head.bias
    seconds = time.perf_counter() - start
    candidates = [_candidate("probe", logits, prepared, seconds)]
    left = (settings.budget or BUDGET) - seconds
    trained: dict[str, Trained] = {}
    kinds = _FOR_SMALL_PICTURES if prepared.pixels.size <= _SMALL else _FOR_PHOTOS
    for number, kind in enumerate(kinds):
        start = time.perf_counter()
        budget = left / (len(kinds) - number)
        candidate, network = _try_network(prepared, kind, settings, context, budget)
        seconds = time.perf_counter() - start
        left = max(left - seconds, 1.0)
        candidates.append(dataclasses.replace(candidate, seconds=seconds))
        if network is not None:
            trained[kind] = network
    return candidates, trained


def _try_network(
    prepared: Prepared, kind: str, settings: TrainSettings, context: Context, budget: float
) -> tuple[Candidate, Trained | None]:
    """One network within its share of the budget; a note if it cannot be trained."""
    own = dataclasses.replace(context, folder=context.folder / kind)
    own.folder.mkdir()
    with context.progress.stage("Trying", unit="") as stage:
        stage.summarize(f"a {kind}, for at most {budget:.0f} s")
    try:
        trained = networks.train(prepared, kind, settings, own, budget=budget)
    except SettingsError as error:
        if error.code not in ("budget_too_short", "extra_missing", "too_small"):
            raise
        n = len(prepared.validation)
        return Candidate(kind, None, None, n, 0.0, note=str(error)), None
    answers = trained.predict(Model.load(trained.file), prepared.validation, SILENT)
    return _candidate(kind, answers, prepared, 0.0), trained


def _candidate(name: str, answers: Floats, prepared: Prepared, seconds: float) -> Candidate:
    truth = prepared.labels[prepared.validation]
    right = int((answers.argmax(axis=1) == truth).sum())
    low, high = wilson(right, len(truth))
    accuracy = round(right / len(truth), evaluation.DIGITS)
    interval = (round(low, evaluation.DIGITS), round(high, evaluation.DIGITS))
    return Candidate(name, accuracy, interval, len(truth), seconds)
