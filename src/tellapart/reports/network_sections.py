"""A network's view → the plain values that its sections of the report lay out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tellapart.core import text
from tellapart.reports import maps, network_charts, rates
from tellapart.reports.network_views import (
    AugmentedRow,
    Candidate,
    EpochRow,
    FeatureMap,
    Layer,
    LearningView,
    Stage,
)
from tellapart.reports.plot import evenly
from tellapart.reports.svg import Svg, element
from tellapart.reports.thumbnails import Budget

EPOCHS = 60  # rows of the table of epochs
LAYERS = 150  # rows of the table of layers
FOLDED = 12  # layers beyond which the table is folded away
RECIPE = 60  # rows of the table of settings
SENTENCES = 24
CANDIDATES = 24
AUGMENTED = 6  # pictures shown varied
VARIATIONS = 7  # variations of each
AUGMENTED_SIDE = 112  # pixels
FEATURE_SIDE = 208  # pixels, of the picture whose maps are shown


def learned(view: LearningView, metrics: Mapping[str, Any], budget: Budget) -> dict[str, Any]:
    """Everything the sections of a network show, as far as the budget for pictures goes."""
    held_out, train = metrics["held_out"], metrics.get("train") or {}
    accuracy, training = float(held_out["accuracy"]), train.get("accuracy")
    low, high = held_out["accuracy_ci95"]
    unseen = "judged unseen" if held_out["method"] == "folds" else "held out"
    history = list(view.history)
    layers = [Layer(*one) for one in view.layers]
    seen = view.feature_picture
    picture = "" if seen is None else budget.take(seen, FEATURE_SIDE)
    values: dict[str, Any] = {
        "view": view,
        "loss": network_charts.loss_curve(view),
        "accuracy": network_charts.accuracy_curve(
            view, training, accuracy, (low, high), unseen=unseen
        ),
        "dashed": any(row.validation_loss is not None for row in history),
        "gap": gap(training, accuracy, train.get("n"), int(held_out["n"]), unseen),
        "sentences": [one for one in view.sentences if one][:SENTENCES],
        "rows": rows(view),
        "stages": [Stage(*one) for one in view.stages][: network_charts.STAGES],
        "every": len(history) > EPOCHS,
        "rate": rates.rate_curve(history),
        "finder": rates.finder_curve(view.finder, view.chosen_rate),
        "recipe": list(view.recipe)[:RECIPE],
        "layers": layers[:LAYERS],
        "more_layers": max(len(layers) - LAYERS, 0),
        "folded": len(layers) > FOLDED,
        "filters": filters(view, budget),
        "picture": picture,
        "maps": feature_maps(view, budget),
        "augmented": augmented(view, budget),
    }
    values["shown"] = bool(view.augment_sentence or values["augmented"])
    values["sees"] = bool(layers or values["filters"].get("tiles") or values["maps"]["layers"])
    return values


def gap(training: float | None, accuracy: float, trained: int | None, n: int, unseen: str) -> str:
    """The saved model's two accuracies and what lies between them, in a sentence."""
    if training is None:
        return ""
    which = f"{text.counted(n, 'picture')} {unseen}" if unseen != "held out" else text.counted(
        n, "held-out picture")  # fmt: skip
    of = text.counted(int(trained), "training picture") if trained else "its training pictures"
    said = (
        f"The saved model is right about {text.percent(training)} of {of} and "
        f"{text.percent(accuracy)} of {which}"
    )
    if round(100 * (training - accuracy), 1) <= 0:
        return f"{said}: there is no gap."
    return f"{said}: a gap of {network_charts.points(training - accuracy)}."


def rows(view: LearningView) -> list[dict[str, Any]]:
    """Rows of the table of epochs: all, or evenly chosen ones with the best among them."""
    stages = {Stage(*one).first_epoch: Stage(*one).name for one in view.stages}
    history = view.history
    shown = {*evenly(len(history), EPOCHS)}
    shown |= {index for index, row in enumerate(history) if row.epoch == view.best_epoch}
    return [
        {
            "row": row,
            "loss": _loss(row.loss),
            "validation_loss": _loss(row.validation_loss),
            "rate": "–" if row.learning_rate is None else rates.written(row.learning_rate),
            "best": row.epoch == view.best_epoch,
            "stage": _stage(row, stages),
        }
        for row in (history[index] for index in sorted(shown))
    ]


def _loss(value: float | None) -> str:
    if value is None:
        return "–"
    if not math.isfinite(value):
        return "no number"
    return f"{value:,.4f}" if value < 1000 else f"{value:.3g}"


def _stage(row: EpochRow, stages: Mapping[int, str]) -> str:
    begun = [first for first in stages if first <= row.epoch]
    return stages[max(begun)] if begun else ""


def filters(view: LearningView, budget: Budget) -> dict[str, Any]:
    """Filters of the first convolution; empty where there are none."""
    if view.filters is None or not view.filters.size:
        return {}
    count, height, width = view.filters.shape[:3]
    tiles = maps.filters(view.filters, budget)
    gray = bool((view.filters == view.filters[..., :1]).all())
    return {
        "tiles": tiles, "of": count, "size": f"{height} × {width}", "gray": gray,
        "single": height == width == 1,
    }  # fmt: skip


def feature_maps(view: LearningView, budget: Budget) -> dict[str, Any]:
    """The strongest maps of at most eight layers, evenly chosen where there are more."""
    given = [FeatureMap(*one) for one in view.feature_maps]
    shown = [given[index] for index in evenly(len(given), maps.LAYERS)]
    layers = [maps.feature_maps(one.layer, one.values, budget) for one in shown]
    return {"layers": [one for one in layers if one.tiles], "of": len(given)}


def augmented(view: LearningView, budget: Budget) -> list[dict[str, Any]]:
    """Pictures as they are and as they were varied."""
    found = []
    for one in view.augment_rows[:AUGMENTED]:
        row = AugmentedRow(*one)
        original = budget.take(row.original, AUGMENTED_SIDE)
        taken = [budget.take(other, AUGMENTED_SIDE) for other in row.shown[:VARIATIONS]]
        varied = [uri for uri in taken if uri]
        if original and varied:
            found.append({"original": original, "shown": varied})
    return found


def candidates(given: Sequence[Candidate]) -> dict[str, Any]:
    """Rows of the table of candidates, on one common axis of accuracy."""
    shown = list(given[:CANDIDATES])
    lows = [one.ci95[0] if one.ci95 else one.accuracy for one in shown if one.accuracy is not None]
    start = min(max(math.floor(min(lows, default=0.0) * 10 - 1e-9) / 10, 0.0), 0.9)
    table = [
        {"one": one, "strip": "" if one.accuracy is None else strip(one, start)} for one in shown
    ]
    return {
        "rows": table,
        "start": start,
        "timed": any(one.seconds is not None for one in shown),
        "more": max(len(given) - CANDIDATES, 0),
    }


def strip(one: Candidate, start: float) -> Svg:
    """A candidate's accuracy with its interval on a line from ``start`` to 100 %."""
    accuracy = float(one.accuracy or 0.0)
    low, high = one.ci95 or (accuracy, accuracy)

    def at(share: float) -> str:
        return f"{100 * min(max((share - start) / (1 - start), 0.0), 1.0):.2f}%"

    label = f"{text.percent(accuracy)}, 95 % interval {text.interval(low, high)}"
    return element(
        "svg",
        element("line", x1="0%", x2="100%", y1=10, y2=10, class_="axis"),
        element("line", x1=at(low), x2=at(high), y1=10, y2=10, class_="candidate-range"),
        element("circle", cx=at(accuracy), cy=10, r=5.0,
                class_="dot" if one.chosen else "dot other"),
        width="100%", height=20, role="img", aria_label=label, class_="strip",
    )  # fmt: skip
