"""Numbers and names as they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tellapart.core import text


@pytest.mark.parametrize(
    ("share", "written"),
    [
        (0.98662, "98.7 %"), (1.0, "100 %"), (0.0, "0 %"), (0.9994, "99.9 %"),
        (0.99999, "over 99.9 %"), (0.0001, "under 0.1 %"), (0.5, "50.0 %"), (None, "–"),
        (float("nan"), "–"),
    ],
)  # fmt: skip
def test_nearly_all_is_never_written_as_all(share: float | None, written: str) -> None:
    assert (text.percent(share)) == written


@pytest.mark.parametrize(
    ("probability", "written"),
    [(1.0, "over 99.9 %"), (0.9996, "over 99.9 %"), (0.966, "96.6 %"), (0.0, "under 0.1 %")],
)
def test_no_probability_is_certain(probability: float, written: str) -> None:
    assert text.certainty(probability) == written


def test_differences_are_in_points() -> None:
    assert text.points(0.022) == "2.2 points"
    assert text.points(-0.022) == "−2.2 points"
    assert text.points(0.0001) == "under 0.1 points"


def test_names_in_a_sentence() -> None:
    assert text.listed(["a"]) == "'a'"
    assert text.listed(["a", "b", "c"], 2) == "'a', 'b' and 1 more"


def test_interval_names_the_unit_once() -> None:
    assert (text.interval(0.974, 0.993)) == "97.4 to 99.3 %"


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.612, "0.61 s"), (17.44, "17.4 s"), (125.0, "2 min 5 s"), (4320.0, "1 h 12 min")],
)
def test_durations(value: float, written: str) -> None:
    assert (text.seconds(value)) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [(0, "0 B"), (812, "812 B"), (7_234, "7.2 kB"), (21_701_111, "22 MB"), (3e15, "3,000 TB")],
)
def test_sizes(value: float, written: str) -> None:
    assert (text.size(value)) == written


def test_moment_and_plural() -> None:
    assert text.moment("2026-11-22T07:56:02+00:00") == "22 November 2026, 07:56 UTC"
    assert text.moment("yesterday") == "yesterday"
    assert text.counted(1, "class", "classes") == "1 class"
    assert text.counted(2993, "picture") == "2,993 pictures"


@given(st.text(st.characters()))
def test_clean_names_are_one_visible_line(name: str) -> None:
    cleaned = text.clean(name)
    cleaned.encode("utf-8")
    assert not set(cleaned) & set("\n\r\t\x00\x1b\u202e\u2066\u200f")
    assert text.clean(cleaned) == cleaned


def test_bytes_that_are_not_utf8_and_joined_emoji() -> None:
    assert text.clean("caf\udce9") == "caf\\xe9"
    assert text.clean("🐈\u200d⬛") == "🐈\u200d⬛"


@given(st.text(), st.integers(5, 60))
def test_short_names_keep_both_ends(name: str, length: int) -> None:
    short = text.shorten(name, length)
    assert len(short) <= length
    assert text.clean(name).startswith(short.split("…")[0][:2])
