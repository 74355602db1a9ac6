from __future__ import annotations

import re
from typing import Any

import pytest
from scans_by_hand import make_scan, two_classes

from tellapart.audit import Finding, audit


def found(rows: list[dict[str, Any]], **more: Any) -> dict[str, Finding]:
    return {finding.code: finding for finding in audit(make_scan(rows, **more)).findings}


def good(n: int = 30) -> list[dict[str, Any]]:
    return two_classes(n)


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert found(good()) == {}


@pytest.mark.parametrize(
    ("values", "code", "level"),
    [
        ({"error": "unreadable"}, "unreadable", "error"),
        ({"error": "empty"}, "empty", "error"),
        ({"error": "not_a_picture"}, "not_a_picture", "error"),
        ({"error": "unsupported"}, "unsupported", "error"),
        ({"error": "cut_off"}, "cut_off", "error"),
        ({"error": "undecodable"}, "undecodable", "error"),
        ({"error": "too_large"}, "too_large", "error"),
        ({"format": "PNG"}, "wrong_ending", "note"),
        ({"note": "corrupt EXIF"}, "decoder_warning", "note"),
        ({"orientation": 6}, "exif_rotated", "note"),
        ({"alpha": True}, "alpha", "note"),
        ({"cmyk": True}, "cmyk", "note"),
        ({"bits": 16}, "deep", "note"),
        ({"frames": 12}, "several_frames", "note"),
        ({"gray": True}, "gray_among_color", "note"),
        ({"width": 20, "height": 20}, "very_small", "warning"),
        ({"width": 6000, "height": 4000}, "very_large", "note"),
        ({"width": 900, "height": 150}, "extreme_shape", "warning"),
        ({"width": 100, "height": 800}, "extreme_shape", "warning"),
        ({"brightness": 12.0}, "dark", "warning"),
        ({"brightness": 240.0}, "bright", "warning"),
        ({"sharpness": 5.0}, "blurred", "warning"),
        ({"contrast": 1.0}, "blank", "warning"),
    ],
)
def test_one_and_two(values: dict[str, Any], code: str, level: str) -> None:
    rows = good()
    rows[3] |= values
    one = found(rows)
    assert list(one) == [code]
    assert (one[code].level, one[code].count) == (level, 1)
    assert one[code].paths == ("cats/0003.jpg",)
    assert one[code].sentence.startswith("1 ")
    assert one[code].remedy
    rows[40] |= values
    two = found(rows)[code]
    assert two.count == 2
    assert two.examples == ("cats/0003.jpg", "dogs/0010.jpg")
    assert two.sentence.startswith("2 ")
    for wrong in (" 1 ", "2 picture ", "2 file ", " is ", " has "):
        assert wrong not in re.split("[.:]", two.sentence)[0] + " "


def test_thousands_are_separated() -> None:
    rows = [{"path": f"a/{n}.jpg", "label": "ab"[n % 2], "alpha": n < 1_234} for n in range(3_000)]
    assert found(rows)["alpha"].sentence.startswith("1,234 pictures ")


def test_an_error_that_nobody_foresaw_is_told_all_the_same() -> None:
    rows = good()
    rows[0]["error"] = "strange_new_code"
    finding = found(rows)["strange_new_code"]
    assert finding.level == "error"
    assert finding.paths == ("cats/0000.jpg",)


def test_endings_that_fit_or_promise_nothing() -> None:
    rows = good()
    rows[0]["path"] = "cats/A.JPEG"
    rows[1]["path"] = "cats/scan.2024.03"
    rows[2]["path"] = "cats/no ending"
    assert found(rows) == {}


def test_color_among_gray() -> None:
    rows = two_classes(30, gray=True)
    rows[5]["gray"] = False
    assert found(rows)["color_among_gray"].paths == ("cats/0005.jpg",)


def test_all_gray_is_no_finding() -> None:
    assert found(two_classes(30, gray=True)) == {}


@pytest.mark.parametrize(
    "values",
    [
        {"brightness": 8.0},  # the night sky
        {"brightness": 245.0},  # drawings on white
        {"sharpness": 4.0},  # out-of-focus by nature
        {"width": 8, "height": 8},  # scikit-learn's digits
        {"width": 1000, "height": 100},  # panoramas, all of them
        {"width": 8000, "height": 6000},
    ],
)
def test_what_all_pictures_are_is_not_odd(values: dict[str, Any]) -> None:
    assert found(two_classes(30, **values)) == {}


def test_a_blank_picture_is_not_called_dark_or_blurred_too() -> None:
    rows = good()
    rows[0] |= {"contrast": 0.0, "brightness": 0.0, "sharpness": 0.0}
    assert list(found(rows)) == ["blank"]


def test_errors_come_first_then_warnings() -> None:
    rows = good()
    rows[0]["alpha"] = True
    rows[1]["brightness"] = 3.0
    rows[2]["error"] = "cut_off"
    assert [f.level for f in audit(make_scan(rows)).findings] == ["error", "warning", "note"]


def test_no_picture_decodes() -> None:
    scan = make_scan([{"label": "a", "error": "empty"}, {"label": "b", "error": "cut_off"}])
    result = audit(scan)
    assert result.left_out.keys() == {0, 1}
    assert {f.code for f in result.findings} >= {"empty", "cut_off", "class_too_small"}


def test_json_and_examples() -> None:
    rows = good()
    for row in rows[:9]:
        row["alpha"] = True
    document = found(rows)["alpha"].as_json()
    assert list(document) == ["code", "level", "count", "sentence", "remedy", "examples"]
    assert document["count"] == 9
    assert len(document["examples"]) == 5
