from __future__ import annotations

import random

from tellapart.core.natural_order import natural


def test_numbers_count_as_numbers() -> None:
    names = ["1", "2", "10", "Acer 2", "acer 10", "b", "img9.jpg", "img010.jpg", "img11.jpg"]
    shuffled = random.Random(0).sample(names, len(names))
    assert sorted(shuffled, key=natural) == names


def test_names_that_differ_in_case_or_zeros_have_a_fixed_order() -> None:
    assert sorted(["a", "A", "01", "1", "001"], key=natural) == ["001", "01", "1", "A", "a"]


def test_any_name_has_its_place() -> None:
    names = ["", "9" * 5_000, "\udce9", "٣", "²", "-1", "a1b"]
    assert sorted(sorted(names, key=natural, reverse=True), key=natural) == sorted(
        names, key=natural
    )
