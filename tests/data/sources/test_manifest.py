from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl
import pytest

from tellapart.core.errors import PictureError, SettingsError, SourceError
from tellapart.data.catalog import Catalog, open_catalog

Write = Callable[[Mapping[str, bytes]], Path]


@pytest.fixture
def opened(folder: Write, pets: dict[str, bytes]) -> Callable[..., Catalog]:
    """Opens a manifest of this text, beside three pictures."""

    def open_text(text: str, name: str = "list.csv", **settings: str) -> Catalog:
        path = folder(pets | {name: text.encode()}) / name
        return open_catalog(path, **settings)  # type: ignore[arg-type]

    return open_text


Opened = Callable[..., Catalog]


def refused(opened: Opened, text: str) -> str:
    with pytest.raises(SourceError) as caught:
        opened(text)
    assert "list.csv" in str(caught.value)
    return str(caught.value)


def test_a_csv(opened: Opened, pets: dict[str, bytes]) -> None:
    catalog = opened("label,path\nDog,dogs/1.jpg\nCat,./cats//2.jpg\nCat,cats/1.jpg\n")
    assert catalog.layout == "manifest"
    assert catalog.frame["path"].to_list() == ["cats/1.jpg", "cats/2.jpg", "dogs/1.jpg"]
    assert catalog.frame["label"].to_list() == ["Cat", "Cat", "Dog"]
    assert catalog.frame["part"].to_list() == [None] * 3
    assert catalog.source.read(1) == pets["cats/2.jpg"]
    assert catalog.source.name == "list.csv"


def test_json_lines_with_split_and_group(opened: Opened) -> None:
    lines = [
        '{"path": "cats/1.jpg", "label": 0, "split": "Training", "group": 17}',
        '{"path": "cats/2.jpg", "label": 1, "split": "val", "group": null}',
        '{"path": "dogs/1.jpg", "label": 1, "split": "testing"}',
    ]
    catalog = opened("\n".join(lines), "list.jsonl")
    assert catalog.classes == ("0", "1")
    assert catalog.frame["part"].to_list() == ["train", "validation", "test"]
    assert catalog.frame["group"].to_list() == ["17", None, None]


def test_parquet(folder: Write, pets: dict[str, bytes]) -> None:
    root = folder(pets)
    frame = pl.DataFrame({"path": list(pets), "label": ["a", "a", "b"]})
    frame.write_parquet(root / "list.parquet")
    assert len(open_catalog(root / "list.parquet")) == 3


def test_a_missing_file_is_a_row_that_cannot_be_read(opened: Opened) -> None:
    catalog = opened("path,label\ncats/1.jpg,cat\ncats/lost.jpg,cat\ncats,cat\ndogs/1.jpg,dog\n")
    assert catalog.frame["path"].to_list() == ["cats", "cats/1.jpg", "cats/lost.jpg", "dogs/1.jpg"]
    assert catalog.frame["bytes"].to_list() == [0, 7, 0, 7]
    for row, why in ((0, "not a regular file"), (2, "no such file")):
        with pytest.raises(PictureError, match=why) as caught:
            catalog.source.read(row)
        assert caught.value.code == "unreadable"


def test_no_file_at_all_is_an_error(opened: Opened) -> None:
    message = refused(opened, "path,label\nimages/1.jpg,cat\nimages/2.jpg,dog\n")
    assert "None of the 2 files" in message
    assert "images/1.jpg" in message


def test_the_same_row_twice_is_kept_once(opened: Opened) -> None:
    catalog = opened("path,label\ncats/1.jpg,cat\ncats/../cats/1.jpg,cat\ndogs/1.jpg,dog\n")
    assert len(catalog) == 2
    assert catalog.passed_over == {"repeated rows of the manifest": 1}


def test_rows_that_contradict_each_other(opened: Opened) -> None:
    message = refused(opened, "path,label\ncats/1.jpg,cat\ndogs/1.jpg,dog\ncats/1.jpg,dog\n")
    assert "line 4: 'cats/1.jpg' differs from line 2" in message


def test_all_faults_are_named_with_their_lines(opened: Opened) -> None:
    message = refused(
        opened,
        "path,label,split\n"
        "../outside.jpg,cat,train\n"
        "/etc/passwd,cat,train\n"
        "https://example.org/cat.jpg,cat,train\n"
        "file:///etc/passwd,cat,train\n"
        "cats/1.jpg,,train\n"
        ",cat,train\n"
        "cats/2.jpg,cat,holdout\n"
        "a/../../x.jpg,cat,train\n",
    )
    assert "8 faults" in message
    for fault in (
        "line 2: '../outside.jpg' is outside",
        "line 3: '/etc/passwd' is outside",
        "line 4: 'https://example.org/cat.jpg' is an address",
        "line 5: 'file:///etc/passwd' is an address",
        "line 6: the label is empty",
        "line 7: the path is empty",
        "line 8: the split 'holdout' is none of",
        "line 9: 'a/../../x.jpg' is outside",
    ):
        assert fault in message


def test_a_split_for_some_rows_only(opened: Opened) -> None:
    message = refused(opened, "path,label,split\ncats/1.jpg,cat,train\ndogs/1.jpg,dog,\n")
    assert "empty in 1 of 2 rows" in message


def test_an_absolute_path_inside_the_folder(folder: Write, pets: dict[str, bytes]) -> None:
    root = folder(pets)
    lines = "".join(f"{root / name},x\n" for name in pets)
    (root / "list.csv").write_text("path,label\n" + lines)
    assert open_catalog(root / "list.csv").frame["path"].to_list() == sorted(pets)


def test_backslashes_and_escapes_find_their_files(folder: Write) -> None:
    root = folder({"cats/1.jpg": b"x", "cats/new\nline.jpg": b"y"})
    (root / "list.csv").write_text("path,label\ncats\\1.jpg,a\ncats/new\\nline.jpg,b\n")
    catalog = open_catalog(root / "list.csv")
    assert catalog.frame["path"].to_list() == ["cats/1.jpg", r"cats/new\nline.jpg"]
    assert catalog.source.read(1) == b"y"


def test_missing_and_misspelled_columns(opened: Opened) -> None:
    assert "no column 'label' ('lable' is near)" in refused(opened, "path,lable\na,b\n")
    assert "--path-column" in refused(opened, "where,class\na,b\n")
    assert "near 'group'" in refused(opened, "path,label,groups\ncats/1.jpg,a,b\n")


def test_unknown_columns_are_noted(opened: Opened) -> None:
    catalog = opened("path,label,site,camera\ncats/1.jpg,cat,x,y\n")
    assert catalog.noted == {"columns of the manifest that are not used (site, camera)": 2}


@pytest.mark.parametrize("text", ["", "path,label\n", "\n\n"])
def test_an_empty_manifest(opened: Opened, text: str) -> None:
    refused(opened, text)


def test_group_from_reads_the_paths(opened: Opened) -> None:
    text = "path,label,group\ncats/1.jpg,cat,x\ndogs/1.jpg,dog,y\n"
    assert opened(text, group_from="parent").frame["group"].to_list() == ["cats", "dogs"]


def test_labels_come_from_one_place(opened: Opened) -> None:
    with pytest.raises(SettingsError, match="label-from"):
        opened("path,label\ncats/1.jpg,cat\n", label_from="name")


def test_labels_that_look_like_formulas_stay_text(opened: Opened) -> None:
    catalog = opened('path,label\ncats/1.jpg,"=HYPERLINK(""http://x"")"\ndogs/1.jpg,<script>\n')
    assert catalog.classes == ("<script>", '=HYPERLINK("http://x")')


# ------------------------------------------------------------------ other columns and names


@pytest.mark.parametrize(
    "text",
    [
        "id,breed\ncats/1,Cat\ncats/2,Cat\ndogs/1,Dog\n",
        "image,target\ncats/1.jpg,Cat\ncats/2.jpg,Cat\ndogs/1.jpg,Dog\n",
        "filename,class\ncats/1.jpg,Cat\ncats/2.jpg,Cat\ndogs/1.jpg,Dog\n",
        "file_name,label\ncats/1.jpg,Cat\ncats/2.jpg,Cat\ndogs/1.jpg,Dog\n",
        "class,size,which\nCat,7,cats/1.jpg\nCat,7,cats/2.jpg\nDog,9,dogs/1.jpg\n",
        "filename, Cat, Dog\ncats/1.jpg, 1, 0\ncats/2.jpg, 1, 0\ndogs/1.jpg, 0, 1\n",
        "path,label\nCATS/1.JPG,Cat\ncats/2,Cat\nDOGS/1.jpg,Dog\n",
        "path,label\n/home/ann/pets/cats/1.jpg,Cat\nC:\\pets\\cats\\2.jpg,Cat\n/x/dogs/1.jpg,Dog\n",
    ],
)  # fmt: skip
def test_tables_in_other_words(opened: Opened, text: str) -> None:
    catalog = opened(text)
    read = [label.casefold() for label in catalog.frame["label"].to_list()]
    assert catalog.frame["path"].to_list() == ["cats/1.jpg", "cats/2.jpg", "dogs/1.jpg"]
    assert read == ["cat", "cat", "dog"]


def test_it_says_which_columns_were_taken(opened: Opened) -> None:
    catalog = opened("id,breed\ncats/1,Cat\ncats/2,Cat\ndogs/1,Dog\n")
    (said,) = catalog.doubts
    assert (said.code, said.level) == ("read_as_table", "note")
    assert "'id'" in said.sentence and "'breed'" in said.sentence
    assert catalog.noted == {"pictures found by their names without an ending": 3}


def test_a_table_in_another_form_of_unicode(folder: Write) -> None:
    root = folder({unicodedata.normalize("NFD", "caf\u00e9/1.jpg"): b"x", "b/2.jpg": b"y"})
    (root / "list.csv").write_text("path,label\ncaf\u00e9/1.jpg,a\nb/2.jpg,b\n", encoding="utf-8")
    catalog = open_catalog(root / "list.csv")
    assert [catalog.source.read(row) for row in range(2)] == [b"y", b"x"]


def test_pictures_in_another_folder(folder: Write, tmp_path: Path, pets: dict[str, bytes]) -> None:
    root = folder(pets)
    (tmp_path / "tables").mkdir()
    table = tmp_path / "tables" / "list.csv"
    table.write_text("path,label\ncats/1.jpg,a\ndogs/1.jpg,b\n", encoding="utf-8")
    with pytest.raises(SourceError) as caught:
        open_catalog(table)
    assert "--pictures" in caught.value.remedy
    assert len(open_catalog(table, pictures=root)) == 2
    with pytest.raises(SettingsError) as wrong:
        open_catalog(root, pictures=root)
    assert wrong.value.code == "pictures"


def test_a_name_that_may_be_any_of_several_files_is_not_guessed(opened: Opened) -> None:
    text = "path,label\n1.jpg,cat\ncats/2.jpg,cat\ndogs/1.jpg,dog\n"
    catalog = opened(text)
    assert catalog.columns["bytes"] == [0, 7, 7]
    assert "outside" in refused(opened, "path,label\n/etc/1.jpg,cat\ndogs/1.jpg,dog\n")


def test_columns_that_the_user_names(opened: Opened) -> None:
    text = "a,b,c\ncats/1.jpg,x,1\ncats/2.jpg,x,2\ndogs/1.jpg,y,3\n"
    assert "--label-column" in refused(opened, text)
    assert opened(text, label_column="B").classes == ("x", "y")
    assert opened(text, path_column="a", label_column="c").classes == ("1", "2", "3")
    with pytest.raises(SourceError) as caught:
        opened(text, label_column="d")
    assert caught.value.code == "columns"


def test_a_one_hot_row_has_one_class(opened: Opened) -> None:
    head = "filename,Cat,Dog\ncats/1.jpg,1,0\ncats/2.jpg,1,0\n"
    assert "line 4: it has 2 classes" in refused(opened, head + "dogs/1.jpg,1,1\n")
    assert "line 4: it has no class" in refused(opened, head + "dogs/1.jpg,0,0\n")


@pytest.mark.parametrize(
    ("label", "read"), [('["cat"]', "cat"), ('"007"', "007"), ('"NA"', "NA"), ("1.0", "1")]
)
def test_labels_of_json(opened: Opened, label: str, read: str) -> None:
    lines = [f'{{"path": "cats/1.jpg", "label": {label}}}', '{"path": "dogs/1.jpg", "label": "x"}']
    assert read in opened("\n".join(lines), "list.jsonl").classes


@pytest.mark.parametrize("label", ['["cat", "dog"]', "[1, 0]", '{"choices": ["cat", "dog"]}'])
def test_lists_and_objects_are_no_labels(opened: Opened, label: str) -> None:
    lines = [f'{{"path": "cats/1.jpg", "label": {label}}}', '{"path": "dogs/1.jpg", "label": "x"}']
    with pytest.raises(SourceError) as caught:
        opened("\n".join(lines), "list.jsonl")
    assert caught.value.code == "manifest_rows"
    assert "line 1" in caught.value.message


def test_labels_of_bytes_in_parquet(folder: Write, pets: dict[str, bytes]) -> None:
    root = folder(pets)
    frame = pl.DataFrame({"path": list(pets), "label": [b"a", b"a", b"b"]})
    frame.write_parquet(root / "list.parquet")
    assert open_catalog(root / "list.parquet").classes == ("a", "b")
