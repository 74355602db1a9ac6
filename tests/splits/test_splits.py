from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scans_by_hand import make_scan, two_classes

from tellapart.audit import audit, group_ids
from tellapart.core.errors import LabelError, SettingsError
from tellapart.data.catalog import open_catalog
from tellapart.scanning.scanner import Scan, scan
from tellapart.splits import HELD_OUT, LEFT_OUT, TRAIN, VALIDATION, Split, split

THREE = ("train", "validation", "test")


def of(scanned: Scan, **settings: Any) -> Split:
    """The split of a scan, with what its audit says of copies."""
    audited, frame, classes = audit(scanned), scanned.frame, scanned.catalog.classes
    return split(
        np.array([classes.index(label) for label in frame["label"]], np.int64),
        group_ids(scanned, audited),
        classes,
        left_out=list(audited.left_out),
        parts=frame["part"].to_list(),
        shared=[frame["content"].to_list(), frame["group"].to_list()],
        pairs=[(pair.a, pair.b) for pair in audited.pairs],
        **settings,
    )


def parted(parts: tuple[str, ...] = THREE, n: int = 12) -> list[dict[str, Any]]:
    return [
        {"path": f"{part}/{label}/{i:02d}.jpg", "label": label, "part": part}
        for part in parts
        for label in ("cats", "dogs")
        for i in range(n)
    ]


# ------------------------------------------------------------------ no parts


def test_a_fifth_of_each_class() -> None:
    result = of(make_scan(two_classes(150)))
    assert result.method == "split"
    assert result.held_out == 0.2
    assert result.side.dtype == np.int8
    assert [(result.side[rows] == HELD_OUT).sum() for rows in (slice(150), slice(150, 300))] == [
        30,
        30,
    ]
    assert not result.leaked.any()
    assert result.notes == ()


def test_under_200_pictures_all_are_in_training() -> None:
    assert of(make_scan(two_classes(100))).method == "split"
    result = of(make_scan(two_classes(99)))
    assert result.method == "folds"
    assert (result.side == TRAIN).all()
    assert result.held_out is None


def test_what_the_audit_leaves_out_is_left_out() -> None:
    rows = two_classes(150)
    rows[0]["error"] = "empty"
    rows[1]["content"] = rows[2]["content"] = "the same"
    rows[3]["content"] = rows[200]["content"] = "two labels"
    result = of(make_scan(rows))
    assert np.flatnonzero(result.side == LEFT_OUT).tolist() == [0, 2, 3, 200]


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 80)), min_size=200, max_size=320),
    st.sampled_from([0.1, 0.2, 0.5]),
    st.integers(0, 1_000),
)
@settings(max_examples=25, deadline=None)
def test_no_group_is_parted(pictures: list[tuple[int, int]], share: float, seed: int) -> None:
    rows = [
        {"path": f"{i}.jpg", "label": "abc"[label], "group": str(group) if group < 60 else None}
        for i, (label, group) in enumerate(pictures)
    ]
    scanned = make_scan(rows)
    try:
        result = of(scanned, held_out=share, seed=seed)
    except LabelError:
        return
    assert set(np.unique(result.side)) <= {TRAIN, HELD_OUT}
    held, kept = (set(result.groups[result.side == side]) for side in (HELD_OUT, TRAIN))
    assert not held & kept
    groups = scanned.frame["group"]
    for side, other in ((HELD_OUT, TRAIN), (TRAIN, HELD_OUT)):
        mine = {groups[int(row)] for row in np.flatnonzero(result.side == side)} - {None}
        theirs = {groups[int(row)] for row in np.flatnonzero(result.side == other)} - {None}
        assert not mine & theirs
    assert (of(scanned, held_out=share, seed=seed).side == result.side).all()


def test_a_group_with_most_of_a_class_is_never_broken_and_is_told() -> None:
    rows = two_classes(150)
    for row in range(140):
        rows[row]["group"] = "one burst"
    result = of(make_scan(rows), held_out=0.5)
    assert len(set(result.side[:140])) == 1
    assert len(result.notes) == 1
    assert "'cats'" in result.notes[0]
    assert "50 %" in result.notes[0]


@pytest.mark.parametrize("share", [0, 1, 2, -0.1, math.nan, math.inf])
def test_a_share_that_is_none(share: float) -> None:
    with pytest.raises(SettingsError) as caught:
        of(make_scan(two_classes(150)), held_out=share)
    assert caught.value.code == "held_out"
    assert f"--held-out {share:g}" in str(caught.value)


def test_one_class() -> None:
    rows = [{"path": f"{i}.jpg", "label": "cats"} for i in range(300)]
    with pytest.raises(LabelError, match="'cats'") as caught:
        of(make_scan(rows))
    assert caught.value.code == "one_class"


def test_a_class_with_one_picture() -> None:
    rows = [*two_classes(20), {"path": "owls/1.jpg", "label": "owls"}]
    with pytest.raises(LabelError, match="'owls'") as caught:
        of(make_scan(rows))
    assert caught.value.code == "class_too_small"
    assert caught.value.remedy
    rows.append({"path": "owls/2.jpg", "label": "owls"})
    assert of(make_scan(rows)).method == "folds"
    rows = [*two_classes(120), *rows[-2:]]
    result = of(make_scan(rows))
    assert sorted(result.side[-2:]) == [TRAIN, HELD_OUT]


def test_a_class_without_a_usable_picture() -> None:
    rows = [*two_classes(20), {"path": "owls/1.jpg", "label": "owls", "error": "empty"}]
    with pytest.raises(LabelError, match="'owls'"):
        of(make_scan(rows))


def test_nothing_usable() -> None:
    rows = [{"path": f"{i}.jpg", "label": "ab"[i % 2], "error": "empty"} for i in range(4)]
    with pytest.raises(LabelError) as caught:
        of(make_scan(rows))
    assert caught.value.code == "no_pictures"


def test_a_class_in_one_group() -> None:
    rows = two_classes(120)
    for row in range(120):
        rows[row]["group"] = "one patient"
    with pytest.raises(LabelError, match="'cats'") as caught:
        of(make_scan(rows))
    assert caught.value.code == "class_in_one_group"


# ------------------------------------------------------------------ given parts


def test_three_parts() -> None:
    scanned = make_scan(parted())
    result = of(scanned)
    assert result.method == "given"
    assert result.held_out is None
    sides = dict(zip(scanned.frame["part"], result.side.tolist(), strict=True))
    assert sides == {"train": TRAIN, "validation": VALIDATION, "test": HELD_OUT}


@pytest.mark.parametrize("part", ["validation", "test"])
def test_two_parts(part: str) -> None:
    scanned = make_scan(parted(("train", part)))
    sides = dict(zip(scanned.frame["part"], of(scanned).side.tolist(), strict=True))
    assert sides == {"train": TRAIN, part: HELD_OUT}


def test_held_out_copies_of_what_was_learnt_do_not_count() -> None:
    rows = parted()
    train, validation, test = 0, 24, 48
    rows[train + 1]["content"] = rows[test + 1]["content"] = "a copy in training"
    rows[validation + 2]["content"] = rows[test + 2]["content"] = "a copy in the slice"
    rows[train + 3]["content"] = rows[validation + 3]["content"] = "not held out"
    rows[train + 4]["group"] = rows[test + 5]["group"] = "one patient"
    result = of(make_scan(rows))
    assert np.flatnonzero(result.leaked).tolist() == [test + 1, test + 2, test + 5]
    assert (result.side[[test + 1, test + 2, test + 5]] == HELD_OUT).all()


def test_near_copies_leak_too() -> None:
    rows = parted(("train", "test"))
    rng = np.random.default_rng(0)
    thumbs = rng.integers(0, 256, (len(rows), 64, 64), dtype=np.uint8)
    for number, row in enumerate(rows):
        row["dhash"] = number * 0x0123_4567_89AB
    rows[30]["dhash"], thumbs[30] = rows[2]["dhash"], thumbs[2]
    assert np.flatnonzero(of(make_scan(rows, thumbs=thumbs)).leaked).tolist() == [30]


def test_a_held_out_class_without_training_pictures() -> None:
    rows = [*parted(), {"path": "test/owls/1.jpg", "label": "owls", "part": "test"}]
    with pytest.raises(LabelError, match="'owls'") as caught:
        of(make_scan(rows))
    assert caught.value.code == "class_without_training"


def test_a_training_class_without_held_out_pictures_is_accepted() -> None:
    rows = [*parted(), {"path": "train/owls/1.jpg", "label": "owls", "part": "train"}]
    assert of(make_scan(rows)).method == "given"


def test_all_held_out_pictures_are_copies() -> None:
    rows = parted(("train", "test"), n=3)
    for row in range(6):
        rows[row]["content"] = rows[6 + row]["content"] = f"both {row}"
    with pytest.raises(LabelError, match="6 held-out pictures") as caught:
        of(make_scan(rows))
    assert caught.value.code == "all_leaked"


def test_parts_without_usable_held_out_pictures() -> None:
    rows = parted(("train", "test"), n=3)
    for row in rows[6:]:
        row["error"] = "empty"
    with pytest.raises(LabelError) as caught:
        of(make_scan(rows))
    assert caught.value.code == "nothing_held_out"


def test_the_validation_slice_never_stands_in_for_a_test_part_that_is_damaged() -> None:
    rows = parted(n=3)
    for row in rows:
        if row["part"] == "test":
            row["error"] = "empty"
    with pytest.raises(LabelError) as caught:
        of(make_scan(rows))
    assert caught.value.code == "nothing_held_out"


# ------------------------------------------------------------------ real pictures


def test_digits(digits_folder: Path) -> None:
    result = of(scan(open_catalog(digits_folder)))
    assert result.method == "split"
    assert abs(float((result.side == HELD_OUT).mean()) - 0.2) < 0.005


def test_horses_come_in_parts(data_folder: Path) -> None:
    result = of(scan(open_catalog(data_folder / "horses-or-humans-100px.zip")))
    assert result.method == "given"
    assert np.bincount(result.side).tolist() == [1_027, 256]
    assert not result.leaked.any()


def test_eighty_drawings_are_four_animations(data_folder: Path) -> None:
    result = of(scan(open_catalog(data_folder / "happy-or-sad.zip")))
    assert result.method == "folds"
    assert len(set(result.groups)) <= 8
