"""The layouts of well-known public data sets, rebuilt small: each is read right, or one message
leads to a right reading. docs/known-data-sets.md is the same table in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tellapart.core.errors import TellapartError
from tellapart.data.catalog import open_catalog

DOCS = Path(__file__).parents[3] / "docs"


@dataclass(frozen=True)
class Known:
    """A data set.

    Attributes:
        name: As docs/known-data-sets.md names it.
        files: What it has.
        classes: What is read in the end.
        parts: In the end.
        asks: Code of the doubt or error at first; None where it is read right at once.
        options: What the message says to add.
        inside: The folder that the message says to give.
    """

    name: str
    files: tuple[str, ...]
    classes: tuple[str, ...] = ("a", "b")
    parts: frozenset[str | None] = frozenset({None})
    asks: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    inside: str = ""


def pictures(*folders: str, classes: tuple[str, ...] = ("a", "b"), end: str = "jpg") -> list[str]:
    return [f"{at}/{c}/{c}_{i}.{end}".lstrip("/") for at in folders for c in classes for i in "123"]


def flat(folder: str, stems: str = "123456") -> list[str]:
    return [f"{folder}/{stem}.jpg" for stem in stems]


def known(name: str, *files: list[str], **more: Any) -> Known:
    return Known(name, tuple(one for group in files for one in group), **more)


TRAIN_TEST = frozenset({"train", "test"})
CATS = ("cat", "dog")
IN_NAMES = [f"{c}.{i}.jpg" for c in CATS for i in range(3)]
COPY = {"asks": "copy_inside"}

SETS = (
    known("Microsoft cats and dogs", pictures("PetImages"), [["readme[1].txt"][0]]),
    known("Cats and dogs filtered", pictures("cats_and_dogs_filtered/train"),
          pictures("cats_and_dogs_filtered/validation"), parts=frozenset({"train", "validation"})),
    known("Dogs vs. Cats (Kaggle)", [f"train/{name}" for name in IN_NAMES], flat("test1"),
          classes=CATS, asks="labels_in_names", options={"label_from": "name"}),
    known("Horses or humans", pictures("train", "validation"),
          parts=frozenset({"train", "validation"})),
    known("Rock paper scissors", pictures("rps", "rps-test-set"), parts=TRAIN_TEST),
    known("Intel image classification", pictures("seg_train/seg_train", "seg_test/seg_test"),
          flat("seg_pred/seg_pred"), parts=TRAIN_TEST),
    known("Chest X-ray (pneumonia)", pictures("train", "val", "test"),
          pictures("chest_xray/train", "chest_xray/val", "chest_xray/test"), **COPY,
          options={"exclude": ["chest_xray"]}, parts=TRAIN_TEST | {"validation"}),
    known("Malaria cells", pictures("cell_images", "cell_images/cell_images"), **COPY,
          options={"exclude": ["cell_images/cell_images"]}),
    known("Brain tumor MRI", pictures("Training", "Testing"), parts=TRAIN_TEST),
    known("PlantVillage", pictures("plantvillage dataset/color"),
          pictures("plantvillage dataset/segmented"), asks="same_folders_inside",
          options={"classes_in": "plantvillage dataset/color"}),
    known("Fruits-360", pictures("fruits-360/Training", "fruits-360/Test"), parts=TRAIN_TEST),
    known("Food-101", pictures("food-101/images"), ["food-101/meta/train.json"]),
    known("Flowers recognition", pictures("flowers", "flowers/flowers"), **COPY,
          options={"exclude": ["flowers/flowers"]}),
    known("Oxford-IIIT Pet", [f"images/{c}_{i}.jpg" for c in CATS for i in range(3)],
          [f"annotations/trimaps/{c}_{i}.png" for c in CATS for i in range(3)],
          classes=CATS, asks="masks_as_class",
          options={"exclude": ["annotations"], "label_from": "name"}),
    known("Stanford Dogs", pictures("Images"),
          [f"Annotation/{c}/{c}_{i}" for c in "ab" for i in "123"], asks="same_folders_inside",
          options={"classes_in": "Images"}),
    known("EuroSAT", pictures("2750")),
    known("GTSRB", pictures("Train"), flat("Test"), flat("Meta"), ["Train.csv", "Test.csv"],
          asks="class_named_like_part", options={"exclude": ["Meta"]}),
    known("Tiny ImageNet", [f"train/{c}/images/{i}.JPEG" for c in "ab" for i in "123"],
          [f"train/{c}/{c}_boxes.txt" for c in "ab"], ["val/val_annotations.txt"],
          flat("val/images"), flat("test/images")),
    known("Casting product", pictures("casting_data/casting_data/train"),
          pictures("casting_data/casting_data/test", "casting_512x512/casting_512x512"),
          asks="parts_inside", inside="casting_data/casting_data", parts=TRAIN_TEST),
    known("Dog breeds (Kaggle)", flat("train"), flat("test", "789"), ["labels.csv"],
          asks="parts_without_labels"),
)  # fmt: skip


def read(root: Path, **options: Any) -> tuple[str | None, Any]:
    """The code of what stops a training, and the catalog if there is one."""
    try:
        catalog = open_catalog(root, **options)
    except TellapartError as error:
        return error.code, None
    wrong = [doubt.code for doubt in catalog.doubts if doubt.level == "error"]
    return (wrong[0] if wrong else None), catalog


@pytest.mark.parametrize("one", SETS, ids=lambda one: one.name)
def test_a_known_data_set_is_read_right_or_asked_about(
    one: Known, folder: Callable[..., Path]
) -> None:
    root = folder({name: name.encode() for name in one.files})
    asked, catalog = read(root)
    assert asked == one.asks
    if one.options or one.inside:
        asked, catalog = read(root / one.inside, **one.options)
        assert asked is None
    elif one.asks:
        return  # the message leads to the table of labels
    assert catalog.classes == one.classes
    assert set(catalog.columns["part"]) == one.parts


def test_the_docs_name_them_all() -> None:
    page = (DOCS / "known-data-sets.md").read_text(encoding="utf-8")
    assert [one.name for one in SETS if f"| {one.name} |" not in page] == []
