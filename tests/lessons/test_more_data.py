"""Nested subsets of the training pictures."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from tellapart.datasets import registry
from tellapart.datasets.copies import Found
from tellapart.datasets.digits import write_digits
from tellapart.lessons import more_data, runner
from tellapart.lessons.lesson import Training
from tellapart.lessons.more_data import first_of
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
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = {"model": "probe", "size": 32}
    kinds = (Training("cnn", "In place of a network.", small), Training("probe", "Small.", small))
    monkeypatch.setattr(more_data, "_KINDS", kinds)
    monkeypatch.setattr(more_data, "SIZES", (100, 400, 5_000))
    digits = write_digits(tmp_path / "digits")
    found = Found(digits, registry.named("digits"), ())
    result = runner.run(more_data.LESSON, find=lambda _: found, out=tmp_path / "out")
    drawn, whole = open_run(result.runs["probe"]), open_run(result.runs["probe-parted"])
    assert whole.metrics["held_out"]["n"] == drawn.metrics["held_out"]["n"]
    assert whole.metrics["train"]["n"] == drawn.metrics["train"]["n"]
    held_out = set(whole.predictions["path"])
    assert result.numbers[f"probe-{drawn.metrics['train']['n']}.held_out"] == pytest.approx(
        whole.metrics["held_out"]["accuracy"], abs=1e-6
    )
    sizes = sorted(int(name.split("-")[1]) for name in result.runs if name.startswith("cnn-"))
    assert sizes[:2] == [100, 400] and len(sizes) == 3
    for size in sizes:
        run = open_run(result.runs[f"probe-{size}"])
        assert run.metrics["train"]["n"] == size
        assert set(run.predictions["path"]) == held_out
    assert result.numbers["probe gains"] == pytest.approx(
        100 * (result.numbers[f"probe-{sizes[-1]}.held_out"] - result.numbers["probe-100.held_out"])
    )
    assert result.numbers["probe gains"] > 5
    curve = (tmp_path / "out" / "pictures" / "curve.svg").read_text(encoding="utf-8")
    root = ElementTree.fromstring(curve)
    said = " ".join(root.itertext())
    shown = 100 * float(result.numbers["probe-400.held_out"])
    assert f"probe, 400 pictures: {shown:.1f} %" in said and "of 359 held out" in said
    assert [one.file for one in result.pictures] == ["curve.svg"]
