from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tellapart.core.errors import DataError
from tellapart.data.catalog import Catalog, open_catalog
from tellapart.networks.augment import PRESETS
from tellapart.networks.augment.preview import PreviewSettings, preview

MakePicture = Callable[..., Path]


class Reads:
    """A source that notes which rows were read."""

    def __init__(self, catalog: Catalog) -> None:
        self.rows: set[int] = set()
        self._read = catalog.source.read
        catalog.source.read = self.read  # type: ignore[method-assign]

    def read(self, row: int) -> bytes:
        self.rows.add(row)
        return self._read(row)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, make_picture: MakePicture) -> Path:
    """20 ants, 10 bees and 1 wasp, 48 by 40 pixels."""
    top = tmp_path_factory.mktemp("preview") / "insects"
    for label, count in (("ants", 20), ("bees", 10), ("wasps", 1)):
        for index in range(count):
            make_picture(top / label / f"{index:02}.png", size=(48, 40), seed=index)
    return top


def test_pictures_are_spread_over_the_classes_and_only_they_are_read(folder: Path) -> None:
    catalog = open_catalog(folder)
    reads = Reads(catalog)
    found = preview(catalog, PreviewSettings(n=7))
    assert Counter(found.labels) == {"ants": 3, "bees": 3, "wasps": 1}
    assert len(set(found.paths)) == 7
    assert {catalog.paths[row] for row in reads.rows} == set(found.paths)
    assert found.total == 31


def test_more_than_there_are_shows_all(folder: Path) -> None:
    found = preview(open_catalog(folder), PreviewSettings(n=32))
    assert len(found.paths) == 31
    assert found.sentence == found.policy.describe()


def test_pictures_come_as_training_would_have_them(
    folder: Path, tmp_path: Path, make_picture: MakePicture
) -> None:
    own = preview(open_catalog(folder), PreviewSettings())
    assert (own.size, own.gray, own.policy) == (48, False, PRESETS["light"])
    make_picture(tmp_path / "d" / "a" / "0.png", size=(400, 300))
    make_picture(tmp_path / "d" / "b" / "0.png", size=(300, 300))
    catalog = open_catalog(tmp_path / "d")
    assert preview(catalog, PreviewSettings()).size == 150
    assert preview(catalog, PreviewSettings(model="finetune")).size == 224
    assert preview(catalog, PreviewSettings(size=64)).size == 64


def test_gray_pictures_get_the_policy_of_digits(tmp_path: Path, make_picture: MakePicture) -> None:
    for label in ("0", "1"):
        make_picture(tmp_path / "d" / label / "0.png", np.eye(28, dtype=np.uint8) * 255)
    found = preview(open_catalog(tmp_path / "d"), PreviewSettings(model="resnet", n=2))
    assert (found.gray, found.size) == (True, 28)
    assert not found.policy.flip and found.policy.shift > 0


def test_held_out_parts_are_not_shown(tmp_path: Path, make_picture: MakePicture) -> None:
    for part in ("train", "test"):
        for label in ("a", "b"):
            make_picture(tmp_path / "d" / part / label / "0.png", seed=len(part))
    found = preview(open_catalog(tmp_path / "d"), PreviewSettings(n=8))
    assert sorted(found.paths) == ["train/a/0.png", "train/b/0.png"]


def test_broken_pictures_make_room_for_their_neighbors(
    tmp_path: Path, make_picture: MakePicture
) -> None:
    for index in range(9):
        make_picture(tmp_path / "d" / "a" / f"{index}.png", seed=index)
        make_picture(tmp_path / "d" / "b" / f"{index}.png", seed=index)
    (tmp_path / "d" / "a" / "4.png").write_bytes(b"no picture")
    found = preview(open_catalog(tmp_path / "d"), PreviewSettings(n=2))
    assert list(found.paths) == ["a/5.png", "b/4.png"]
    assert list(found.unreadable) == ["a/4.png"]


def test_nothing_to_decode_is_an_error(tmp_path: Path) -> None:
    for label in ("a", "b"):
        (tmp_path / "d" / label).mkdir(parents=True)
        (tmp_path / "d" / label / "0.png").write_bytes(b"no picture")
    with pytest.raises(DataError) as caught:
        preview(open_catalog(tmp_path / "d"), PreviewSettings())
    assert caught.value.code == "no_pictures"


def test_one_picture_has_nothing_to_mix_with(tmp_path: Path, make_picture: MakePicture) -> None:
    make_picture(tmp_path / "d" / "a" / "0.png")
    found = preview(open_catalog(tmp_path / "d"), PreviewSettings(augment="strong"))
    assert len(found.paths) == 1
    assert found.sentence != found.policy.describe()
    assert np.ptp(found.pixels) > 0


def test_unequal_sizes_are_fitted_as_asked(tmp_path: Path, make_picture: MakePicture) -> None:
    make_picture(tmp_path / "d" / "a" / "0.png", size=(200, 100))
    catalog = open_catalog(tmp_path / "d")
    drawn = [
        preview(catalog, PreviewSettings(augment="none", fit=fit)).pixels
        for fit in ("squash", "crop", "pad")
    ]
    assert not np.array_equal(drawn[0], drawn[1]) and not np.array_equal(drawn[0], drawn[2])
