"""Learning curves: what they say and mark, and that odd numbers never break them."""

from __future__ import annotations

import itertools
import math
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from typing import Any

import pytest

from tellapart.reports import network_charts, rates
from tellapart.reports.line_labels import named
from tellapart.reports.network_views import EpochRow, LearningView, Stage
from tellapart.reports.plot import Plot, epoch_axis, evenly, share_axis, whole_ticks
from tellapart.reports.svg import Svg

ROWS = [EpochRow(k, 1.0 / k, 0.5 + 0.09 * k, 0.8, 0.5 + 0.04 * k, 0.001) for k in range(1, 6)]
VIEW = LearningView(network="cnn", history=ROWS, best_epoch=3)


def well_formed(svg: Svg) -> ElementTree.Element:
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img" and root.get("aria-label")
    assert not re.search(
        r'"[^"]*\b(?:nan|inf)\b[^"]*"', svg.replace(str(root.get("aria-label")), "")
    )
    return root


def accuracy(view: LearningView, training: float | None = 0.95, held_out: float = 0.7) -> Svg:
    return network_charts.accuracy_curve(
        view, training, held_out, (held_out - 0.03, held_out + 0.03)
    )


def texts(root: ElementTree.Element) -> list[str]:
    return [(part.text or "").replace("\u00a0", " ") for part in root.iter("text")]


def kinds(root: ElementTree.Element) -> list[str]:
    return [part.get("class") or "" for part in root]


def test_both_parts_and_the_gap_are_named_with_their_numbers() -> None:
    root = well_formed(accuracy(VIEW))
    assert {"95.0 %", "70.0 %", "25.0 points", "gap", "held out"} <= {*texts(root)}
    assert "bracket" in kinds(root) and "held-mark" in kinds(root) and "held-range" in kinds(root)
    label = (root.get("aria-label") or "").replace("\u00a0", " ")
    assert "training 95.0 %, held out 70.0 %, a gap of 25.0 points" in label


def test_without_training_accuracy_there_is_no_gap() -> None:
    root = well_formed(accuracy(VIEW, training=None))
    assert "gap" not in texts(root) and "bracket" not in kinds(root)
    assert "70.0 %" in texts(root)


@pytest.mark.parametrize("training", [0.0, 0.5, 0.7, 0.701, 0.72, 0.95, 1.0])
@pytest.mark.parametrize("held_out", [0.05, 0.7, 1.0])
def test_values_beside_the_plot_never_cover_each_other(training: float, held_out: float) -> None:
    root = well_formed(accuracy(VIEW, training, held_out))
    places = sorted(
        float(part.get("y") or 0)
        for part in root.iter("text")
        if (part.get("class") or "").startswith("value")
    )
    assert len(places) == 3
    assert all(after - before >= 13 for before, after in itertools.pairwise(places))


def test_lines_are_named_and_the_best_epoch_is_marked_in_both() -> None:
    kept = replace(VIEW, best_kept=True)
    for root in (well_formed(accuracy(VIEW)), well_formed(network_charts.loss_curve(VIEW))):
        assert {"training", "validation", "best: epoch 3"} <= {*texts(root)}
        assert "ring" in kinds(root)
    assert "kept: epoch 3" in texts(well_formed(network_charts.loss_curve(kept)))


def test_every_epoch_says_its_numbers_under_a_pointer() -> None:
    tips = [tip.text for tip in well_formed(network_charts.loss_curve(VIEW)).iter("title")]
    assert len(tips) == 5 and tips[1] == "Epoch 2: training 0.5, validation 0.8"
    many = replace(VIEW, history=[replace(ROWS[0], epoch=k) for k in range(1, 4001)])
    svg = accuracy(many)
    assert len(list(well_formed(svg).iter("title"))) <= 120
    assert len(svg) < 60_000


def test_without_a_validation_slice_there_is_one_line() -> None:
    alone = [replace(row, validation_loss=None, validation_accuracy=None) for row in ROWS]
    root = well_formed(network_charts.loss_curve(replace(VIEW, history=alone, best_epoch=None)))
    assert "validation" not in texts(root)
    assert sum(kind.startswith("line") for kind in kinds(root)) == 1


def test_a_loss_that_is_no_number_parts_the_line_and_is_named() -> None:
    rows = [*ROWS, EpochRow(6, math.nan, 0.5, math.inf, 0.5), EpochRow(7, 1.0, 0.5, 0.9, 0.5)]
    root = well_formed(network_charts.loss_curve(replace(VIEW, history=rows)))
    assert {"loss was no number", "best: epoch 3"} <= {*texts(root)}
    tips = [tip.text for tip in root.iter("title")]
    assert "Epoch 6: training no number, validation no number" in tips
    only = [EpochRow(1, math.nan, math.nan, math.nan, math.nan)]
    view = replace(VIEW, history=only, best_epoch=None)
    well_formed(network_charts.loss_curve(view))
    well_formed(accuracy(view))


def test_an_explosion_does_not_flatten_what_came_before() -> None:
    rows = [*ROWS, EpochRow(6, 4e8, 0.5, 9e9, 0.5)]
    root = well_formed(network_charts.loss_curve(replace(VIEW, history=rows)))
    assert "cut off: up to 9e+09" in texts(root)
    line = next(part for part in root if (part.get("class") or "").startswith("line"))
    heights = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", line.get("d") or "")]
    assert heights[4] - heights[0] > 20


def test_no_epoch_one_epoch_and_equal_values() -> None:
    assert network_charts.loss_curve(LearningView(network="cnn")) == ""
    one = replace(VIEW, history=ROWS[:1], best_epoch=1, stages=[Stage(1, "head")])
    flat = replace(VIEW, history=[EpochRow(k, 0.0, 1.0, 0.0, 1.0) for k in range(1, 4)])
    for view in (one, flat):
        well_formed(network_charts.loss_curve(view))
        well_formed(accuracy(view, 1.0, 1.0))


def test_target_is_a_line_with_its_name() -> None:
    said = texts(well_formed(accuracy(replace(VIEW, target=0.995, target_on="validation"))))
    assert "validation target 99.5 %" in said
    assert "validation target 99.5 %" not in texts(well_formed(accuracy(VIEW)))


def test_stages_are_a_band_with_names_or_numbers() -> None:
    stages = [Stage(1, "head only"), Stage(3, "<all> layers, with a name that is far too long")]
    root = well_formed(network_charts.loss_curve(replace(VIEW, stages=stages)))
    assert "1 head only" in texts(root) and "2" in texts(root)
    assert kinds(root).count("stage-edge") == 1
    assert any("<all> layers" in (tip.text or "") for tip in root.iter("title"))


def test_names_of_lines_keep_clear_of_both_lines_and_of_each_other() -> None:
    plot = Plot(epoch_axis(1, 50), share_axis("accuracy", 0.0), width=216, height=190)
    rising = plot.points((k, 1 - 0.9 / k) for k in range(1, 51))
    falling = plot.points((k, 0.9 / k) for k in range(1, 51))
    made = named(plot, [("training", "a", rising), ("validation", "b", falling)])
    boxes = []
    for part in map(ElementTree.fromstring, made):
        x, y, half = float(part.get("x", 0)), float(part.get("y", 0)), 3.2 * len(part.text or "")
        boxes.append((x - half, x + half, y - 9, y))
        for px, py in (*rising[0], *falling[0]):
            assert not (x - half < px < x + half and y - 9 < py < y)
        assert plot.left <= x - half and x + half <= plot.right
    (a, b, c, d), (e, f, g, h) = boxes
    assert b < e or f < a or d < g or h < c


def test_finder_marks_the_chosen_rate_and_passes_over_what_is_no_number() -> None:
    tried = [(10.0 ** (k / 10 - 5), 2.0 - 0.03 * k + math.exp(k - 38)) for k in range(45)]
    tried += [(1.0, math.nan), (2.0, math.inf), (0.0, 1.0)]
    root = well_formed(rates.finder_curve(tried, 0.01))
    assert "chosen: 0.01" in texts(root) and "learning rate" in texts(root)
    assert "45 learning rates from 0.00001 to" in (root.get("aria-label") or "")
    well_formed(rates.finder_curve(tried[:1], None))
    well_formed(rates.finder_curve([(0.1, 0.0)] * 3, 5.0))
    assert rates.finder_curve([], 0.1) == rates.finder_curve([(0.1, math.nan)], None) == ""


def test_rate_curve_is_only_drawn_where_the_rate_changes() -> None:
    assert rates.rate_curve(ROWS) == rates.rate_curve([]) == ""
    assert rates.rate_curve([replace(row, learning_rate=None) for row in ROWS]) == ""
    changing = [replace(row, learning_rate=0.1 / row.epoch) for row in ROWS]
    label = well_formed(rates.rate_curve(changing)).get("aria-label") or ""
    assert "0.1 after the first, 0.1 at most, 0.02 after the last" in label


@pytest.mark.parametrize(
    ("first", "last", "marks"),
    [(1, 15, [1, 5, 10, 15]), (1, 300, [1, 100, 200, 300]), (1, 1, [1]), (3, 4, [3, 4])],
)
def test_epochs_on_the_axis_are_whole(first: int, last: int, marks: list[int]) -> None:
    assert whole_ticks(first, last) == marks


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 1000])
def test_evenly_keeps_both_ends(count: int) -> None:
    chosen = evenly(count, 8)
    assert len(chosen) == min(count, 8) == len({*chosen})
    assert not count or (chosen[0] == 0 and chosen[-1] == count - 1)


def test_rates_are_written_plainly() -> None:
    written: Any = [rates.written(rate) for rate in (5e-05, 0.0012345, 3e-12, 1.0, 0.0)]
    assert written == ["0.00005", "0.00123", "3e-12", "1", "0"]
