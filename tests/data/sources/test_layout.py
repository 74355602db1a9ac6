from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from tellapart.core.errors import LabelError, SourceError, TellapartError
from tellapart.data.catalog import Catalog, open_catalog


@pytest.fixture(params=["folder", "zip", "tar"])
def opened(request: pytest.FixtureRequest) -> Callable[..., Catalog]:
    """Opens these names as a folder, as a zip and as a tar: the rules are the same."""
    maker = {"folder": "folder", "zip": "make_zip", "tar": "make_tar"}[request.param]
    make: Callable[[dict[str, bytes]], Path] = request.getfixturevalue(maker)

    def open_names(names: Iterable[str], **settings: Any) -> Catalog:
        return open_catalog(make({name: name.encode() for name in names}), **settings)

    return open_names


Opened = Callable[..., Catalog]


def labels(catalog: Catalog) -> dict[str, str]:
    """Label, and part where there is one, by the path inside the data."""
    rows = catalog.frame.select("path", "label", "part").rows()
    return {
        path.rpartition("!/")[2]: f"{part}:{label}" if part else label for path, label, part in rows
    }


def refused(opened: Opened, names: Iterable[str], **settings: Any) -> TellapartError:
    with pytest.raises(TellapartError) as caught:
        opened(names, **settings)
    return caught.value


def test_class_folders(opened: Opened) -> None:
    catalog = opened(["cats/1.jpg", "dogs/big/old/2.jpg", "dogs/3"])
    assert catalog.layout == "folders"
    assert catalog.classes == ("cats", "dogs")
    assert labels(catalog) == {"cats/1.jpg": "cats", "dogs/big/old/2.jpg": "dogs", "dogs/3": "dogs"}


def test_parts_in_any_case(opened: Opened) -> None:
    names = ["Training/a/1.jpg", "VAL/a/1.jpg", "Valid/b/2.jpg", "testing/b/x/1.jpg"]
    catalog = opened(names)
    assert catalog.layout == "parts"
    assert labels(catalog) == {
        "Training/a/1.jpg": "train:a",
        "VAL/a/1.jpg": "validation:a",
        "Valid/b/2.jpg": "validation:b",
        "testing/b/x/1.jpg": "test:b",
    }


def test_parts_count_only_where_every_folder_is_one(opened: Opened) -> None:
    catalog = opened(["train/a/1.jpg", "test/a/1.jpg", "bus/a/1.jpg"])
    assert catalog.layout == "folders"
    assert catalog.classes == ("bus", "test", "train")


def test_parts_count_only_where_they_hold_class_folders(opened: Opened) -> None:
    catalog = opened(["test/1.jpg", "train/1.jpg"])
    assert catalog.layout == "folders"
    assert catalog.classes == ("test", "train")


@pytest.mark.parametrize("part", ["train", "test"])
def test_one_part_alone_parts_nothing(opened: Opened, part: str) -> None:
    catalog = opened([f"{part}/a/1.jpg", f"{part}/b/1.jpg"])
    assert catalog.layout == "folders"
    assert catalog.classes == ("a", "b")
    assert catalog.frame["part"].null_count() == 2


def test_one_part_under_two_names_parts_nothing(opened: Opened) -> None:
    catalog = opened(["val/a/1.jpg", "valid/b/1.jpg"])
    assert catalog.layout == "folders"
    assert catalog.frame["part"].null_count() == 2


@pytest.mark.parametrize("above", ["PetImages/", "kagglecatsanddogs_5340/PetImages/"])
def test_folders_that_only_wrap_are_looked_through(opened: Opened, above: str) -> None:
    catalog = opened([f"{above}Cat/1.jpg", f"{above}Dog/1.jpg", "readme[1].txt", f"{above}x.pdf"])
    assert catalog.classes == ("Cat", "Dog")
    assert f"{above}Cat/1.jpg" in labels(catalog)
    assert catalog.passed_over == {"files outside the class folders": 2 if above else 1}


def test_wrapped_parts(opened: Opened) -> None:
    wrap = "cats_and_dogs_filtered"
    catalog = opened(
        [f"{wrap}/train/cats/1.jpg", f"{wrap}/validation/cats/2.jpg", f"{wrap}/vectorize.py"]
    )
    assert labels(catalog) == {
        f"{wrap}/train/cats/1.jpg": "train:cats",
        f"{wrap}/validation/cats/2.jpg": "validation:cats",
    }


def test_one_class_folder_is_one_class(opened: Opened) -> None:
    assert opened(["cats/1.jpg", "cats/2.jpg"]).classes == ("cats",)
    assert opened(["cats/1.jpg", "cats/2.jpg", "cats/old/1.jpg"]).classes == ("cats",)


def test_a_document_in_a_class_folder_is_a_row(opened: Opened) -> None:
    catalog = opened(["cats/1.jpg", "cats/README.txt", "dogs/1.jpg"])
    assert labels(catalog)["cats/README.txt"] == "cats"


def test_what_lies_beside_class_folders_is_counted(opened: Opened) -> None:
    catalog = opened(["cats/1.jpg", "dogs/1.jpg", "loose.jpg", "labels.csv", "docs/a.txt", "x.zip"])
    assert catalog.classes == ("cats", "dogs")
    assert catalog.passed_over == {
        "archives inside the data": 1,
        "files outside the class folders": 2,
        "folders without pictures (docs)": 1,
        "pictures outside the class folders": 1,
    }


def test_a_picture_beside_class_folders_of_a_part_is_counted(opened: Opened) -> None:
    catalog = opened(["train/a/1.jpg", "train/2.jpg", "test/a/3.jpg"])
    assert catalog.layout == "parts"
    assert catalog.passed_over == {"pictures outside the class folders": 1}


def test_empty_class_folders_are_named(folder: Callable[..., Path]) -> None:
    root = folder({"train/a/1.jpg": b"x", "test/a/2.jpg": b"y"})
    (root / "test/b").mkdir()
    (root / "test/a/inner").mkdir()
    (root / "validation/a").mkdir(parents=True)
    catalog = open_catalog(root)
    assert catalog.layout == "parts"
    assert catalog.passed_over == {"folders without pictures (test/b, validation)": 2}


def test_nothing_at_all(folder: Callable[..., Path]) -> None:
    with pytest.raises(SourceError, match="holds nothing") as caught:
        open_catalog(folder({}))
    assert caught.value.code == "empty_folder"


def test_an_empty_archive(make_zip: Callable[..., Path]) -> None:
    with pytest.raises(SourceError, match="holds nothing"):
        open_catalog(make_zip({}))


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["README.md", "a/b.txt"], "only 2 other files"),
        (["train.zip", "test.zip"], "but archives (train.zip, test.zip)"),
        ([".hidden/1.jpg"], "1 hidden"),
    ],
)
def test_no_pictures(opened: Opened, names: list[str], says: str) -> None:
    error = refused(opened, names)
    assert error.code == "empty_folder"
    if "archives" in says:
        assert "but archives" in error.message
        assert "one of the archives" in error.remedy
    else:
        assert says in error.message


# ------------------------------------------------------------------ labels in names

FLAT = ["cat.0.jpg", "cat.1.jpg", "cat.2.jpg", "dog_1.png", "dog_2.png"]


def test_labels_in_names_are_proposed(opened: Opened) -> None:
    error = refused(opened, FLAT)
    assert error.code == "labels_in_names"
    assert "2 labels: 'cat' 3, 'dog' 2" in error.message
    assert "--label-from name" in error.remedy


def test_labels_in_names_are_taken(opened: Opened) -> None:
    catalog = opened([*FLAT, "0001.jpg", "README.txt", "labels.csv"], label_from="name")
    assert catalog.layout == "names"
    assert set(labels(catalog).values()) == {"cat", "dog"}
    assert len(catalog) == 5
    assert catalog.passed_over == {
        "files that are no pictures by their ending": 2,
        "names that carry no label (0001.jpg)": 1,
    }


def test_labels_in_names_inside_parts_and_wrapping(opened: Opened) -> None:
    names = [f"train/{name}" for name in FLAT]
    assert refused(opened, names).code == "labels_in_names"
    assert opened(names, label_from="name").classes == ("cat", "dog")
    catalog = opened([*names, "test/cat.7.jpg"], label_from="name")
    assert labels(catalog)["test/cat.7.jpg"] == "test:cat"


def test_no_labels_anywhere(opened: Opened) -> None:
    error = refused(opened, ["1.jpg", "2.jpg", "labels.csv"])
    assert error.code == "no_class_folders"
    assert "2 pictures" in error.message
    assert "labels.csv" in error.remedy
    assert refused(opened, ["1.jpg", "2.jpg"], label_from="name").code == "no_labels_in_names"


def test_names_that_are_all_different_are_not_proposed(opened: Opened) -> None:
    assert refused(opened, ["ann.jpg", "bob.jpg", "cy.jpg"]).code == "no_class_folders"


def test_real_archives(data_folder: Path) -> None:
    pets = open_catalog(data_folder / "cats-dogs-3k.zip")
    assert (pets.layout, pets.classes, len(pets)) == ("parts", ("cats", "dogs"), 3000)
    assert pets.frame["part"].value_counts(sort=True).rows() == [
        ("train", 2000),
        ("validation", 1000),
    ]
    with pytest.raises(SourceError, match="'cat' 1,001, 'dog' 1,001"):
        open_catalog(data_folder / "cats-dogs-kaggle-2k.zip")
    kaggle = open_catalog(data_folder / "cats-dogs-kaggle-2k.zip", label_from="name")
    assert (kaggle.layout, kaggle.classes, len(kaggle)) == ("names", ("cat", "dog"), 2002)
    assert (
        sum(len(kaggle.source.read(row)) for row in range(20)) == kaggle.frame["bytes"][:20].sum()
    )


# ------------------------------------------------------------------ parts under other names


def named(catalog: Catalog) -> dict[str, str]:
    """The level of each doubt by its code."""
    return {doubt.code: doubt.level for doubt in catalog.doubts}


def both(*folders: str) -> list[str]:
    """Two classes of two pictures in each folder."""
    return [f"{at}/{c}/{i}.png" for at in folders for c in ("cats", "dogs") for i in (1, 2)]


@pytest.mark.parametrize(
    ("folders", "parts"),
    [
        (("training_set", "test_set"), {"train", "test"}),
        (("Train-Data", "Val-Data"), {"train", "validation"}),
        (("pets_train", "pets_test"), {"train", "test"}),
        (("train1", "test1"), {"train", "test"}),
        (("train", "dev"), {"train", "validation"}),
        (("train", "hold_out"), {"train", "test"}),
        (("train", "eval"), {"train", "test"}),
        (("train", "eval", "test"), {"train", "validation", "test"}),
        (("trainImages", "testImages"), {"train", "test"}),
        (("training_set/training_set", "test_set/test_set"), {"train", "test"}),
        (("train/images", "test/images"), {"train", "test"}),
        (("x/x/Training", "x/x/Testing"), {"train", "test"}),
    ],
)
def test_parts_under_other_names(opened: Opened, folders: tuple[str, ...], parts: set[str]) -> None:
    catalog = opened(both(*folders))
    assert catalog.layout == "parts"
    assert catalog.classes == ("cats", "dogs")
    assert set(catalog.columns["part"]) == parts
    assert set(named(catalog)) <= {"read_as_parts"}


def test_parts_inside_the_classes(opened: Opened) -> None:
    catalog = opened(["cats/train/1.png", "cats/test/2.png", "dogs/train/1.png", "dogs/test/2.png"])
    assert labels(catalog)["cats/test/2.png"] == "test:cats"
    assert named(catalog) == {"read_as_parts": "note"}


def test_unlabelled_parts_are_left_out_and_named(opened: Opened) -> None:
    catalog = opened([*both("train"), "test/1.jpg", "test/2.jpg"])
    assert catalog.classes == ("cats", "dogs")
    assert len(catalog) == 4
    assert catalog.passed_over == {"pictures without a class in test/": 2}
    assert "predict" in catalog.doubts[0].remedy


def test_pictures_to_predict_beside_labelled_parts(opened: Opened) -> None:
    catalog = opened([*both("seg_train", "seg_test/seg_test"), "seg_pred/seg_pred/3.jpg"])
    assert set(catalog.columns["part"]) == {"train", "test"}
    assert catalog.passed_over == {"pictures without a class in seg_pred/seg_pred/": 1}


def test_a_training_part_without_classes_is_refused(opened: Opened) -> None:
    error = refused(opened, ["train/1.jpg", *both("test")])
    assert isinstance(error, LabelError)
    assert error.code == "unlabelled_part"
    assert "/test'" in error.remedy


# ------------------------------------------------------------------ doubts


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["train/1.jpg", "test/1.jpg"], "parts_without_labels"),
        (["train/1.jpg", "valid/1.jpg", "train/_classes.csv"], "parts_without_labels"),
        (["cats/1.jpg", "dogs/1.jpg", "test/1.jpg"], "class_named_like_part"),
        (["cats/1.jpg", "dogs/1.jpg", "cats_test/1.jpg"], "class_named_like_part"),
        ([*both("."), *both("cleaned")], "copy_inside"),
        (both("color", "gray"), "same_folders_inside"),
        (both("fold1", "fold2", "fold3"), "same_folders_inside"),
    ],
)
def test_what_may_be_no_class_is_doubted(opened: Opened, names: list[str], code: str) -> None:
    catalog = opened([name.removeprefix("./") for name in names])
    assert named(catalog) == {code: "error"}
    assert "--classes-in ." in catalog.doubts[0].remedy


@pytest.mark.parametrize(
    "names",
    [
        ["test_tube/1.jpg", "beaker/1.jpg"],
        ["trains/1.jpg", "buses/1.jpg"],
        ["part_1/1.jpg", "part_2/1.jpg"],
        ["cats/tabby/1.jpg", "cats/siamese/1.jpg", "dogs/big/1.jpg"],
        ["cats/left/1.jpg", "dogs/left/1.jpg"],
    ],
)
def test_ordinary_classes_are_not_doubted(opened: Opened, names: list[str]) -> None:
    assert named(opened(names)) == {}


def test_masks_beside_pictures_are_named(opened: Opened) -> None:
    names = [f"{c}/{at}/{i}.png" for c in "ab" for at in ("images", "masks") for i in range(4)]
    catalog = opened(names)
    assert named(catalog) == {"masks_beside_pictures": "warning"}
    assert "--exclude masks" in catalog.doubts[0].remedy
    assert named(opened(names, exclude=["masks"])) == {}


def test_other_folders_with_the_same_file_names_are_no_masks(opened: Opened) -> None:
    names = [f"{c}/{at}/{i}.png" for c in "ab" for at in ("images", "other") for i in range(4)]
    assert named(opened(names)) == {"same_folders_inside": "error"}


# ------------------------------------------------------------------ what the user says


def test_classes_in_a_folder(opened: Opened) -> None:
    names = both("color", "gray")
    assert opened(names, classes_in=".").classes == ("color", "gray")
    assert named(opened(names, classes_in=".")) == {}
    assert len(opened(names, classes_in="color")) == 4
    every = opened(names, classes_in="*")
    assert (len(every), every.classes) == (8, ("cats", "dogs"))
    assert opened(["wrap/test/1.png", "wrap/cats/2.png"], classes_in="wrap").classes == (
        "cats",
        "test",
    )
    assert refused(opened, names, classes_in="colour").code == "classes_in"


def test_given_parts(opened: Opened) -> None:
    names = both("fold1", "fold2", "fold3")
    catalog = opened(names, parts="fold1=train,fold3=test")
    assert catalog.layout == "parts"
    assert labels(catalog)["fold3/cats/1.png"] == "test:cats"
    assert catalog.passed_over == {"files outside the given parts": 4}
    assert named(catalog) == {}
    assert refused(opened, names, parts="fold9=train").code == "parts"
    assert refused(opened, names, parts="fold1=training,fold2").code == "parts"
    assert refused(opened, names, parts="fold1=learn").code == "parts"


def test_excluded_files_and_folders(opened: Opened) -> None:
    names = [*both("."), *both("cleaned"), "cats/old/3.png"]
    names = [name.removeprefix("./") for name in names]
    catalog = opened(names, exclude=["cleaned", "cats/o*"])
    assert (len(catalog), catalog.classes) == (4, ("cats", "dogs"))
    assert catalog.passed_over == {
        "excluded by --exclude cats/o*": 1,
        "excluded by --exclude cleaned": 4,
    }
    assert refused(opened, names, exclude=["nothing"]).code == "exclude"


# ------------------------------------------------------------------ annotations


def test_annotations_beside_pictures_are_no_pictures(opened: Opened) -> None:
    names = ["a/1.jpg", "a/1.xml", "a/1.json", "a/labels.csv", "b/2.jpg", "b/2.txt", "b/other.txt"]
    catalog = opened(names)
    assert sorted(labels(catalog)) == ["a/1.jpg", "b/2.jpg", "b/other.txt"]
    assert catalog.passed_over == {"annotations beside the pictures": 4}


# ------------------------------------------------------------------ tables beside and inside


def test_a_table_in_each_part(folder: Callable[..., Path]) -> None:
    files = {f"{part}/{i}.jpg": b"x" for part in ("train", "valid") for i in range(4)}
    rows = "".join(f"{i}.jpg,{i % 2},{1 - i % 2}\n" for i in range(4))
    files |= {f"{p}/_classes.csv": f"filename,a,b\n{rows}".encode() for p in ("train", "valid")}
    catalog = open_catalog(folder(files))
    assert catalog.layout == "parts"
    assert catalog.classes == ("a", "b")
    assert set(catalog.columns["part"]) == {"train", "validation"}
    assert named(catalog) == {"read_as_table": "note"}


@pytest.mark.parametrize(
    ("folders", "level"),
    [(("x_part_1", "x_part_2"), "error"), (("images",), "error"), (("cats", "dogs"), "warning")],
)
def test_a_table_that_names_the_pictures(
    folder: Callable[..., Path], folders: tuple[str, ...], level: str
) -> None:
    names = [f"{at}/{at}_{i}.jpg" for at in folders for i in range(4)]
    rows = "".join(f"{name.rpartition('/')[2][:-4]},{('nv', 'mel')[n % 2]}\n"
                   for n, name in enumerate(names))  # fmt: skip
    table = {"HAM_metadata.csv": f"image_id,dx\n{rows}".encode()}
    catalog = open_catalog(folder(dict.fromkeys(names, b"x") | table))
    assert named(catalog) == {"table_beside": level}
    assert "HAM_metadata.csv" in catalog.doubts[0].remedy


def test_a_table_that_repeats_the_folders_is_no_doubt(folder: Callable[..., Path]) -> None:
    names = [f"{c}/{c[0]}{i}.jpg" for c in ("cats", "dogs") for i in range(4)]
    rows = "".join(f"{name},{name.partition('/')[0]}\n" for name in names)
    files = dict.fromkeys(names, b"x") | {"list.csv": f"file,label\n{rows}".encode()}
    assert named(open_catalog(folder(files))) == {}
