from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tellapart.data.sources.names import (
    ending,
    label_in_name,
    label_of,
    may_be_picture,
    part_of,
    passing_reason,
    printable,
    quote,
    raw,
)

names_on_disk = st.binary(min_size=1, max_size=60).map(os.fsdecode)


@given(names_on_disk)
def test_a_printable_name_can_be_stored_and_turned_back(name: str) -> None:
    shown = printable(name)
    shown.encode("utf-8")
    assert "\n" not in shown
    assert "\x1b" not in shown
    assert raw(shown) == name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("cat.jpg", "cat.jpg"),
        ("-rf", "-rf"),
        ("Käthe's 猫 👩‍🔬.jpg", "Käthe's 猫 👩‍🔬.jpg"),
        ("a\nb\tc\rd", r"a\nb\tc\rd"),
        (os.fsdecode(b"\xff\x80"), r"\xff\x80"),
        ("a\\nb", r"a\\nb"),
        ("evil\u202egpj.exe", r"evil\u202egpj.exe"),
        ("\x1b[31m", r"\u001b[31m"),
    ],
)
def test_what_is_escaped(name: str, shown: str) -> None:
    assert printable(name) == shown


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("cat.0.jpg", "cat"),
        ("x/y/dog_12.png", "dog"),
        ("img-cat-3.jpg", "img-cat"),
        ("great dane (4).jpg", "great dane"),
        ("happy1-00.png", "happy"),
        ("cat.jpg", "cat"),
        ("cat.12", "cat"),
        ("0001.jpg", None),
        ("_7.jpg", None),
    ],
)
def test_the_label_stands_before_the_first_number(name: str, label: str | None) -> None:
    assert label_in_name(name) == label


def test_a_name_of_separators_takes_no_time() -> None:
    assert label_in_name("-" * 60_000 + ".jpg") is None


@pytest.mark.parametrize(
    "name", ["train", "Training", "TEST", "testing", "val", "Valid", "VALIDATION"]
)
def test_parts_are_known_in_any_case(name: str) -> None:
    assert part_of(name) in ("train", "validation", "test")


def test_labels_are_composed() -> None:
    assert label_of("cafe\u0301") == label_of("caf\u00e9") == "caf\u00e9"


@pytest.mark.parametrize(
    "name",
    [
        ".DS_Store",
        ".ipynb_checkpoints",
        ".git",
        "__MACOSX",
        "Thumbs.db",
        "thumbs.DB",
        "desktop.ini",
        "@eaDir",
        "._cat.jpg",
    ],
)
def test_leftovers_are_passed_over(name: str) -> None:
    assert passing_reason(name)


def test_endings() -> None:
    assert ending("a.b/c") == ""
    assert ending(".jpg") == ""
    assert ending("C.JPeG") == "jpeg"
    assert may_be_picture("0001")
    assert may_be_picture("cat.jpg.tmp")
    assert not may_be_picture("README")
    assert not may_be_picture("labels.csv")


def test_a_long_name_is_shortened_in_messages() -> None:
    assert len(quote("x" * 5000)) < 170
