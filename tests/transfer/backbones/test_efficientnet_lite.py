"""EfficientNet-Lite0 is the network its weights were trained as."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from tellapart.core.errors import SettingsError
from tellapart.graph import Graph, open_session, to_onnx
from tellapart.graph.layers import Dense, shapes, weight_shapes
from tellapart.images import decoder, resizing
from tellapart.transfer import backbones
from tellapart.transfer.backbones import efficientnet_lite
from tellapart.transfer.backbones.torch_reader import read_state

BACKBONE = backbones.get("efficientnet-lite0")


def test_the_table_has_the_published_shape() -> None:
    graph = BACKBONE.graph(224)
    found = shapes(graph)
    assert found["stem"] == (112, 112, 32)
    assert found["block1/expand"] == (112, 112, 96)
    assert found["block15/project"] == (7, 7, 320)
    assert found["feature_map"] == (7, 7, 1280)
    assert found["features"] == (1280,)
    # Published: 4.7 million parameters, those of the last layer included.
    numbers = sum(int(np.prod(shape)) for shape in weight_shapes(graph).values())
    assert numbers + 1000 * 1281 == pytest.approx(4.7e6, rel=0.02)


def test_cats_and_dogs_are_cats_and_dogs_to_imagenet(data_folder: Path) -> None:
    """With the original last layer: breeds of cats are 281 to 287, of dogs 151 to 268."""
    state = read_state(efficientnet_lite.WEIGHTS.read())
    below = BACKBONE.graph(224)
    layers = (*below.layers, Dense("logits", units=1000))
    head = {"logits/kernel": state["_fc.weight"].T, "logits/bias": state["_fc.bias"]}
    whole = {**BACKBONE.load(), **head}
    session = open_session(to_onnx(Graph(below.size, layers, ("logits",)), whole))
    with zipfile.ZipFile(data_folder / "cats-dogs-3k.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))[::25]
        for label, low, high, share in (("cats", 281, 287, 0.65), ("dogs", 151, 268, 0.9)):
            files = [archive.read(name) for name in names if f"/{label}/" in name]
            assert len(files) == 60
            squares = [resizing.resize(decoder.decode(file).pixels, 224) for file in files]
            best = [session.run(None, {"image": one[None]})[0].argmax() for one in squares]
            # The others are sofas, boxes and other animals; one in a thousand would be chance.
            assert np.mean([low <= one <= high for one in best]) >= share, label


@pytest.mark.parametrize("size", [32, 97, 160])
def test_any_size_gives_features(size: int) -> None:
    session = open_session(BACKBONE.onnx(size))
    pixels = np.random.default_rng(0).integers(0, 256, (2, size, size, 3), dtype=np.uint8)
    features = session.run(["features"], {"image": pixels})[0]
    assert features.shape == (2, 1280)
    assert np.isfinite(features).all()
    assert features.min() >= 0
    assert features.max() <= 6


@pytest.mark.parametrize("size", [0, 31, 1025, -224])
def test_other_sizes_are_refused(size: int) -> None:
    with pytest.raises(SettingsError, match="from 32 to 1024"):
        BACKBONE.graph(size)


def test_an_unknown_backbone_suggests_the_near_one() -> None:
    with pytest.raises(SettingsError, match="Did you mean 'efficientnet-lite0'"):
        backbones.get("efficientnet-lite")
    assert backbones.names() == ("efficientnet-lite0",)


def test_the_converted_file_is_kept_and_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "new" / "folder"
    made = BACKBONE.onnx(32, folder)
    assert made == BACKBONE.onnx(32)
    kept = list(folder.iterdir())
    assert [file.name for file in kept] == [f"{BACKBONE.key}-32.onnx"]
    monkeypatch.setattr(
        "tellapart.transfer.backbones.to_onnx", lambda *_: pytest.fail("converted again")
    )
    assert BACKBONE.onnx(32, folder) == made


def test_a_damaged_kept_file_is_replaced(tmp_path: Path) -> None:
    made = BACKBONE.onnx(32, tmp_path)
    (kept,) = tmp_path.iterdir()
    whole = kept.read_bytes()
    for damage in (b"", whole[:1000], whole[:500] + b"\0" + whole[501:]):
        kept.write_bytes(damage)
        assert BACKBONE.onnx(32, tmp_path) == made
        assert kept.read_bytes() == whole


def test_a_folder_that_cannot_be_used_costs_only_time(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    assert BACKBONE.onnx(32, blocked / "below")
    assert blocked.read_text() == "not a folder"
