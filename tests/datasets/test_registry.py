from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tellapart.core.errors import SettingsError
from tellapart.datasets.registry import DATA_SETS, named

DOCS = Path(__file__).parents[2] / "docs"


def test_names_are_unique_and_found() -> None:
    names = [dataset.name for dataset in DATA_SETS]
    assert len(set(names)) == len(names)
    for dataset in DATA_SETS:
        assert named(dataset.name) is dataset


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(SettingsError, match="Did you mean 'fashion-mnist'") as caught:
        named("fashion_mnist")
    assert "cats-dogs-3k" in caught.value.remedy


@pytest.mark.parametrize("dataset", DATA_SETS, ids=lambda dataset: dataset.name)
def test_a_record_is_whole(dataset) -> None:  # type: ignore[no-untyped-def]
    for text in (dataset.title, dataset.origin, dataset.home, dataset.licence, dataset.citation):
        assert text.strip() == text != ""
    assert dataset.pictures > 0 and len(dataset.classes) >= 2
    if dataset.tree:
        assert sum(dataset.tree.values()) == dataset.pictures
        folders = {name.rpartition("/")[2] for name in dataset.tree}
        assert folders == set(dataset.classes)
    for part, n in dataset.counts.items():
        if part != "all" and dataset.tree:
            inside = (m for name, m in dataset.tree.items() if name.startswith(f"{part}/"))
            assert sum(inside) == n
    for file in dataset.files:
        assert file.name == Path(file.name).name
        assert all(re.fullmatch(r"[0-9a-f]{64}", sha256) for sha256 in file.sha256s)
        assert len(set(file.sha256s)) == len(file.sha256s)
        for url in file.urls:
            parts = urlsplit(url)
            assert parts.scheme == "https" or file.sha256s, "plain http needs a checksum"
            assert parts.path.endswith(f"/{file.name}")


def test_only_one_host_is_asked_without_encryption() -> None:
    files = [file for dataset in DATA_SETS for file in dataset.files]
    assert frozenset().union(*(file.plain_hosts for file in files)) == {
        "fashion-mnist.s3-website.eu-central-1.amazonaws.com"
    }


def test_the_page_lists_what_the_registry_has() -> None:
    """The table of ``docs/datasets.md`` is written by hand; its facts are these."""
    page = (DOCS / "datasets.md").read_text(encoding="utf-8")
    lines = [line for line in page.splitlines() if line.startswith("| `")]
    rows = {
        cells[1].strip(" `"): [cell.strip() for cell in cells[2:-1]]
        for cells in (line.split("|") for line in lines)
    }
    assert list(rows) == [dataset.name for dataset in DATA_SETS]
    for dataset in DATA_SETS:
        _, pictures, classes, size, comparison, source = rows[dataset.name]
        assert pictures == " + ".join(f"{n:,}" for n in dataset.counts.values())
        assert classes == str(len(dataset.classes))
        assert size == (f"{dataset.size / 1e6:,.1f} MB" if dataset.size else "")
        known = bool(dataset.files) and all(file.sha256s for file in dataset.files)
        assert comparison == ("SHA-256" if known else "size" if dataset.size else "count")
        expected = "download" if dataset.downloadable else "your copy"
        assert source == ("in the package" if dataset.form == "embedded" else expected)
        assert dataset.home in page and re.split("[;,]", dataset.licence)[0] in page
