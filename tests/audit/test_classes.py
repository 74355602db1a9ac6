from __future__ import annotations

from typing import Any

from scans_by_hand import make_scan, two_classes

from tellapart.audit import Finding, audit


def found(rows: list[dict[str, Any]], **more: Any) -> dict[str, Finding]:
    return {finding.code: finding for finding in audit(make_scan(rows, **more)).findings}


def of(label: str, n: int, **values: Any) -> list[dict[str, Any]]:
    part = values.get("part") or "all"
    return [{"path": f"{part}/{label}/{i}.jpg", "label": label, **values} for i in range(n)]


def test_one_class() -> None:
    finding = found(of("cats", 30))["one_class"]
    assert finding.level == "error"
    assert "'cats'" in finding.sentence


def test_a_class_with_one_usable_picture() -> None:
    rows = [*of("cats", 30), *of("dogs", 2)]
    rows[-1]["error"] = "empty"
    finding = found(rows)["class_too_small"]
    assert (finding.level, finding.count) == ("error", 1)
    assert "1 class has fewer than two usable pictures: 'dogs'." in finding.sentence


def test_small_classes() -> None:
    finding = found([*of("a", 19), *of("b", 25), *of("c", 5)])["class_small"]
    assert (finding.level, finding.count) == ("warning", 2)
    assert "2 classes have fewer than 20" in finding.sentence
    assert "'a' and 'c' (the smallest has 5)" in finding.sentence


def test_names_that_are_nearly_the_same() -> None:
    names = ("Cat", "cat", "dog", "dog ", "01", "1", "great_dane", "great dane", "owl")
    near = [
        finding
        for finding in audit(make_scan([row for name in names for row in of(name, 20)])).findings
        if finding.code == "near_names"
    ]
    assert [finding.count for finding in near] == [2, 2, 2, 2]
    assert "near_names" not in found([*of("0", 20), *of("10", 20), *of("100", 20)])


def test_labels_that_mean_no_label() -> None:
    finding = found([*of("NaN", 20), *of("cat", 20), *of("none", 20)])["label_looks_missing"]
    assert (finding.level, finding.count) == ("warning", 2)
    assert "'NaN'" in finding.sentence


def test_imbalance() -> None:
    assert "imbalance" not in found([*of("a", 99), *of("b", 25)])
    finding = found([*of("a", 1_500), *of("b", 300)])["imbalance"]
    assert finding.level == "warning"
    assert "'a' has 1,500 pictures, 'b' has 300" in finding.sentence
    assert "83 %" in finding.sentence


def test_classes_and_parts() -> None:
    rows = [
        *of("cats", 30, part="train"),
        *of("dogs", 30, part="train"),
        *of("cats", 30, part="test"),
        *of("owls", 30, part="test"),
    ]
    codes = found(rows)
    assert codes["class_without_training"].level == "error"
    assert "'owls'" in codes["class_without_training"].sentence
    assert codes["class_missing_from_test"].level == "warning"
    assert "'dogs'" in codes["class_missing_from_test"].sentence
    assert "class_missing_from_validation" not in codes


def test_passed_over_noted_and_corrected() -> None:
    codes = found(
        two_classes(30),
        passed_over={"hidden": 1_200, "excluded by corrections": 3},
        noted={"relabeled by corrections": 1, "links to files outside the folder": 2},
    )
    assert codes["passed_over"].level == "note"
    assert codes["passed_over"].count == 1_200
    assert codes["passed_over"].sentence.endswith("hidden (1,200).")
    assert codes["noted"].count == 2
    assert codes["corrections_applied"].count == 4
    assert "excluded (3), relabeled (1)" in codes["corrections_applied"].sentence


def test_labels_stand_in_sentences_as_they_are() -> None:
    sentence = found([*of("<script>", 30), *of("b", 3)])["imbalance"].sentence
    assert "'<script>'" in sentence
