"""model.onnx: what is written is what runs, and nothing else is opened."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from tellapart import __version__
from tellapart.core.errors import ModelError
from tellapart.graph import Graph
from tellapart.graph.layers import (
    Conv,
    Dense,
    GlobalAveragePool,
    Luma,
    Scale,
    Softmax,
    weight_shapes,
)
from tellapart.images import decoder, resizing
from tellapart.model import Model, writing
from tellapart.transfer import backbones
from tellapart.transfer.features import FeatureConsumer

BACKBONE = backbones.get("efficientnet-lite0")
SIZE = 64
CLASSES = ("cats", "<script>", "ünï\ncode")


@dataclass(frozen=True)
class Head:
    weights: np.ndarray
    bias: np.ndarray


@pytest.fixture(scope="module")
def head() -> Head:
    rng = np.random.default_rng(5)
    weights = rng.normal(0, 0.1, (1280, 3)).astype(np.float32)
    return Head(weights, rng.normal(0, 1, 3).astype(np.float32))


def build(head: Head, size: int = SIZE) -> bytes:
    return writing.build_probe(
        backbone=BACKBONE,
        size=size,
        fit="squash",
        weights=head.weights,
        bias=head.bias,
        classes=CLASSES,
    )


@pytest.fixture(scope="module")
def data(head: Head) -> bytes:
    return build(head)


@pytest.fixture(scope="module")
def model(data: bytes) -> Model:
    return Model.load(data)


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    made = np.random.default_rng(9).integers(0, 256, (10, SIZE, SIZE, 3), dtype=np.uint8)
    made[0], made[1], made[2] = 127, 0, 255
    return made


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


# ------------------------------------------------------------------ what it computes


def test_it_carries_what_is_needed_to_use_it(model: Model, data: bytes) -> None:
    assert model.classes == CLASSES
    assert (model.size, model.fit, model.has_map) == (SIZE, "squash", True)
    assert model.metadata["tellapart"] == __version__
    assert model.metadata["decoder"] == decoder.DECODER
    assert model.metadata["backbone"] == BACKBONE.key
    assert len(model.fingerprint) == 64


def test_the_file_is_plain_onnx_with_the_promised_ends(data: bytes) -> None:
    proto = onnx.load_model_from_string(data)
    onnx.checker.check_model(proto, full_check=True)
    (taken,) = proto.graph.input
    assert taken.name == "image"
    assert taken.type.tensor_type.elem_type == TensorProto.UINT8
    sides = [side.dim_value or side.dim_param for side in taken.type.tensor_type.shape.dim]
    assert sides == ["N", SIZE, SIZE, 3]
    assert [one.name for one in proto.graph.output] == ["probabilities", "logit_map"]


def test_the_whole_file_is_backbone_and_head(model: Model, head: Head, pixels: np.ndarray) -> None:
    features = FeatureConsumer(BACKBONE, SIZE).apply(pixels)
    wanted = softmax(features.astype(np.float64) @ head.weights + head.bias)
    found = model.run(pixels)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-6)
    # The features are rounded to float16 on the way; see the next test for float32.
    np.testing.assert_allclose(found, wanted, atol=1e-3)
    np.testing.assert_allclose(model.head(features), wanted, atol=1e-6)


def test_the_head_alone_agrees_with_the_whole(model: Model, pixels: np.ndarray) -> None:
    from tellapart.graph import open_session

    features = open_session(BACKBONE.onnx(SIZE)).run(["features"], {"image": pixels})[0]
    np.testing.assert_allclose(model.head(features), model.run(pixels), atol=1e-6)


def test_real_photos_agree_within_the_promise(head: Head, small_photos: Path) -> None:
    files = sorted(small_photos.rglob("*.jpg"))[::6]
    squares = [resizing.resize(decoder.decode(file.read_bytes()).pixels, 224) for file in files]
    stack = np.stack(squares)
    whole = Model.load(build(Head(head.weights / 4, head.bias), size=224))
    features = FeatureConsumer(BACKBONE, 224).apply(stack)
    difference = np.abs(whole.head(features) - whole.run(stack)).max()
    assert difference < 1e-4  # float16 features included


def test_the_mean_of_the_map_is_the_logits(model: Model, pixels: np.ndarray) -> None:
    probabilities, maps = model.run_with_map(pixels)
    assert maps.shape == (10, 2, 2, 3)
    np.testing.assert_allclose(softmax(maps.mean((1, 2))), probabilities, atol=1e-6)
    np.testing.assert_array_equal(probabilities, model.run(pixels))


def test_the_map_says_where(head: Head) -> None:
    big = Model.load(build(head, size=224))
    plain = np.full((1, 224, 224, 3), 127, np.uint8)
    marked = plain.copy()
    marked[:, :24, 200:] = (255, 0, 0)
    difference = np.abs(big.run_with_map(marked)[1] - big.run_with_map(plain)[1])[0].sum(2)
    row, column = np.unravel_index(difference.argmax(), difference.shape)
    assert row <= 1
    assert column >= 5


def test_a_picture_does_not_depend_on_its_neighbors(model: Model, pixels: np.ndarray) -> None:
    together = model.run(pixels)
    alone = np.concatenate([model.run(one[None]) for one in pixels])
    np.testing.assert_allclose(together, alone, atol=1e-6)
    np.testing.assert_allclose(model.run(pixels[::-1])[::-1], together, atol=1e-6)
    assert model.run(pixels[:0]).shape == (0, 3)
    assert model.head(np.zeros((0, 1280), np.float16)).shape == (0, 3)


def test_the_number_of_threads_does_not_matter(data: bytes, pixels: np.ndarray) -> None:
    one, three = (Model.load(data, threads=threads) for threads in (1, 3))
    np.testing.assert_allclose(one.run(pixels), three.run(pixels), atol=1e-6)


def test_wrong_pixels_are_refused(model: Model, pixels: np.ndarray) -> None:
    for wrong in (pixels[:, :32], pixels.astype(np.float32), pixels[0], pixels[..., :1]):
        with pytest.raises(ValueError):
            model.run(wrong)


# ------------------------------------------------------------------ the file


def test_the_same_head_gives_the_same_bytes(head: Head, data: bytes) -> None:
    assert build(head) == data
    assert build(Head(head.weights, head.bias + 1)) != data


def test_heads_that_do_not_fit_are_refused(head: Head) -> None:
    for wrong in (Head(head.weights[:, :2], head.bias), Head(head.weights, head.bias[:2])):
        with pytest.raises(ValueError, match="head"):
            build(wrong)
    broken = head.weights.copy()
    broken[0, 0] = np.nan
    with pytest.raises(ValueError, match="finite"):
        build(Head(broken, head.bias))


def test_loading_and_running_needs_no_heavy_packages(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "m.onnx").write_bytes(data)
    code = (
        "import sys, numpy as np\n"
        "from tellapart.model import Model\n"
        f"model = Model.load(sys.argv[1])\n"
        f"model.run(np.zeros((1, {SIZE}, {SIZE}, 3), np.uint8))\n"
        "heavy = {'onnx', 'sklearn', 'scipy', 'polars', 'keras', 'tensorflow'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "m.onnx")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# ------------------------------------------------------------------ networks


NETWORK = Graph(
    (6, 6),
    (
        Luma("luma"),
        Scale("scaled"),
        Conv("feature_map", filters=4, kernel=3, norm=True, activation="relu"),
        GlobalAveragePool("pooled"),
        Dense("logits", units=3),
        Softmax("probabilities"),
        Conv("logit_map", filters=3, inputs=("feature_map",)),
    ),
    ("probabilities", "logit_map"),
)


@pytest.fixture
def network() -> dict[str, Any]:
    rng = np.random.default_rng(2)
    weights = {
        name: rng.normal(0, 1, shape).astype(np.float32)
        for name, shape in weight_shapes(NETWORK).items()
    }
    weights["logit_map/kernel"] = weights["logits/kernel"].T[:, :, None, None]
    weights["logit_map/bias"] = weights["logits/bias"]
    named = {"graph": NETWORK, "kind": "resnet", "weights": weights}
    return {**named, "classes": CLASSES, "fit": "pad"}


def test_a_network_is_a_model_like_any_other(network: dict[str, Any]) -> None:
    model = Model.load(writing.build_network(**network))
    assert (model.classes, model.size, model.fit, model.has_map) == (CLASSES, 6, "pad", True)
    assert model.metadata["network"] == "resnet"
    assert model.metadata["decoder"] == decoder.DECODER
    assert not {"backbone", "features"} & set(model.metadata)
    pixels = np.random.default_rng(9).integers(0, 256, (5, 6, 6, 3), dtype=np.uint8)
    probabilities, maps = model.run_with_map(pixels)
    np.testing.assert_allclose(softmax(maps.mean((1, 2))), probabilities, atol=1e-6)
    gray = np.stack([resizing.luma(one) for one in pixels])[..., None].repeat(3, axis=3)
    np.testing.assert_array_equal(model.run(gray), probabilities)
    with pytest.raises(ModelError):
        model.head(np.zeros((1, 4), np.float32))


def test_the_same_network_gives_the_same_bytes(network: dict[str, Any]) -> None:
    first = writing.build_network(**network)
    turned = dict(reversed(network["weights"].items()))
    assert writing.build_network(**(network | {"weights": turned})) == first
    assert writing.build_network(**(network | {"kind": "cnn"})) != first


def test_networks_that_do_not_fit_are_refused(network: dict[str, Any]) -> None:
    weights = network["weights"]
    nan = np.full_like(weights["logits/bias"], np.nan)
    for wrong in (
        {"weights": weights | {"logits/bias": nan}},
        {"weights": weights | {"more/bias": weights["logits/bias"]}},
        {"classes": CLASSES[:2]},
        {"classes": (CLASSES[0], *CLASSES[:2])},
        {"graph": replace(NETWORK, outputs=("probabilities", "pooled"))},
        {"graph": replace(NETWORK, outputs=("logit_map",))},
        {"graph": replace(NETWORK, size=(6, 7))},
    ):
        with pytest.raises(ValueError):
            writing.build_network(**(network | wrong))


# ------------------------------------------------------------------ other files


def changed(data: bytes, change: Callable[[onnx.ModelProto], None]) -> bytes:
    proto = onnx.load_model_from_string(data)
    change(proto)
    return bytes(proto.SerializeToString())


def noted(key: str, value: str | None) -> Callable[[onnx.ModelProto], None]:
    def change(proto: onnx.ModelProto) -> None:
        kept = {note.key: note.value for note in proto.metadata_props if note.key != key}
        del proto.metadata_props[:]
        onnx.helper.set_model_props(proto, kept | ({key: value} if value is not None else {}))

    return change


def test_a_newer_schema_says_so(data: bytes) -> None:
    with pytest.raises(ModelError, match="newer tellapart") as caught:
        Model.load(changed(data, noted("schema", "2")))
    assert caught.value.code == "newer_schema"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", None),
        ("name", "other"),
        ("schema", None),
        ("schema", "-1"),
        ("classes", None),
        ("classes", "{"),
        ("classes", "[]"),
        ("classes", '["a", "b"]'),
        ("classes", '["a", "a", "b"]'),
        ("classes", "[1, 2, 3]"),
        ("classes", '"abc"'),
        ("size", "65"),
        ("size", "0"),
        ("size", "x"),
        ("size", "99999999999999999999"),
        ("fit", "stretch"),
    ],
)
def test_metadata_without_meaning_is_refused(data: bytes, key: str, value: str | None) -> None:
    with pytest.raises(ModelError):
        Model.load(changed(data, noted(key, value)))


def test_tensors_in_other_files_are_refused(data: bytes, tmp_path: Path) -> None:
    secret = tmp_path / "secret.bin"
    secret.write_bytes(b"\0" * 12)

    def point_outside(proto: onnx.ModelProto) -> None:
        tensor = next(one for one in proto.graph.initializer if one.name == "logits/bias")
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=str(secret))

    path = tmp_path / "m.onnx"
    path.write_bytes(changed(data, point_outside))
    with pytest.raises(ModelError, match="other files"):
        Model.load(path)


def test_a_renamed_output_is_refused(data: bytes) -> None:
    def rename(proto: onnx.ModelProto) -> None:
        proto.graph.output[0].name = "logits"

    with pytest.raises(ModelError):
        Model.load(changed(data, rename))


def test_a_file_without_features_still_runs_but_has_no_head(
    data: bytes, pixels: np.ndarray
) -> None:
    model = Model.load(changed(data, noted("features", "nothing")))
    assert model.run(pixels).shape == (10, 3)
    with pytest.raises(ModelError, match="nothing"):
        model.head(np.zeros((1, 1280), np.float16))


def test_damage_is_a_clear_error(data: bytes, tmp_path: Path) -> None:
    for damaged in (b"", b"text", data[: len(data) // 2], data[:-1], data[:100], b"\0" + data):
        path = tmp_path / "m.onnx"
        path.write_bytes(damaged)
        with pytest.raises(ModelError, match=r"m\.onnx"):
            Model.load(path)


def test_missing_folders_and_giants_are_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        Model.load(tmp_path / "none.onnx")
    with pytest.raises(ModelError, match="cannot be read"):
        Model.load(tmp_path)
    giant = tmp_path / "giant.onnx"
    with giant.open("wb") as file:
        file.truncate(2 * 1024**3)  # takes no room on the disk
    with pytest.raises(ModelError, match="larger than 1 GiB"):
        Model.load(giant)
