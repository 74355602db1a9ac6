"""Charts: what they say, where they put things, and that they are always well-formed."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from typing import Any

import numpy as np
import pytest

from tellapart.reports import charts, confusion
from tellapart.reports.svg import Svg, element, ticks

BINS = [
    {"n": 30, "confidence": 0.55, "accuracy": 0.5, "ci95": [0.33, 0.67]},
    {"n": 30, "confidence": 0.97, "accuracy": 0.96, "ci95": [0.84, 0.99]},
]
TABLE = [{"C": c, "log_loss": loss} for c, loss in ((0.001, 0.2), (0.01, 0.1), (0.1, 0.15))]


def well_formed(svg: Svg) -> ElementTree.Element:
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img" and root.get("aria-label")
    assert "nan" not in svg and "inf" not in svg
    return root


def test_text_and_attributes_are_escaped() -> None:
    made = element("text", "<b>&", aria_label='"<script>', x=1.25)
    root = ElementTree.fromstring(made)
    assert root.text == "<b>&"
    assert root.get("aria-label") == '"<script>'
    assert root.get("x") == "1.2"


@pytest.mark.parametrize("accuracy", [0.0, 0.5, 0.987, 1.0])
@pytest.mark.parametrize("guess", [0.01, 0.5, 0.95])
def test_interval_strip_stays_between_0_and_100(accuracy: float, guess: float) -> None:
    svg = charts.interval_strip(accuracy, max(accuracy - 0.02, 0), min(accuracy + 0.02, 1), guess)
    well_formed(svg)
    places = [float(place) for place in re.findall(r'"(-?[\d.]+)%"', svg)]
    assert all(0 <= place <= 100 for place in places)


def test_reliability_draws_every_bin_and_counts_every_picture() -> None:
    root = well_formed(charts.reliability(BINS, [0.51, 0.52, 0.72, 0.98, 1.0]))
    kinds = [part.get("class") for part in root]
    assert kinds.count("dot") == kinds.count("whisker") == 2
    assert kinds.count("count") == 3  # 0.51 and 0.52 share a bar, and so do the last two
    assert "says 97" in (root.get("aria-label") or "")


@pytest.mark.parametrize("bins", [[], BINS[:1], [{"n": 1, "confidence": 1.0, "accuracy": 0.0}]])
def test_reliability_of_hardly_anything(bins: list[dict[str, Any]]) -> None:
    root = well_formed(charts.reliability(bins))
    assert "count" not in [part.get("class") for part in root]


def test_regularization_curve_rings_the_chosen_one() -> None:
    root = well_formed(charts.regularization_curve(TABLE, 0.01))
    assert [part.get("class") for part in root].count("ring") == 1
    assert "lowest 0.1 at C = 0.01; chosen C = 0.01" in (root.get("aria-label") or "")
    well_formed(charts.regularization_curve(TABLE[:1], 0.001))
    well_formed(charts.regularization_curve([{"C": 1e-9, "log_loss": 0.0}] * 2, 1.0))


def test_histogram_counts_every_value_once() -> None:
    draw = np.random.default_rng(0)
    values = draw.gamma(2.0, 50.0, 500)
    root = well_formed(charts.histogram(values, title="Size", unit="pixels"))
    assert "500 pictures" in (root.get("aria-label") or "")
    assert charts.histogram([None, float("nan")], title="Size", unit="pixels") == ""
    well_formed(charts.histogram([5, 5, 5], title="Size", unit="pixels"))
    well_formed(charts.histogram([1, 2, 3, 9999], title="Size", unit="pixels"))


def test_ticks_are_round_and_inside() -> None:
    assert ticks(0.0, 255.0) == [0.0, 100.0, 200.0]
    assert ticks(0.04, 0.2, 4) == [0.05, 0.1, 0.15, 0.2]
    assert ticks(3.0, 3.0) == [3.0]


def test_matrix_map_of_many_classes_is_small() -> None:
    draw = np.random.default_rng(0)
    matrix = draw.integers(0, 3, (1000, 1000)) + np.diag(np.full(1000, 500))
    blocks, width = confusion.in_blocks(matrix)
    assert width == 9 and blocks.sum() == matrix.sum()
    svg = charts.matrix_map(confusion.row_shares(blocks), label="Confusion matrix")
    well_formed(svg)
    assert len(svg) < 400_000


def test_most_confused_pairs_are_sorted_and_named() -> None:
    matrix = np.array([[8, 2, 0], [5, 5, 0], [0, 0, 0]])
    pairs = confusion.most_confused(matrix, ("a", "b", "c"))
    assert [(one.truth, one.predicted, one.count, one.share) for one in pairs] == [
        ("b", "a", 5, 0.5),
        ("a", "b", 2, 0.2),
    ]
    assert confusion.most_confused(np.eye(3, dtype=np.int64), ("a", "b", "c")) == ()
    assert confusion.row_shares(matrix)[2].tolist() == [0.0, 0.0, 0.0]
