"""Nested subsets of the training pictures."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from tellapart.core.text import percent
from tellapart.datasets.verification import Found
from tellapart.lessons import more_data, runner
from tellapart.lessons.lesson import Training
from tellapart.lessons.more_data import first_of
from tellapart.lessons.registry import named
from tellapart.runs import open_run


def test_smaller_sets_lie_in_larger_ones_and_keep_the_proportions() -> None:
    labels = {f"{i:04d}": "rare" if i % 10 == 0 else "common" for i in range(1_000)}
    sets = [first_of(labels, count, seed=3) for count in (50, 100, 400, 1_000, 2_000)]
    assert [len(one) for one in sets] == [50, 100, 400, 1_000, 1_000]
    assert all(small <= large for small, large in pairwise(sets))
    for one in sets:
        share = Counter(labels[path] for path in one)["rare"] / len(one)
        assert abs(share - 0.1) <= 0.02


def test_another_seed_gives_other_pictures() -> None:
    labels = {f"{i:04d}": "ab"[i % 2] for i in range(200)}
    assert first_of(labels, 50, seed=0) == first_of(dict(reversed(labels.items())), 50, seed=0)
    assert first_of(labels, 50, seed=0) != first_of(labels, 50, seed=1)


def test_every_point_is_measured_on_the_same_held_out_pictures(
    digits: Found, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = {"model": "probe", "size": 32}
    kinds = (Training("cnn", "In place of a network.", small), Training("probe", "Small.", small))
    monkeypatch.setattr(more_data, "_KINDS", kinds)
    monkeypatch.setattr(more_data, "SIZES", (30, 5_000))
    result = runner.run(named("more-data"), find=lambda _: digits, out=tmp_path / "out")
    drawn, parted = open_run(result.runs["probe"]), open_run(result.runs["probe-parted"])
    assert parted.metrics["held_out"]["n"] == drawn.metrics["held_out"]["n"] == 48
    assert parted.metrics["train"]["n"] == drawn.metrics["train"]["n"]
    held_out = set(parted.predictions["path"])
    numbers = result.numbers
    assert numbers["points"] == 2.0
    for size in (30, 192):
        run = open_run(result.runs[f"probe-{size}"])
        assert run.metrics["train"]["n"] == size
        assert set(run.predictions["path"]) == held_out
    whole = parted.metrics["held_out"]["accuracy"]
    assert numbers["probe-192.held_out"] == pytest.approx(whole, abs=1e-6)
    assert numbers["probe gains"] == pytest.approx(
        100 * (numbers["probe-192.held_out"] - numbers["probe-30.held_out"])
    )
    curve = (tmp_path / "out" / "pictures" / "curve.svg").read_text(encoding="utf-8")
    said = " ".join(ElementTree.fromstring(curve).itertext())
    for size in (30, 192):
        shown = percent(float(numbers[f"probe-{size}.held_out"]))
        assert f"probe, {size} pictures: {shown}" in said
    assert "of 48 held out" in said
    assert [one.file for one in result.pictures] == ["curve.svg"]
