from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tellapart.core.errors import SettingsError
from tellapart.networks.augment import PRESETS, Policy


def test_reads_what_the_command_line_takes() -> None:
    policy = Policy.parse("flip, shift=0.1 ,rotation=15,vertical-flip=off")
    assert policy == Policy(flip=True, shift=0.1, rotation=15)
    assert Policy.parse("none") == Policy()
    assert Policy.parse("LIGHT") == PRESETS["light"]


def test_a_preset_may_be_changed() -> None:
    changed = Policy.parse("light,flip=off,rotation=30")
    assert changed == PRESETS["light"].model_copy(update={"flip": False, "rotation": 30.0})


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("flp", "'flip'?"),
        ("strng", "'strong'?"),
        ("qqqq", "flip, vertical_flip"),
        ("rotation", "rotation=20"),
        ("rotation=lots", "0 to 180"),
        ("zoom=nan", "0 to 0.75"),
        ("shift=-0.1", "0 to 0.5"),
        ("shift=inf", "0 to 0.5"),
        ("flip=maybe", "'maybe'"),
        ("flip,flip", "'flip' "),
        ("flip,light", "'light' "),
        ("", ""),
        ("flip,,shift=0.1", ""),
    ],
)
def test_a_fault_is_refused_by_name_and_limit(text: str, named: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Policy.parse(text)
    assert named in caught.value.message
    assert caught.value.code == "augment"
    assert "flip,shift=0.1,rotation=15" in caught.value.remedy


def test_tells_every_fault_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        Policy.parse("flp,zoom=3,rotation=x")
    for named in ("'flp'", "'zoom'", "'3'", "'rotation'", "'x'"):
        assert named in caught.value.message


def test_a_long_text_is_cut_in_the_message() -> None:
    with pytest.raises(SettingsError) as caught:
        Policy.parse("x" * 100_000)
    assert len(caught.value.message) < 1_000


amounts = {
    "flip": st.booleans(),
    "vertical_flip": st.booleans(),
    "shift": st.floats(0, 0.5),
    "rotation": st.floats(0, 180),
    "zoom": st.floats(0, 0.75),
    "shear": st.floats(0, 60),
    "brightness": st.floats(0, 1),
    "contrast": st.floats(0, 1),
    "erase": st.floats(0, 1),
    "mixup": st.floats(0, 10),
    "cutmix": st.floats(0, 10),
}


@given(st.fixed_dictionaries({}, optional=amounts))
def test_both_ways_of_writing_it_down_give_it_back(values: dict[str, float]) -> None:
    policy = Policy(**values)
    assert Policy.parse(policy.text) == policy
    assert Policy.model_validate_json(policy.model_dump_json()) == policy
    assert policy.is_none == (policy == Policy())
    assert policy.describe().endswith(".")


def test_the_sentence_has_every_amount() -> None:
    sentence = PRESETS["light"].describe()
    for amount in ("10 %", "15°", "0.8 to 1.25", "20 %"):
        assert amount in sentence
    assert "2.5 %" in Policy(shift=0.025).describe()
    sentences = {
        Policy(**values).describe()
        for values in ({}, {"mixup": 0.2}, {"cutmix": 1.0}, {"mixup": 0.2, "cutmix": 1.0})
    }
    assert len(sentences) == 4
