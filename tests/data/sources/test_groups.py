from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tellapart.core.errors import SettingsError
from tellapart.data.catalog import open_catalog

Write = Callable[[Mapping[str, bytes]], Path]

SCANS = {
    "train/ill/p1/a.jpg": b"",
    "train/ill/p1/b.jpg": b"",
    "train/well/c_p2.jpg": b"",
    "test/well/scan/p3/d.jpg": b"",
}


def groups(root: Path, group_from: str) -> dict[str, str | None]:
    frame = open_catalog(root, group_from=group_from).frame
    return dict(frame.select("path", "group").rows())


def test_the_parent_folder_unless_it_is_the_class(folder: Write) -> None:
    assert groups(folder(SCANS), "parent") == {
        "test/well/scan/p3/d.jpg": "p3",
        "train/ill/p1/a.jpg": "p1",
        "train/ill/p1/b.jpg": "p1",
        "train/well/c_p2.jpg": None,
    }


@pytest.mark.parametrize("expression", ["p[0-9]", "(p[0-9])", "(?:^|[/_])(p[0-9])([/.])"])
def test_an_expression(folder: Write, expression: str) -> None:
    assert list(groups(folder(SCANS), expression).values()) == ["p3", "p1", "p1", "p2"]


def test_an_expression_sees_the_same_path_in_an_archive(make_zip: Callable[..., Path]) -> None:
    assert set(groups(make_zip(SCANS), "^(train|test)/").values()) == {"train", "test"}


def test_pictures_without_a_group_are_noted(folder: Write) -> None:
    catalog = open_catalog(folder(SCANS), group_from="_(p[0-9])")
    assert catalog.frame["group"].drop_nulls().to_list() == ["p2"]
    assert catalog.noted == {"pictures that --group-from gives no group": 3}


@pytest.mark.parametrize("expression", ["(p[0-9]", "*", "p(?P<x", "nothing-like-this", "()"])
def test_an_expression_that_gives_nothing_is_refused(folder: Write, expression: str) -> None:
    with pytest.raises(SettingsError) as caught:
        open_catalog(folder(SCANS), group_from=expression)
    assert expression in str(caught.value)


def test_the_class_folder_is_no_group(folder: Write, pets: dict[str, bytes]) -> None:
    with pytest.raises(SettingsError, match="directly in its class folder"):
        open_catalog(folder(pets), group_from="parent")


@pytest.mark.parametrize("group_from", ["parent", "(?:ill|well)/([^/]+)/"])
def test_a_group_is_the_same_in_both_ways_to_write_an_accent(
    folder: Write, group_from: str
) -> None:
    composed, apart = "ren\u00e9", "rene\u0301"
    data = folder({f"train/ill/{composed}/a.jpg": b"", f"test/well/{apart}/b.jpg": b""})
    assert set(open_catalog(data, group_from=group_from).frame["group"]) == {composed}
