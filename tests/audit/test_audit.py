"""The audit of real pictures, through the real catalog and scan."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tellapart.audit import Audit, audit, group_ids
from tellapart.data.catalog import open_catalog
from tellapart.scanning.scanner import Scan, scan


def audited(data: Path, **settings: Any) -> tuple[Scan, Audit]:
    scanned = scan(open_catalog(data, **settings))
    return scanned, audit(scanned)


def test_every_kind_of_bad_file(tmp_path: Path, make_picture: Callable[..., Path]) -> None:
    folder = tmp_path / "pets"
    for number in range(22):
        make_picture(folder / "cats" / f"{number:02d}.png", seed=number)
        make_picture(folder / "dogs" / f"{number:02d}.png", seed=100 + number)
    whole = (folder / "cats" / "00.png").read_bytes()
    (folder / "cats" / "half.png").write_bytes(whole[: len(whole) // 2])
    (folder / "cats" / "nothing.jpg").write_bytes(b"")
    (folder / "dogs" / "text.jpg").write_text("this is not a picture")
    (folder / "dogs" / "copy.jpg").write_bytes((folder / "dogs" / "03.png").read_bytes())
    (folder / "dogs" / "cat.png").write_bytes((folder / "cats" / "05.png").read_bytes())
    make_picture(folder / "dogs" / "blank.png", np.full((90, 90, 3), 200, np.uint8))
    make_picture(folder / "cats" / "clear.png", np.full((80, 80, 4), 90, np.uint8))
    scanned, result = audited(folder)
    paths = {finding.code: set(finding.paths) for finding in result.findings}
    assert paths["cut_off"] == {"cats/half.png"}
    assert paths["empty"] == {"cats/nothing.jpg"}
    assert paths["not_a_picture"] == {"dogs/text.jpg"}
    assert paths["exact_duplicates"] == {"dogs/03.png", "dogs/copy.jpg"}
    assert paths["wrong_ending"] == {"dogs/copy.jpg"}
    assert paths["contradicting_labels"] == {"cats/05.png", "dogs/cat.png"}
    assert paths["blank"] >= {"dogs/blank.png"}
    assert paths["alpha"] == {"cats/clear.png"}
    left_out = {scanned.frame["path"][row] for row in result.left_out}
    assert left_out == {
        "cats/05.png",
        "cats/half.png",
        "cats/nothing.jpg",
        "dogs/cat.png",
        "dogs/copy.jpg",
        "dogs/text.jpg",
    }


def test_digits_raise_no_alarm(digits_folder: Path) -> None:
    scanned, result = audited(digits_folder)
    assert not result.pairs or all(pair.kind == "exact" for pair in result.pairs)
    assert all(finding.level == "note" for finding in result.findings)
    assert len(scanned.frame) == 1_797


@pytest.mark.parametrize(
    ("name", "settings", "most"),
    [
        ("cats-dogs-3k.zip", {}, 15),
        ("cats-dogs-kaggle-2k.zip", {"label_from": "name"}, 15),
        ("horses-or-humans-100px.zip", {}, 0),
        ("happy-or-sad.zip", {}, 0),
    ],
)
def test_photographs_are_not_flooded_with_warnings(
    data_folder: Path, name: str, settings: dict[str, Any], most: int
) -> None:
    scanned, result = audited(data_folder / name, **settings)
    light = [f for f in result.findings if f.code in ("dark", "bright", "blurred", "blank")]
    assert all(finding.count <= most for finding in light)
    assert not [f for f in result.findings if f.level == "error"]
    assert not result.left_out
    if name == "cats-dogs-kaggle-2k.zip":
        pairs = [(scanned.frame["path"][p.a], scanned.frame["path"][p.b]) for p in result.pairs]
        assert [(a[-11:], b[-10:]) for a, b in pairs] == [("dog.180.jpg", "dog.74.jpg")]
    if name == "horses-or-humans-100px.zip":
        assert 5 <= len(result.pairs) <= 30, "consecutive frames, and no more"
    if name == "happy-or-sad.zip":  # four short animations
        assert len(set(group_ids(scanned, result))) <= 8
        labels = scanned.frame["label"]
        assert all(labels[pair.a] == labels[pair.b] for pair in result.pairs)
