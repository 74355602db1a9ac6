"""Loss and accuracy over the epochs of a network as inline SVG.

The validation line is dashed as well as of another color, so the two lines are told apart in
gray; every strip of the plot says its numbers under a pointer, and the page has them as a table.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from tellapart.core import text
from tellapart.reports.line_labels import Line, around, named
from tellapart.reports.network_views import EpochRow, LearningView, Stage
from tellapart.reports.plot import (
    LETTER,
    Axis,
    Box,
    Plot,
    Point,
    epoch_axis,
    evenly,
    line,
    number_axis,
    share_axis,
)
from tellapart.reports.svg import Svg, element, words

POINTS = 600  # epochs drawn at most
STAGES = 12  # named at most
STRIP = 18  # pixels, height of the band of stages


def loss_curve(view: LearningView) -> Svg:
    """Loss over epochs, while training and on the validation slice; empty without epochs."""
    rows = _rows(view)
    if not rows:
        return Svg("")
    training = [(row.epoch, row.loss) for row in rows]
    validation = [(row.epoch, row.validation_loss) for row in rows]
    values = _numbers([*(v for _, v in training), *(v for _, v in validation)])
    high, cut = _ceiling(rows, values)
    plot = _plot(view, number_axis("loss", 0.0, high, _short), 284)
    note = f"cut off: up to {_short(max(values))}" if cut else ""
    parts = [
        *_curves(plot, view, training, validation, note=note),
        *plot.tooltips([(row.epoch, _said(row, losses=True)) for row in rows]),
    ]
    label = f"Loss over {text.counted(len(view.history), 'epoch')}. {_ends(rows, losses=True)}"
    return plot.chart(label, parts)


def accuracy_curve(
    view: LearningView,
    training: float | None,
    held_out: float,
    ci95: tuple[float, float],
    *,
    unseen: str = "held out",
) -> Svg:
    """Accuracy over epochs and, beside it, the saved model's, with the gap between its parts.

    Empty without epochs.

    Args:
        view: The history and what is marked in it.
        training: Accuracy of the saved model on the training part, share of 1, or None.
        held_out: Its accuracy on the held-out part, share of 1.
        ci95: The 95 % interval of ``held_out``.
        unseen: What the held-out accuracy is called.
    """
    rows = _rows(view)
    if not rows:
        return Svg("")
    trained = [(row.epoch, row.accuracy) for row in rows]
    checked = [(row.epoch, row.validation_accuracy) for row in rows]
    values = _numbers([*(v for _, v in trained), *(v for _, v in checked)])
    values += _numbers([held_out, ci95[0], training, view.target])
    low = min(max(math.floor(min(values) * 10 - 1e-9) / 10, 0.0), 0.9)
    plot = _plot(view, share_axis("accuracy", low), 190)
    levels = [("", "", _level(plot, held_out))]
    if view.target is not None:
        name = f"{view.target_on} target {text.percent(view.target)}"
        levels.append((name, "of-target", _level(plot, view.target)))
    parts = [
        plot.level(held_out, "ideal", 18),
        *([] if view.target is None else [plot.level(view.target, "target-line")]),
        *_curves(plot, view, trained, checked, levels=levels),
        *_gap(plot, training, held_out, ci95, unseen),
        *plot.tooltips([(row.epoch, _said(row, losses=False)) for row in rows]),
    ]
    said = f"{unseen} {text.percent(held_out)}"
    if training is not None:
        said = f"training {text.percent(training)}, {said}, a gap of {points(training - held_out)}"
    label = (
        f"Accuracy over {text.counted(len(view.history), 'epoch')}. "
        f"{_ends(rows, losses=False)} The saved model: {said}."
    )
    return plot.chart(label, parts, right=104)


def _plot(view: LearningView, up: Axis, width: int) -> Plot:
    """A plot over the epochs, with room for the band of stages."""
    epochs = epoch_axis(view.history[0].epoch, view.history[-1].epoch)
    gap = STRIP + 8 if _stages(view) else 0
    return Plot(epochs, up, width=width, height=190, gap=gap)


def _curves(
    plot: Plot,
    view: LearningView,
    training: Sequence[tuple[float, float | None]],
    validation: Sequence[tuple[float, float | None]],
    *,
    levels: Sequence[Line] = (),
    note: str = "",
) -> list[Svg]:
    """Both lines with their names, what is marked across them, and a note at the top."""
    taken: list[Box] = []
    parts = [*_band(plot, view), *_marks(plot, view, taken)]
    lines: list[Line] = [
        ("training", "of-training", plot.points(training)),
        ("validation", "of-validation", plot.points(validation)),
    ]
    for _, kind, runs in lines:
        parts += line(runs, kind)
    parts += _ring(plot, view, validation)
    if note:
        place = (plot.left + 6.0, plot.top + 14.0)
        taken.append(around(note, *place))
        parts.append(words(note, *place, "start", "name"))
    return [*parts, *named(plot, [*lines, *levels], taken)]


def _level(plot: Plot, value: float) -> list[list[Point]]:
    return [[(plot.left, plot.y(value)), (plot.right, plot.y(value))]]


def _rows(view: LearningView) -> list[EpochRow]:
    """The epochs that are drawn, the best one among them."""
    history = view.history
    shown = {*evenly(len(history), POINTS)}
    shown |= {index for index, row in enumerate(history) if row.epoch == view.best_epoch}
    return [history[index] for index in sorted(shown)]


def _numbers(values: Sequence[float | None]) -> list[float]:
    return [float(one) for one in values if one is not None and math.isfinite(one)]


def _ceiling(rows: Sequence[EpochRow], values: Sequence[float]) -> tuple[float, bool]:
    """The highest loss shown, and whether higher ones are cut.

    One explosion must not flatten all that came before it.
    """
    if not values:
        return 1.0, False
    begin = max(_numbers([rows[0].loss, rows[0].validation_loss]) or [values[0]])
    typical = sorted(values)[len(values) // 2]
    top, limit = max(values), 5 * max(begin, typical, 1e-6)
    return (max(min(top, limit), 1e-6) * 1.06, top > limit)


def _short(value: float) -> str:
    return f"{value:,.0f}" if 1000 <= value < 1e6 else f"{value:.3g}"


def points(share: float) -> str:
    """A difference of shares in points: ``27.4 points``."""
    return f"{text.number(100 * share, 1)} points"


def _said(row: EpochRow, *, losses: bool) -> str:
    def written(value: float | None) -> str:
        if value is None or not math.isfinite(value):
            return "no number"
        return f"{value:.3g}" if losses else text.percent(value)

    own, other = (
        (row.loss, row.validation_loss) if losses else (row.accuracy, row.validation_accuracy)
    )
    said = f"Epoch {row.epoch}: training {written(own)}"
    return said if other is None else f"{said}, validation {written(other)}"


def _ends(rows: Sequence[EpochRow], *, losses: bool) -> str:
    if not rows:
        return "No epoch was finished."
    said = [_said(row, losses=losses) for row in (rows[0], rows[-1])]
    return "; ".join(dict.fromkeys(said)) + "."


def _marks(plot: Plot, view: LearningView, taken: list[Box]) -> list[Svg]:
    """Where a stage begins, where the loss was no number, and the best epoch."""
    parts: list[Svg] = []
    for stage in _stages(view)[1:]:
        x = _edge(plot, stage)
        parts.append(element("line", x1=x, x2=x, y1=plot.top, y2=plot.bottom, class_="stage-edge"))
    bad = next((row.epoch for row in view.history if not math.isfinite(row.loss)), None)
    if bad is not None:
        parts += plot.mark(bad, "loss was no number", "stop-line", taken)
    if view.best_epoch is not None:
        name = f"{'kept' if view.best_kept else 'best'}: epoch {view.best_epoch}"
        parts += plot.mark(view.best_epoch, name, "best-line", taken)
    return parts


def _ring(plot: Plot, view: LearningView, pairs: Sequence[tuple[float, float | None]]) -> list[Svg]:
    value = dict(pairs).get(view.best_epoch) if view.best_epoch is not None else None
    if view.best_epoch is None or value is None or not math.isfinite(value):
        return []
    return [element("circle", cx=plot.x(view.best_epoch), cy=plot.y(value), r=6.5, class_="ring")]


def _gap(
    plot: Plot,
    training: float | None,
    held_out: float,
    ci95: tuple[float, float],
    unseen: str,
) -> list[Svg]:
    """The saved model's accuracies right of the plot, joined by a bracket that names the gap."""
    x, down = plot.right + 18, plot.y(held_out)
    low, high = plot.y(ci95[0]), plot.y(ci95[1])
    parts = [
        element("line", x1=x, x2=x, y1=high, y2=low, class_="held-range"),
        element("path", d=f"M{x} {down - 6:.1f}l6 6l-6 6l-6-6z", class_="held-mark"),
    ]
    side = x + 21
    if training is None:
        return [*parts, *_block(side, down, text.percent(held_out), unseen, 14, "of-held")]
    up = plot.y(training)
    parts.append(element("circle", cx=x - 12, cy=up, r=5, class_="dot of-training"))
    if abs(down - up) >= 1:
        bracket = f"M{x + 9} {up:.1f}h6V{down:.1f}h-6"
        parts.append(element("path", d=bracket, class_="bracket"))
    # The upper value's name stands over it, the lower one's under it; both make room.
    over, under = min(up, down), max(up, down)
    room = under - over
    if room < 17:
        over, under = (over + under - 17) / 2, (over + under + 17) / 2
    blocks = [
        (text.percent(training), "training", "of-training"),
        (text.percent(held_out), unseen, "of-held"),
    ]
    upper, lower = blocks if up <= down else blocks[::-1]
    parts += _block(side, over, *upper[:2], -14, upper[2])
    parts += _block(side, under, *lower[:2], 14, lower[2])
    middle = (over + under) / 2 if room >= 52 else under + 42
    if room < 52 and middle + 20 > plot.bottom + 16:
        middle = over - 40
    return [*parts, *_block(side, middle - 6, points(training - held_out), "gap", 14, "of-gap")]


def _block(x: float, y: float, value: str, name: str, below: int, kind: str) -> list[Svg]:
    return [
        words(value, x, y + 4, "start", f"value {kind}"),
        words(name, x, y + 4 + below, "start", f"tick {kind}"),
    ]


def _stages(view: LearningView) -> list[Stage]:
    stages = [Stage(*one) for one in view.stages[:STAGES]]
    return stages if len(stages) > 1 else []


def _edge(plot: Plot, stage: Stage) -> float:
    """Where a stage begins: between the epochs."""
    return (plot.x(stage.first_epoch - 1) + plot.x(stage.first_epoch)) / 2


def _band(plot: Plot, view: LearningView) -> list[Svg]:
    """The stages, if there are several, as a band under the epochs."""
    stages = _stages(view)
    if not stages:
        return []
    below = plot.bottom + 28
    parts: list[Svg] = []
    edges = [float(plot.left), *(_edge(plot, stage) for stage in stages[1:]), float(plot.right)]
    for index, (stage, (start, end)) in enumerate(zip(stages, pairwise(edges), strict=True)):
        name = f"{index + 1} {text.clean(stage.name)}"
        name = name if LETTER * len(name) < end - start - 6 else f"{index + 1}"
        kind = "stage-band even" if index % 2 else "stage-band"
        tip = element("title", f"From epoch {stage.first_epoch}: {text.shorten(stage.name, 80)}")
        parts.append(element("rect", tip, x=start, y=below, width=max(end - start, 0.1),
                             height=STRIP, class_=kind))  # fmt: skip
        parts.append(words(name, (start + end) / 2, below + 13))
    return parts
