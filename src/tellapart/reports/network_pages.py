"""What the report shows of a network: read from the run folder, its model and a few pictures.

Beside :mod:`tellapart.reports.pages`, which shows what all runs have. Nothing here needs Keras.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tellapart.core.errors import RunError, SettingsError
from tellapart.explanations import feature_maps, filters
from tellapart.images.resizing import RGB, luma, resize
from tellapart.reports.network_views import Candidate, EpochRow, Layer, LearningView
from tellapart.runs import Run

if TYPE_CHECKING:
    from tellapart.networks.spec.recipes import Recipe

VARIED = 4
"""Training pictures whose variations are shown."""
VARIATIONS = 7

_MEANINGLESS = (KeyError, TypeError, ValueError, ArithmeticError)

Load = Callable[[str], RGB | None]
"""Gives the decoded pixels of a picture by its path, or None."""


def learning_view(run: Run, load: Load) -> LearningView | None:
    """How a run's network learned and what it sees; None for a probe.

    Args:
        run: The run.
        load: Gives pictures; those it cannot give are not shown.

    Raises:
        RunError: If ``run.json`` is damaged.
    """
    about = run.settings.get("network")
    if about is None:
        return None
    try:
        return _learning_view(run, about, load)
    except (*_MEANINGLESS, AttributeError, SettingsError) as error:
        raise RunError(
            f"'{run.path / 'run.json'}' is damaged: its 'network' has no meaning ({error!r}).",
            remedy="Copy the run folder again, or train again.",
        ) from None


def candidates(run: Run) -> list[Candidate]:
    """What ``--model auto`` tried, best first."""
    rows = run.settings.get("candidates") or []
    try:
        made = [
            Candidate(
                name=str(row["name"]),
                accuracy=None if row["accuracy"] is None else float(row["accuracy"]),
                ci95=None
                if row["ci95"] is None
                else (float(row["ci95"][0]), float(row["ci95"][1])),
                n=int(row["n"]),
                seconds=float(row["seconds"]),
                chosen=bool(row["chosen"]),
                note=str(row["note"]),
            )
            for row in rows
        ]
    except (*_MEANINGLESS, IndexError) as error:
        raise RunError(
            f"'{run.path / 'run.json'}' is damaged: its 'candidates' have no meaning ({error!r}).",
            remedy="Copy the run folder again, or train again.",
        ) from None
    return sorted(
        made, key=lambda one: -1.0 if one.accuracy is None else one.accuracy, reverse=True
    )


def _learning_view(run: Run, about: Mapping[str, Any], load: Load) -> LearningView:
    from tellapart.networks.spec.architectures import Spec
    from tellapart.networks.spec.recipes import Recipe

    spec = Spec.model_validate(about["spec"], strict=False)
    recipe = Recipe.model_validate(about["recipe"], strict=False)
    outcome = dict(about["outcome"])
    shown = _shown_picture(run, load)
    maps = feature_maps(run.model, shown[1]) if shown and run.model.layers() else []
    finder = [(float(rate), float(loss)) for rate, loss in outcome.get("finder") or []]
    history = _history(run)
    return LearningView(
        network=spec.kind,
        history=history,
        sentences=[str(outcome["sentence"]), *map(str, outcome.get("notes", []))],
        recipe=recipe_terms(recipe, outcome),
        best_epoch=_best_epoch(history, recipe, outcome),
        best_kept=recipe.patience is not None,
        target=recipe.target,
        target_on=recipe.target_on,
        stages=_stages(recipe),
        validation_n=int(run.metrics.get("validation", {}).get("n", 0)),
        finder=finder,
        chosen_rate=float(outcome["learning_rate"]) if finder else None,
        layers=[Layer(*row) for row in spec.layers()],
        parameters=spec.parameters(),
        augment_sentence=recipe.augment.describe(),
        augment_rows=_augment_rows(run, recipe, load, gray=spec.gray),
        filters=filters(run.model),
        feature_picture=None if shown is None else shown[1],
        feature_path="" if shown is None else shown[0],
        feature_maps=maps,
    )


def recipe_terms(recipe: Recipe, outcome: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A recipe as terms and values, for people.

    Args:
        recipe: What was asked for.
        outcome: What came of it: the epochs, batch, rate and precision in the end.
    """
    from tellapart.core.text import counted

    rate = outcome.get("learning_rate", recipe.learning_rate)
    terms = [
        ("Epochs", f"{outcome.get('epochs', recipe.epochs)} of at most {recipe.epochs}"),
        ("Batch", f"{outcome.get('batch', recipe.batch)} pictures"),
        ("Optimizer", _OPTIMIZERS[recipe.optimizer]),
        ("Learning rate", f"{_number(rate)}, {_SCHEDULES[recipe.schedule]}"),
        ("Weight decay", f"{recipe.weight_decay:g}" if recipe.weight_decay else "none"),
        (
            "Label smoothing",
            f"{recipe.label_smoothing:g}" if recipe.label_smoothing else "none",
        ),
        ("Class weights", "rare classes count more" if recipe.class_weights else "none"),
        ("Precision", str(outcome.get("precision", recipe.precision))),
        ("Engine", f"Keras {outcome.get('keras', '')} on {outcome.get('engine', '')}".strip()),
    ]
    if recipe.patience is not None:
        terms.append(("Patience", counted(recipe.patience, "epoch")))
    if recipe.budget is not None:
        terms.append(("Budget", f"{recipe.budget:.0f} s"))
    return terms


_OPTIMIZERS = {
    "sgd": "gradient descent with Nesterov momentum 0.9",
    "adam": "Adam",
    "adamw": "AdamW",
}
_SCHEDULES = {
    "onecycle": "up and down once (one cycle)",
    "cosine": "down along a cosine",
    "constant": "constant",
}


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)


def _history(run: Run) -> list[EpochRow]:
    frame = run.history
    if frame is None:
        return []
    return [
        EpochRow(
            epoch=int(row["epoch"]),
            loss=math.nan if row["loss"] is None else float(row["loss"]),
            accuracy=float(row["accuracy"]),
            validation_loss=row.get("validation_loss"),
            validation_accuracy=row.get("validation_accuracy"),
            learning_rate=row["learning_rate"],
        )
        for row in frame.iter_rows(named=True)
    ]


def _best_epoch(
    history: Sequence[EpochRow], recipe: Recipe, outcome: Mapping[str, Any]
) -> int | None:
    """With patience the epoch that was kept; otherwise that of the lowest validation loss."""
    if recipe.patience is not None:
        return int(outcome["best_epoch"])
    seen = {
        row.epoch: row.validation_loss
        for row in history
        if row.validation_loss is not None and math.isfinite(row.validation_loss)
    }
    return min(seen, key=lambda epoch: seen[epoch], default=None)


def _stages(recipe: Recipe) -> list[tuple[int, str]]:
    firsts = itertools.accumulate([1, *(stage.epochs for stage in recipe.stages[:-1])])
    names = [f"from {stage.prefix} up" if stage.prefix else "all" for stage in recipe.stages]
    return list(zip(firsts, names, strict=False)) if recipe.stages else []


def _shown_picture(run: Run, load: Load) -> tuple[str, RGB] | None:
    """The held-out picture that the model is surest of, and right about, as it sees it."""
    right = run.predictions.filter(pl.col("correct"))
    order = (run.predictions if right.is_empty() else right).sort(
        ["probability", "path"], descending=[True, False]
    )
    for path in order["path"].head(VARIED):
        pixels = load(path)
        if pixels is not None:
            return path, resize(pixels, run.model.size, run.model.fit)
    return None


def _augment_rows(
    run: Run, recipe: Recipe, load: Load, *, gray: bool
) -> list[tuple[RGB, Sequence[RGB]]]:
    """A few training pictures, and what the first epochs made of them."""
    if recipe.augment.is_none:
        return []
    from tellapart.networks.augment import variants

    squares: list[NDArray[np.uint8]] = []
    for path in _spread(run):
        pixels = load(path)
        if pixels is not None:
            square = resize(pixels, run.model.size, run.model.fit)
            squares.append(luma(square)[..., None] if gray else square)
    if not squares:
        return []
    shown = variants(squares, recipe.augment, seed=recipe.seed, count=VARIATIONS)
    return [
        (_rgb(square), [_rgb(epoch[place]) for epoch in shown])
        for place, square in enumerate(squares)
    ]


def _spread(run: Run) -> list[str]:
    """Paths of training pictures, evenly over the classes."""
    training = run.split.filter(pl.col("side") == "train")
    classes = list(run.classes)[:: max(1, len(run.classes) // VARIED)][:VARIED]
    each = -(-VARIED // max(len(classes), 1))
    paths = [
        path
        for name in classes
        for path in training.filter(pl.col("label") == name)["path"].head(each)
    ]
    return paths[:VARIED]


def _rgb(pixels: NDArray[np.uint8]) -> RGB:
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels
