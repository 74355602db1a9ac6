"""Learning curves as inline SVG: loss and accuracy over epochs, and the learning rates.

The validation line is dashed as well as of another color, so the two lines are told apart in
grey; every strip of the plot says its numbers under a pointer, and the page has them as a table.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from tellapart.core import text
from tellapart.reports.frames import LETTER, Box, Frame, drawn, evenly
from tellapart.reports.learning import EpochRow, LearningView, Stage
from tellapart.reports.lettering import around, named
from tellapart.reports.svg import Svg, chart, element, words

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
    frame = Frame(rows[0].epoch, rows[-1].epoch, 0.0, high, width=298)
    lines = [
        ("training", "of-training", frame.points(training)),
        ("validation", "of-validation", frame.points(validation)),
    ]
    taken: list[Box] = []
    parts = [*frame.axes(_short), *_marks(frame, view, rows, taken)]
    for _, kind, runs in lines:
        parts += drawn(runs, kind)
    parts += _ring(frame, view, [(row.epoch, row.validation_loss) for row in rows])
    if cut:
        name, place = f"cut off: up to {_short(max(values))}", (frame.left + 6.0, frame.top + 14.0)
        taken.append(around(name, *place))
        parts.append(words(name, *place, "start", "name"))
    parts += named(frame, lines, taken)
    parts += frame.hovers([(row.epoch, _said(row, losses=True)) for row in rows])
    label = f"Loss over {text.counted(len(view.history), 'epoch')}. {_ends(rows, losses=True)}"
    return _finished(frame, frame.right + 10, label, view, parts)


def accuracy_curve(
    view: LearningView,
    training: float | None,
    held_out: float,
    ci95: tuple[float, float],
    *,
    unseen: str = "held out",
) -> Svg:
    """Accuracy over epochs and, beside it, the saved model's, with the gap between its parts.

    Args:
        view: The history and what is marked in it.
        training: Accuracy of the saved model on the training part, share of 1, or None.
        held_out: Its accuracy on the held-out part, share of 1.
        ci95: The 95 % interval of ``held_out``.
        unseen: What the held-out accuracy is called.
    """
    rows = _rows(view)
    pairs = [(row.epoch, row.accuracy) for row in rows]
    checked = [(row.epoch, row.validation_accuracy) for row in rows]
    values = _numbers([*(v for _, v in pairs), *(v for _, v in checked)])
    values += _numbers([held_out, ci95[0], training, view.target])
    low = min(max(math.floor(min(values) * 10 - 1e-9) / 10, 0.0), 0.9)
    first, last = (rows[0].epoch, rows[-1].epoch) if rows else (1, 1)
    frame = Frame(first, last, low, 1.0, width=204)
    lines = [
        ("training", "of-training", frame.points(pairs)),
        ("validation", "of-validation", frame.points(checked)),
    ]
    taken: list[Box] = []
    parts = [
        *frame.axes(lambda share: f"{round(100 * share, 6):g}%"),
        *_marks(frame, view, rows, taken),
    ]
    for _, kind, runs in lines:
        parts += drawn(runs, kind)
    y = frame.y(held_out)
    parts.append(element("line", x1=frame.left, x2=frame.right + 18, y1=y, y2=y, class_="ideal"))
    lines.append(("", "", [[(frame.left, y), (frame.right, y)]]))
    if view.target is not None:
        y = frame.y(view.target)
        parts.append(element("line", x1=frame.left, x2=frame.right, y1=y, y2=y,
                             class_="target-line"))  # fmt: skip
        name = f"{view.target_on} target {100 * view.target:g} %"
        lines.append((name, "of-target", [[(frame.left, y), (frame.right, y)]]))
    parts += _ring(frame, view, checked)
    parts += named(frame, lines, taken)
    parts += _gap(frame, training, held_out, ci95, unseen)
    parts += frame.hovers([(row.epoch, _said(row, losses=False)) for row in rows])
    said = f"{unseen} {text.percent(held_out)}"
    if training is not None:
        said = f"training {text.percent(training)}, {said}, a gap of {points(training - held_out)}"
    label = (
        f"Accuracy over {text.counted(len(view.history), 'epoch')}. "
        f"{_ends(rows, losses=False)} The saved model: {said}."
    )
    return _finished(frame, frame.right + 104, label, view, parts)


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


def _marks(
    frame: Frame, view: LearningView, rows: Sequence[EpochRow], taken: list[Box]
) -> list[Svg]:
    parts: list[Svg] = []
    for stage in _stages(view)[1:]:
        x = _edge(frame, stage)
        parts.append(
            element("line", x1=x, x2=x, y1=frame.top, y2=frame.bottom, class_="stage-edge")
        )
    bad = next((row.epoch for row in rows if not math.isfinite(row.loss)), None)
    if bad is not None:
        parts += frame.across(bad, "loss was no number", "stop-line", taken)
    if view.best_epoch is not None:
        name = f"{'kept' if view.best_kept else 'best'}: epoch {view.best_epoch}"
        parts += frame.across(view.best_epoch, name, "best-line", taken)
    return parts


def _ring(
    frame: Frame, view: LearningView, pairs: Sequence[tuple[float, float | None]]
) -> list[Svg]:
    value = dict(pairs).get(view.best_epoch) if view.best_epoch is not None else None
    if view.best_epoch is None or value is None or not math.isfinite(value):
        return []
    return [element("circle", cx=frame.x(view.best_epoch), cy=frame.y(value), r=6.5, class_="ring")]


def _gap(
    frame: Frame,
    training: float | None,
    held_out: float,
    ci95: tuple[float, float],
    unseen: str,
) -> list[Svg]:
    """The saved model's accuracies right of the plot, joined by a bracket that names the gap."""
    x, down = frame.right + 18, frame.y(held_out)
    low, high = frame.y(ci95[0]), frame.y(ci95[1])
    parts = [
        element("line", x1=x, x2=x, y1=high, y2=low, class_="held-range"),
        element("path", d=f"M{x} {down - 6:.1f}l6 6l-6 6l-6-6z", class_="held-mark"),
    ]
    side = x + 21
    if training is None:
        return [*parts, *_block(side, down, text.percent(held_out), unseen, 14, "of-held")]
    up = frame.y(training)
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
    if room < 52 and middle + 20 > frame.bottom + 16:
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


def _edge(frame: Frame, stage: Stage) -> float:
    """Where a stage begins: between the epochs."""
    return (frame.x(stage.first_epoch - 1) + frame.x(stage.first_epoch)) / 2


def _finished(
    frame: Frame, width: int, label: str, view: LearningView, parts: Sequence[Svg]
) -> Svg:
    """The chart with its stages, if any, as a band under the epochs."""
    stages = _stages(view)
    below = frame.bottom + 28
    band: list[Svg] = []
    edges = [float(frame.left), *(_edge(frame, stage) for stage in stages[1:]), float(frame.right)]
    for index, (stage, (start, end)) in enumerate(zip(stages, pairwise(edges), strict=False)):
        name = f"{index + 1} {text.clean(stage.name)}"
        name = name if LETTER * len(name) < end - start - 6 else f"{index + 1}"
        kind = "stage-band even" if index % 2 else "stage-band"
        tip = element("title", f"From epoch {stage.first_epoch}: {text.shorten(stage.name, 80)}")
        band.append(element("rect", tip, x=start, y=below, width=max(end - start, 0.1),
                            height=STRIP, class_=kind))  # fmt: skip
        band.append(words(name, (start + end) / 2, below + 13))
    under = below + STRIP + 16 if stages else frame.bottom + 36
    foot = words("epoch", (frame.left + frame.right) / 2, under)
    return chart(width, under + 2, label, *parts, *band, foot)
