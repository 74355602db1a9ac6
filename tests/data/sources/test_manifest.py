from __future__ import annotations

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
    assert "Its columns: filename, class" in refused(opened, "filename,class\na,b\n")
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
