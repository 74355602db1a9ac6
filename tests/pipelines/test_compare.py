"""Runs side by side, and when a test between them is allowed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from tellapart.core.errors import SettingsError
from tellapart.pipelines.compare import compare_runs


@dataclass
class Fake:
    """As much of a run as is compared."""

    name: str
    predictions: pl.DataFrame
    metrics: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    timings: dict[str, Any] = field(default_factory=dict)
    contents: str = "content of "

    @property
    def split(self) -> pl.DataFrame:
        """Contents by path; those left out have rows too."""
        paths = self.predictions.select("path").vstack(pl.DataFrame({"path": ["left-out.jpg"]}))
        name = pl.col("path").str.split("/").list.last()
        return paths.with_columns(content=self.contents + name)


def run(name: str, correct: list[bool], **columns: Any) -> Fake:
    n = len(correct)
    frame = pl.DataFrame(
        {
            "path": [f"{i}.jpg" for i in range(n)],
            "label": ["cats"] * n,
            "correct": correct,
            "counted": [True] * n,
        }
        | columns
    )
    share = float(np.mean(correct))
    metrics = {
        "train": {"n": 2000, "accuracy": 0.99},
        "held_out": {
            "method": "split",
            "n": n,
            "accuracy": share,
            "accuracy_ci95": [share - 0.1, min(1.0, share + 0.1)],
            "majority_accuracy": 0.5,
            "log_loss": 0.04,
            "calibration_error": 0.01,
        },
        "verdict": {"code": "healthy"},
    }
    return Fake(
        name, frame, metrics, {"model": "probe", "decode": {"size": 224}}, {"seconds": {"total": 9}}
    )


FIRST = [True] * 80 + [False] * 20
SECOND = [True] * 76 + [False] * 4 + [True] * 15 + [False] * 5


def test_mcnemar_where_pictures_are_the_same() -> None:
    found = compare_runs([run("a", FIRST), run("b", SECOND)])
    (pair,) = found.pairs
    assert (pair.n, pair.only_first, pair.only_second) == (100, 4, 15)
    assert pair.p_value == pytest.approx(stats.binomtest(4, 19).pvalue, rel=1e-3)
    assert "b is better" in pair.sentence


def test_the_order_of_the_rows_does_not_matter() -> None:
    second = run("b", SECOND)
    second.predictions = second.predictions.sample(fraction=1, shuffle=True, seed=0)
    assert compare_runs([run("a", FIRST), second]).pairs[0].only_second == 15


def test_chance() -> None:
    found = compare_runs([run("a", [True, False, True, True]), run("b", [True, True, True, False])])
    assert found.pairs[0].p_value == 1.0
    assert "better" not in found.pairs[0].sentence


def test_the_very_same_answers() -> None:
    found = compare_runs([run("a", FIRST), run("b", FIRST)])
    assert found.pairs[0].p_value == 1.0
    assert (found.pairs[0].only_first, found.pairs[0].only_second) == (0, 0)


@pytest.mark.parametrize(
    "columns",
    [
        {"path": [f"other{i}.jpg" for i in range(100)]},
        {"label": ["dogs"] + ["cats"] * 99},
        {"counted": [False] + [True] * 99},
    ],
)
def test_no_test_where_pictures_or_labels_differ(columns: dict[str, Any]) -> None:
    (pair,) = compare_runs([run("a", FIRST), run("b", SECOND, **columns)]).pairs
    assert pair.p_value is None and pair.n == 0
    assert "--seed" in pair.sentence


def test_pictures_are_the_same_by_content_and_not_by_name() -> None:
    other = run("b", SECOND)
    other.contents = "another content of "
    assert compare_runs([run("a", FIRST), other]).pairs[0].p_value is None
    moved = run("b", SECOND, path=[f"pets.zip!/{i}.jpg" for i in range(100)])
    assert compare_runs([run("a", FIRST), moved]).pairs[0].n == 100


def test_a_row_a_run_and_a_sentence_a_pair() -> None:
    found = compare_runs([run("a", FIRST), run("b", SECOND), run("a", FIRST)])
    assert [row.name for row in found.rows] == ["a", "b", "a (2)"]
    assert len(found.pairs) == 3
    row = found.rows[0]
    assert (row.size, row.held_out_n, row.accuracy, row.seconds) == (224, 100, 0.8, 9)
    text = found.as_text()
    assert text.splitlines()[1].startswith("a")
    assert "80.0 %" in text and "70.0 to 90.0 %" in text
    document = json.loads(json.dumps(found.as_json()))
    assert document["runs"][1]["accuracy_ci95"] == pytest.approx([0.81, 1.0])
    assert len(document["pairs"]) == 3


def test_what_a_run_does_not_have_is_left_open() -> None:
    bare = run("bare", FIRST)
    bare.metrics, bare.settings, bare.timings = {}, {}, {}
    found = compare_runs([run("a", FIRST), bare])
    assert found.rows[1].accuracy is None
    assert "–" in found.as_text()


def test_a_notebook_shows_names_as_text() -> None:
    found = compare_runs([run("<b>", FIRST), run("b", FIRST)])
    assert "&lt;b&gt;" in found._repr_html_()


def test_one_run_is_refused() -> None:
    with pytest.raises(SettingsError) as caught:
        compare_runs([run("a", FIRST)])
    assert caught.value.code == "too_few_runs"
