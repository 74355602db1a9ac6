"""Every verdict by a case, the order of the rules, and what the sentences say."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tellapart.diagnosis.verdict import CODES, Facts, diagnose, fill, plain
from tellapart.metrics.intervals import wilson


def facts(train: float = 0.995, held_out: float = 0.987, n: int = 598, **more: Any) -> Facts:
    """A run on 3,000 cats and dogs, unless something else is said."""
    right = round(held_out * n)
    base = Facts(
        train_n=2393,
        train_accuracy=train,
        held_out_n=n,
        held_out_accuracy=right / n,
        held_out_ci95=wilson(right, n),
        majority_accuracy=0.5,
        smallest_train_class=1190,
        smallest_train_name="cats",
        smallest_held_out_class=n // 2,
        smallest_held_out_name="dogs",
        pictures=3000,
    )
    return replace(base, **more)


CASES = {
    "labels that contradict": (facts(contradicting=80), "suspicious_data"),
    "a few contradictions": (facts(contradicting=10), "healthy"),
    "tiny data, two contradictions": (facts(contradicting=2, pictures=40), "healthy"),
    "many copies across parts": (facts(leaked=60, held_out=0.9, train=0.93), "suspicious_data"),
    "nearly perfect with copies": (facts(leaked=8, held_out=0.998), "suspicious_data"),
    "not so perfect with as many": (facts(leaked=8), "healthy"),
    "damaged files": (facts(undecodable=400), "suspicious_data"),
    "a class of nine": (facts(smallest_train_class=9), "too_few_pictures"),
    "fifteen pictures to measure on": (facts(n=15, held_out=0.9), "too_few_pictures"),
    "coin tosses": (facts(held_out=0.51, train=0.55), "no_better_than_guessing"),
    "imbalance: 92 % where 91 % are dogs": (
        facts(held_out=0.92, majority_accuracy=0.91),
        "no_better_than_guessing",
    ),
    "learns neither": (facts(train=0.78, held_out=0.77), "underfitting"),
    "ten classes, half learnt": (
        facts(train=0.7, held_out=0.69, majority_accuracy=0.1),
        "underfitting",
    ),
    "the classic CNN on 2,000 photos": (facts(train=0.99, held_out=0.73), "overfitting"),
    "six points on many pictures": (facts(train=1.0, held_out=0.94, n=1000), "overfitting"),
    "not learnt, and a gap": (facts(train=0.85, held_out=0.7), "overfitting"),
    "six points on few pictures": (facts(train=0.955, held_out=0.9, n=40), "good_but_uncertain"),
    "a wide interval": (facts(n=150, held_out=0.97), "good_but_uncertain"),
    "a class nobody measured": (facts(smallest_held_out_class=4), "good_but_uncertain"),
    "the probe on cats and dogs": (facts(train=0.999, held_out=0.988, n=1000), "healthy"),
    "every picture right": (facts(train=1.0, held_out=1.0, n=256), "healthy"),
    "91 % both": (facts(train=0.915, held_out=0.91, n=1000), "healthy"),
}


@pytest.mark.parametrize(("case", "code"), CASES.values(), ids=CASES.keys())
def test_verdict(case: Facts, code: str) -> None:
    assert diagnose(case).code == code


def test_every_verdict_has_a_case() -> None:
    assert {code for _, code in CASES.values()} == set(CODES)


WORSE: dict[str, dict[str, Any]] = {
    "suspicious_data": {"contradicting": 300},
    "too_few_pictures": {"smallest_train_class": 3},
    "no_better_than_guessing": {"majority_accuracy": 1.0},
    "good_but_uncertain": {"smallest_held_out_class": 1},
}


@pytest.mark.parametrize(("case", "code"), CASES.values(), ids=CASES.keys())
@pytest.mark.parametrize("worse", WORSE)
def test_the_earlier_rule_wins(case: Facts, code: str, worse: str) -> None:
    found = diagnose(replace(case, **WORSE[worse])).code
    assert CODES.index(found) <= min(CODES.index(code), CODES.index(worse))


def test_sentences_have_their_numbers() -> None:
    for case, *numbers in (
        (facts(train=0.993), "98.7 %", "99.3 %", "0.6 points"),
        (facts(train=1.0, held_out=0.975, n=2000), "97.5 %", "100 %", "2.5 points"),
        (facts(train=0.99, held_out=0.731, n=1000), "99.0 %", "73.1 %", "25.9 points"),
        (facts(train=0.99996, held_out=0.999, n=5000), "over 99.9 %"),
        (facts(contradicting=80), "80 of 3,000 pictures"),
        (facts(smallest_train_class=1), "'cats'", "1 picture ", "10 per class"),
    ):
        sentence = diagnose(case).sentence
        assert [number for number in numbers if number not in sentence] == []


def test_a_perfect_score_is_doubted_and_has_no_mistakes_to_look_at() -> None:
    perfect, usual = diagnose(facts(train=1.0, held_out=1.0, n=256)), diagnose(facts())
    assert (perfect.code, usual.code) == ("healthy", "healthy")
    assert perfect.sentence.count("100 %") == 3
    assert "mistakes" not in perfect.next[1] and "mistakes" in usual.next[1]


def test_groups_of_pictures_count_in_the_gap() -> None:
    alone = facts(train=0.99, held_out=0.92)
    grouped = replace(alone, held_out_ci95=(0.82, 0.97))
    assert diagnose(alone).code == "overfitting"
    assert diagnose(grouped).code == "overfitting"
    assert diagnose(replace(alone, held_out_ci95=(0.84, 0.995))).code == "good_but_uncertain"


def test_groups_are_named_where_they_make_the_interval_wide() -> None:
    found = diagnose(facts(n=80, held_out=0.75, held_out_ci95=(0.22, 0.97), held_out_groups=4))
    assert found.code == "too_few_pictures"
    assert "80 pictures in 4 groups" in found.sentence
    assert "group" in found.next[0] and "'cats'" not in found.next[0]
    assert "590 groups" not in diagnose(facts(n=598, held_out_groups=590)).sentence


@pytest.mark.parametrize("case", [case for case, _ in CASES.values()], ids=CASES.keys())
@pytest.mark.parametrize("model", ["probe", "cnn", "finetune"])
def test_steps_name_the_run_and_the_data(case: Facts, model: str) -> None:
    steps = " ".join(diagnose(replace(case, model=model)).next)
    shown = " ".join(fill([steps], run="runs/pets-1", data="my pets"))
    assert not re.search(r"\b(RUN|DATA|PICTURE)\b", shown)
    assert shown.count("'my pets'") == steps.count("DATA")
    assert shown.count("runs/pets-1") == steps.count("RUN")


def test_steps_of_older_runs_are_filled_too() -> None:
    assert fill(["tellapart predict RUN PICTURE"], run="runs/pets-1", data="pets") == [
        "tellapart predict runs/pets-1 photo.jpg"
    ]


def test_the_page_in_the_docs_has_every_verdict_in_order() -> None:
    page = Path(__file__).parents[2] / "docs" / "verdicts.md"
    rows = re.findall(r"^\| `(\w+)` \|", page.read_text(encoding="utf-8"), re.M)
    assert tuple(rows) == CODES


@given(
    st.floats(0, 1),
    st.floats(0, 1),
    st.integers(1, 5000),
    st.floats(0, 1),
    st.integers(1, 200),
    st.integers(0, 200),
    st.integers(0, 3000),
    st.integers(0, 3000),
)
def test_any_run_has_one_verdict(
    train: float, held_out: float, n: int, majority: float, fewest: int, least: int, odd: int,
    leaked: int,
) -> None:  # fmt: skip
    verdict = diagnose(
        facts(
            train,
            held_out,
            n,
            majority_accuracy=majority,
            smallest_train_class=fewest,
            smallest_held_out_class=least,
            contradicting=odd,
            leaked=leaked,
        )
    )
    assert verdict.code in CODES
    assert verdict.sentence.endswith(".") and verdict.next
    assert json.loads(json.dumps(verdict.as_json()))["code"] == verdict.code


def test_only_commands_are_filled_in() -> None:
    """A class may be called DATA."""
    steps = ["Add pictures, starting with 'DATA'.", "Check them: `tellapart check DATA`"]
    assert fill(steps, run="r", data="my pets") == [
        "Add pictures, starting with 'DATA'.",
        "Check them: `tellapart check 'my pets'`",
    ]
    assert plain(steps[1]) == "Check them: tellapart check DATA"
