"""What there is to see of a lesson's trainings."""

from __future__ import annotations

import importlib.util
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from PIL import Image

from tellapart.datasets import registry
from tellapart.datasets.verification import Found
from tellapart.lessons import runner
from tellapart.lessons.lesson import Lesson, Training

needs_keras = pytest.mark.skipif(
    importlib.util.find_spec("keras") is None, reason="the extra keras is not installed"
)


def lesson(*trainings: Training) -> Lesson:
    return Lesson(
        name="lesson",
        title="A lesson",
        idea="An idea.",
        task="A task.",
        data=("digits",),
        targets=(),
        minutes=0.1,
        trainings=trainings,
    )


@needs_keras
def test_a_network_is_drawn_from_its_learning_to_its_mistakes(
    digits: Found, tmp_path: Path
) -> None:
    cnn = Training("cnn", "Small.", {"model": "cnn", "epochs": 1, "size": 16, "filters": (8,)})
    probe = Training("probe", "A head.", {"model": "probe", "size": 32})
    result = runner.run(lesson(cnn, probe), find=lambda _: digits, out=tmp_path / "out")
    folder = tmp_path / "out" / "pictures"
    assert [one.file for one in result.pictures] == [
        "cnn-learning.svg",
        "cnn-filters.webp",
        "cnn-maps.webp",
        "cnn-varied.webp",
        "cnn-mistakes.webp",
        "probe-mistakes.webp",
    ]
    assert sorted(one.name for one in folder.iterdir()) == sorted(
        one.file for one in result.pictures
    )
    for one in result.pictures:
        if one.file.endswith(".webp"):
            with Image.open(folder / one.file) as opened:
                assert opened.width > 900 and opened.height > 100
    shown = {one.file for one in result.pictures if not one.of_data}
    assert shown == {"cnn-learning.svg", "cnn-filters.webp"}
    assert result.as_json()["shareable"] is True
    root = ElementTree.parse(folder / "cnn-learning.svg").getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    said = {text.strip() for text in root.itertext()}
    assert {"training", "held out", "epoch"} <= said
    # On its own a file has no page to take colors from.
    style = next(text for text in root.itertext() if "--accent" in text)
    assert "prefers-color-scheme: dark" in style and ".plot" in style


def test_only_data_sets_whose_licence_says_so_are_shown_again() -> None:
    shareable = {data.name: data.licence for data in registry.DATA_SETS if data.shareable}
    assert all(licence.startswith(("CC BY", "MIT")) for licence in shareable.values())
    assert "cats-dogs-3k" not in shareable and "happy-or-sad" not in shareable
