from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image
from scans_by_hand import make_scan, two_classes

from tellapart.audit import Audit, Finding, audit, corrections_frame, findings_frame, group_ids
from tellapart.scanning.scanner import Scan


def by_code(result: Audit) -> dict[str, Finding]:
    return {finding.code: finding for finding in result.findings}


def scene(seed: int) -> np.ndarray:
    """A thumbnail of soft blotches, uint8 [64, 64]."""
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((64, 64), Image.Resampling.BICUBIC))


def drifting(n: int, blend: float) -> np.ndarray:
    """Thumbnails of which each is near the next one, and the first is far from the last."""
    a, b = scene(1).astype(float), scene(2).astype(float)
    return np.stack([a + (b - a) * blend * i for i in range(n)]).round().astype(np.uint8)


# ------------------------------------------------------------------ exact copies


def test_copies_in_a_class_leave_one() -> None:
    rows = two_classes(30)
    for row in (4, 7, 9):
        rows[row]["content"] = "the same"
    result = audit(make_scan(rows))
    finding = by_code(result)["exact_duplicates"]
    assert (finding.level, finding.count) == ("warning", 2)
    assert finding.paths == ("cats/0004.jpg", "cats/0007.jpg", "cats/0009.jpg")
    assert finding.sentence.startswith("2 files are copies of another picture")
    assert result.left_out == {
        7: "a copy of 'cats/0004.jpg'",
        9: "a copy of 'cats/0004.jpg'",
    }
    assert [(p.a, p.b, p.kind) for p in result.pairs] == [(4, 7, "exact"), (4, 9, "exact")]


def test_one_copy_reads_well() -> None:
    rows = two_classes(30)
    rows[4]["content"] = rows[7]["content"] = "the same"
    sentence = by_code(audit(make_scan(rows)))["exact_duplicates"].sentence
    assert sentence.startswith("1 file is a copy of another picture")
    assert "the other is left out" in sentence


def test_the_same_content_under_two_labels_is_left_out_wholly() -> None:
    rows = two_classes(30)
    for row in (4, 6, 35):
        rows[row]["content"] = "the same"
    result = audit(make_scan(rows))
    codes = by_code(result)
    assert set(codes) == {"contradicting_labels"}
    assert codes["contradicting_labels"].level == "error"
    assert codes["contradicting_labels"].count == 3
    assert result.left_out == {
        4: "the same picture as 'dogs/0005.jpg', which is labeled 'dogs'",
        6: "the same picture as 'dogs/0005.jpg', which is labeled 'dogs'",
        35: "the same picture as 'cats/0004.jpg', which is labeled 'cats'",
    }


def test_broken_files_with_the_same_bytes_are_no_copies() -> None:
    rows = two_classes(30)
    for row in (4, 35):
        rows[row] |= {"content": "empty", "error": "empty"}
    result = audit(make_scan(rows))
    assert set(by_code(result)) == {"empty"}
    assert result.pairs == ()
    assert result.left_out == {4: "the file is empty", 35: "the file is empty"}


# ------------------------------------------------------------------ parts


def parted() -> list[dict[str, Any]]:
    return [
        {"path": f"{part}/{label}/{i:02d}.jpg", "label": label, "part": part}
        for part in ("test", "train")
        for label in ("cats", "dogs")
        for i in range(25)
    ]


def test_a_copy_in_another_part_is_a_leak_and_kept_on_both_sides() -> None:
    rows = parted()
    rows[3]["content"] = rows[53]["content"] = rows[54]["content"] = "the same"
    result = audit(make_scan(rows))
    codes = by_code(result)
    assert set(codes) == {"leaked_copies", "exact_duplicates"}
    assert (codes["leaked_copies"].level, codes["leaked_copies"].count) == ("error", 1)
    assert codes["leaked_copies"].paths == ("test/cats/03.jpg", "train/cats/03.jpg")
    assert result.left_out == {54: "a copy of 'train/cats/03.jpg'"}


def test_a_near_copy_in_another_part_is_a_leak_too() -> None:
    rows = parted()
    for number, row in enumerate(rows):
        row["dhash"] = number * 0x0123_4567_89AB
    rows[60]["dhash"] = rows[10]["dhash"] ^ 0b11
    thumbs = np.stack([scene(number) for number in range(len(rows))])
    thumbs[60] = np.clip(thumbs[10].astype(int) + 3, 0, 255)
    codes = by_code(audit(make_scan(rows, thumbs=thumbs)))
    assert (codes["leaked_near_copies"].level, codes["leaked_near_copies"].count) == ("warning", 1)
    assert codes["leaked_near_copies"].paths == ("test/cats/10.jpg", "train/cats/10.jpg")


def test_a_group_in_two_parts() -> None:
    rows = parted()
    for row in (0, 1, 50):
        rows[row]["group"] = "patient 7"
    finding = by_code(audit(make_scan(rows)))["parted_groups"]
    assert (finding.level, finding.count) == ("warning", 2)
    assert "1 group has pictures in several parts" in finding.sentence


# ------------------------------------------------------------------ near copies


def near_scan(n: int = 7, blend: float = 0.06, labels: str = "aaaaaaa") -> Scan:
    rows = [{"path": f"{i}.jpg", "label": labels[i], "dhash": 1 << i} for i in range(n)]
    return make_scan(rows, thumbs=drifting(n, blend))


def test_near_copies_are_never_chained() -> None:
    result = audit(near_scan())
    pairs = {(pair.a, pair.b) for pair in result.pairs}
    assert {(step, step + 1) for step in range(6)} <= pairs
    assert (0, 6) not in pairs, "each step is small, the whole way is not"
    assert result.left_out == {}, "near-copies are kept"
    assert len(set(group_ids(near_scan(), result))) == 1, "but no split may part a link"


def test_near_copies_with_two_labels_are_a_warning() -> None:
    result = audit(near_scan(labels="aabbbbb"))
    finding = by_code(result)["near_duplicates_across_classes"]
    assert finding.level == "warning"
    assert set(finding.paths) >= {"1.jpg", "2.jpg"}


def test_many_near_copies_are_a_warning_and_few_a_note() -> None:
    assert by_code(audit(near_scan()))["near_duplicates"].level == "warning"
    rows = two_classes(30)
    for number, row in enumerate(rows):
        row["dhash"] = number * 0x0123_4567_89AB
    rows[1]["dhash"] = rows[0]["dhash"]
    thumbs = np.stack([scene(number) for number in range(len(rows))])
    thumbs[1] = thumbs[0]
    finding = by_code(audit(make_scan(rows, thumbs=thumbs)))["near_duplicates"]
    assert (finding.level, finding.count) == ("note", 2)
    assert "in 1 group of up to 2" in finding.sentence


def test_close_hashes_alone_prove_nothing() -> None:
    rows = [{"path": f"{i}.jpg", "dhash": 7} for i in range(6)]
    thumbs = np.stack([scene(i) for i in range(6)])
    assert audit(make_scan(rows, thumbs=thumbs)).pairs == ()


def test_blank_pictures_are_not_copies_of_each_other() -> None:
    rows = [{"path": f"{i}.jpg", "dhash": 0, "contrast": 0.5} for i in range(50)]
    thumbs = np.full((50, 64, 64), 255, np.uint8)
    assert audit(make_scan(rows, thumbs=thumbs)).pairs == ()


def test_small_pictures_are_not_compared() -> None:
    rows = [{"path": f"{i}.png", "dhash": None, "width": 8, "height": 8} for i in range(4)]
    thumbs = np.stack([scene(0)] * 4)
    result = audit(make_scan(rows, thumbs=thumbs), features=np.ones((4, 32), np.float16))
    assert result.pairs == ()


def test_features_find_what_hashes_miss() -> None:
    rng = np.random.default_rng(0)
    rows = two_classes(30)
    thumbs = np.stack([scene(number) for number in range(60)])
    thumbs[33] = thumbs[3][:, ::-1]  # mirrored, and under another label
    features = rng.standard_normal((60, 128)).astype(np.float32)
    features[33] = features[3] + 0.2 * rng.standard_normal(128)
    features[44] = features[4] + 0.2 * rng.standard_normal(128)  # alike, but not on pixels
    scan = make_scan(rows, thumbs=thumbs)
    assert audit(scan).pairs == ()
    result = audit(scan, features=features)
    assert [(pair.a, pair.b, pair.kind) for pair in result.pairs] == [(3, 33, "near")]
    assert "near_duplicates_across_classes" in by_code(result)


def test_features_must_be_of_the_same_pictures() -> None:
    with pytest.raises(ValueError, match="60 pictures"):
        audit(make_scan(two_classes(30)), features=np.ones((59, 8), np.float32))


# ------------------------------------------------------------------ groups and tables


def test_group_ids_join_copies_near_copies_and_groups() -> None:
    rows = two_classes(30)
    rows[0]["content"] = rows[1]["content"] = "x"
    rows[1]["group"] = rows[9]["group"] = "g"
    scan = make_scan(rows)
    groups = group_ids(scan, audit(scan))
    assert groups.dtype == np.int64
    assert [row for row in range(60) if groups[row] == 0] == [0, 1, 9]
    assert len(set(groups)) == 58


def test_corrections_are_proposals_with_an_empty_action() -> None:
    rows = two_classes(30)
    rows[4]["content"] = rows[35]["content"] = "two labels"
    rows[6]["content"] = rows[7]["content"] = "one label"
    scan = make_scan(rows)
    rows[9]["alpha"] = True
    scan = make_scan(rows)
    assert corrections_frame(audit(scan), scan).rows() == [
        ("cats/0004.jpg", "", "cats", "contradicting_labels"),
        ("dogs/0005.jpg", "", "dogs", "contradicting_labels"),
        ("cats/0006.jpg", "", "cats", "exact_duplicates"),
        ("cats/0007.jpg", "", "cats", "exact_duplicates"),
        ("cats/0009.jpg", "", "cats", "alpha"),
    ]


def test_findings_as_a_table() -> None:
    rows = two_classes(30)
    rows[0]["alpha"] = rows[1]["alpha"] = True
    frame = findings_frame(audit(make_scan(rows, passed_over={"hidden": 2})))
    assert frame.columns == ["code", "level", "path", "sentence", "remedy", "count"]
    assert frame.select("code", "path", "count").rows() == [
        ("alpha", "cats/0000.jpg", 2),
        ("alpha", "cats/0001.jpg", 2),
        ("passed_over", None, 2),
    ]
    assert findings_frame(Audit()).height == 0


def test_the_same_answer_twice() -> None:
    assert audit(near_scan()) == audit(near_scan())


def test_what_is_beyond_the_limit_of_the_search_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from tellapart.audit import copy_pairs

    rng = np.random.default_rng(5)
    thumbs = rng.integers(0, 256, (6, 64, 64), dtype=np.uint8)
    rows = [{"path": f"a/{i}.png", "label": "a", "dhash": 1 << (9 * i)} for i in range(6)]
    scan = make_scan(rows, thumbs=thumbs)
    features = np.repeat(rng.standard_normal((3, 32)), 2, axis=0).astype(np.float32)
    features += 0.01 * rng.standard_normal(features.shape).astype(np.float32)
    assert "copies_not_searched" not in {f.code for f in audit(scan, features=features).findings}
    monkeypatch.setattr(copy_pairs, "SEARCHED_FOR_A_VIEW", 1)
    told = {finding.code: finding.count for finding in audit(scan, features=features).findings}
    assert told["copies_not_searched"] > 0
