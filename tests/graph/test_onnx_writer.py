"""What is written as ONNX computes what the table says."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import onnx
import pytest

from tellapart.graph import INPUT, Graph, Layer, check_safe, open_session, to_onnx
from tellapart.graph.layers import (
    Add,
    Conv,
    Dense,
    Flatten,
    GlobalAveragePool,
    Luma,
    MaxPool,
    Scale,
    Softmax,
    is_gray,
    needed_for,
    same_padding,
    shapes,
    weight_shapes,
)
from tellapart.graph.onnx_writer import OPERATORS
from tellapart.images import resizing

Floats = npt.NDArray[np.float32]


def random_weights(graph: Graph, seed: int = 0) -> dict[str, Floats]:
    rng = np.random.default_rng(seed)
    return {
        name: rng.normal(0, 0.3, shape).astype(np.float32)
        for name, shape in weight_shapes(graph).items()
    }


def run(graph: Graph, weights: dict[str, Floats], pixels: npt.NDArray[np.uint8]) -> list[Floats]:
    session = open_session(to_onnx(graph, weights))
    found: list[Floats] = session.run(list(graph.outputs), {INPUT: pixels})
    return found


def pictures(n: int, height: int, width: int) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(7).integers(0, 256, (n, height, width, 3), dtype=np.uint8)


def reference_conv(
    x: npt.NDArray[np.float64], kernel: Floats, bias: Floats, stride: int, groups: int
):
    """TensorFlow's SAME convolution, channels last, one tap of the kernel at a time."""
    filters, depth, side, _ = kernel.shape
    n, height, width, channels = x.shape
    rows, columns = -(-height // stride), -(-width // stride)
    below = max((rows - 1) * stride + side - height, 0)
    right = max((columns - 1) * stride + side - width, 0)
    padded = np.pad(
        x, ((0, 0), (below // 2, below - below // 2), (right // 2, right - right // 2), (0, 0))
    )
    made = np.zeros((n, rows, columns, filters))
    for i in range(side):
        for j in range(side):
            tap = padded[:, i : i + rows * stride : stride, j : j + columns * stride : stride]
            tap = tap[:, :rows, :columns].reshape(n, rows, columns, groups, channels // groups)
            weights = kernel[:, :, i, j].reshape(groups, filters // groups, depth)
            made += np.einsum("nhwgc,gfc->nhwgf", tap, weights).reshape(made.shape)
    return made + bias


@pytest.mark.parametrize("size", [(224, 224), (150, 150), (97, 97), (64, 64), (33, 50), (7, 5)])
@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (5, 1), (5, 2), (1, 1), (1, 2)])
def test_a_block_computes_what_numpy_does(size: tuple[int, int], kernel: int, stride: int) -> None:
    graph = Graph(
        size,
        (
            Scale("scaled", scale=1 / 128, zero=127),
            Conv("wide", filters=16, activation="relu6"),
            Conv("deep", filters=16, kernel=kernel, stride=stride, groups=16, activation="relu"),
            Conv("narrow", filters=5),
        ),
        ("deep", "narrow"),
    )
    weights = random_weights(graph)
    pixels = pictures(1, *size)
    x = (pixels.astype(np.float64) - 127) / 128
    x = reference_conv(x, weights["wide/kernel"], weights["wide/bias"], 1, 1).clip(0, 6)
    x = reference_conv(x, weights["deep/kernel"], weights["deep/bias"], stride, 16).clip(0)
    narrow = reference_conv(x, weights["narrow/kernel"], weights["narrow/bias"], 1, 1)
    deep, found = run(graph, weights, pixels)
    assert found.shape == (1, *shapes(graph)["narrow"])
    np.testing.assert_allclose(deep, x, atol=1e-4)
    np.testing.assert_allclose(found, narrow, atol=1e-4)


@pytest.mark.parametrize("size", [64, 97])
def test_a_plain_convolution_of_the_scaled_picture_sees_zeros_outside(size: int) -> None:
    graph = Graph(
        (size, size),
        (Scale("scaled", scale=1 / 128, zero=127), Conv("stem", filters=8, kernel=3, stride=2)),
        ("stem",),
    )
    weights = random_weights(graph)
    pixels = pictures(2, size, size)
    x = (pixels.astype(np.float64) - 127) / 128
    wanted = reference_conv(x, weights["stem/kernel"], weights["stem/bias"], 2, 1)
    np.testing.assert_allclose(run(graph, weights, pixels)[0], wanted, atol=1e-4)


def test_scaling_is_exact_at_every_level() -> None:
    graph = Graph((1, 256), (Scale("scaled", scale=1 / 128, zero=127),), ("scaled",))
    levels = np.repeat(np.arange(256, dtype=np.uint8)[None, None, :, None], 3, axis=3)
    np.testing.assert_array_equal(
        run(graph, {}, levels)[0], (levels.astype(np.float32) - 127) / 128
    )


def test_valid_padding_residuals_means_and_heads() -> None:
    graph = Graph(
        (9, 11),
        (
            Scale("scaled"),
            Conv("a", filters=4, kernel=3, padding="valid"),
            Conv("b", filters=4, kernel=3),
            Add("sum", inputs=("a", "b")),
            GlobalAveragePool("mean"),
            Dense("logits", units=3),
            Softmax("probabilities"),
        ),
        ("sum", "mean", "logits", "probabilities"),
    )
    weights = random_weights(graph)
    pixels = pictures(3, 9, 11)
    total, mean, logits, probabilities = run(graph, weights, pixels)
    x = pixels / 255
    a = reference_conv(x, weights["a/kernel"], weights["a/bias"], 1, 1)[:, 1:-1, 1:-1]
    b = reference_conv(a, weights["b/kernel"], weights["b/bias"], 1, 1)
    np.testing.assert_allclose(total, a + b, atol=1e-5)
    np.testing.assert_allclose(mean, (a + b).mean((1, 2)), atol=1e-5)
    wanted = (a + b).mean((1, 2)) @ weights["logits/kernel"] + weights["logits/bias"]
    np.testing.assert_allclose(logits, wanted, atol=1e-5)
    powers = np.exp(wanted)
    np.testing.assert_allclose(probabilities, powers / powers.sum(1, keepdims=True), atol=1e-6)


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (64, 50)])
def test_luma_is_exactly_that_of_the_decoder(size: tuple[int, int]) -> None:
    graph = Graph(size, (Luma("luma"), Scale("level", scale=1.0)), ("level",))
    pixels = pictures(20, *size)
    wanted = np.stack([resizing.luma(one) for one in pixels])[..., None]
    np.testing.assert_array_equal(run(graph, {}, pixels)[0], wanted)


def test_luma_is_exact_where_rounding_is_nearest_and_on_every_gray() -> None:
    graph = Graph((256, 256), (Luma("luma"), Scale("level", scale=1.0)), ("level",))
    grid = np.indices((256, 256), np.uint8)
    for blue in (0, 1, 127, 128, 254, 255):
        pixels = np.stack([*grid, np.full_like(grid[0], blue)], axis=-1)
        np.testing.assert_array_equal(run(graph, {}, pixels[None])[0][0, :, :, 0], luma(pixels))
    gray = grid[0][..., None].repeat(3, axis=2)
    np.testing.assert_array_equal(run(graph, {}, gray[None])[0][0, :, :, 0], gray[..., 0])


def luma(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    red, green, blue = rgb.astype(np.int64).transpose(2, 0, 1)
    return (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16


@pytest.mark.parametrize(("size", "side"), [((8, 8), 2), ((9, 7), 2), ((10, 11), 3)])
def test_maxima_drop_what_is_left_over(size: tuple[int, int], side: int) -> None:
    graph = Graph(size, (Scale("scaled", scale=1.0), MaxPool("pool", size=side)), ("pool",))
    pixels = pictures(2, *size)
    rows, columns = size[0] // side, size[1] // side
    cut = pixels[:, : rows * side, : columns * side]
    wanted = cut.reshape(2, rows, side, columns, side, 3).max((2, 4))
    assert shapes(graph)["pool"] == (rows, columns, 3)
    np.testing.assert_array_equal(run(graph, {}, pixels)[0], wanted)


def test_a_map_is_flattened_channels_last() -> None:
    layers = (Scale("scaled", scale=1.0), Flatten("row"), Flatten("again"))
    graph = Graph((3, 4), layers, ("row", "again"))
    pixels = pictures(2, 3, 4)
    for found in run(graph, {}, pixels):
        np.testing.assert_array_equal(found, pixels.reshape(2, 36))


def test_a_sum_may_be_followed_by_a_relu() -> None:
    for activation, top in (("relu", np.inf), ("relu6", 6.0)):
        layers = (
            Scale("scaled", scale=0.1, zero=127),
            Add("sum", inputs=("scaled", "scaled"), activation=activation),
        )
        pixels = pictures(1, 4, 4)
        wanted = ((pixels.astype(np.float32) - 127) * 0.2).clip(0, top)
        found = run(Graph((4, 4), layers, ("sum",)), {}, pixels)[0]
        np.testing.assert_allclose(found, wanted, atol=1e-5)


def lesson(*, norm: bool = False, dropout: float = 0.0) -> Graph:
    layers = (
        Luma("luma"),
        Scale("scaled"),
        Conv("conv", filters=4, kernel=3, padding="valid", activation="relu", norm=norm),
        MaxPool("pool"),
        Flatten("flat"),
        Dense("dense", units=5, activation="relu6", dropout=dropout),
        Dense("logits", units=3),
        Softmax("probabilities"),
        GlobalAveragePool("mean", inputs=("pool",)),
        Add("twice", inputs=("mean", "mean"), activation="relu"),
    )
    return Graph((8, 8), layers, ("probabilities", "twice"))


def test_what_only_training_needs_is_not_in_the_file() -> None:
    plain, training = lesson(), lesson(norm=True, dropout=0.5)
    assert weight_shapes(plain) == weight_shapes(training)
    assert weight_shapes(plain)["conv/kernel"] == (4, 1, 3, 3)
    weights = random_weights(plain)
    assert to_onnx(plain, weights) == to_onnx(training, weights)


def test_a_file_of_all_layers_is_sound_and_may_be_opened() -> None:
    data = to_onnx(lesson(), random_weights(lesson()))
    check_safe(data)
    onnx.checker.check_model(onnx.load_model_from_string(data), full_check=True)


def test_only_operators_that_are_written_are_allowed() -> None:
    deep = Graph(
        (4, 4),
        (Scale("s"), Conv("c", filters=2, activation="relu6"), Add("a", inputs=("c", "c"))),
        ("a",),
    )
    written = {
        node.op_type
        for graph in (lesson(), deep)
        for node in onnx.load_model_from_string(to_onnx(graph, random_weights(graph))).graph.node
    }
    assert written == OPERATORS


def test_a_table_says_what_it_is() -> None:
    assert is_gray(lesson())
    assert not is_gray(Graph((4, 4), (Scale("scaled"),), ("scaled",)))
    names = [layer.name for layer, _ in needed_for(lesson(), "twice")]
    assert names == ["luma", "scaled", "conv", "pool", "mean", "twice"]
    with pytest.raises(ValueError, match="no layer is called"):
        needed_for(lesson(), "nothing")


def test_the_same_table_and_weights_give_the_same_bytes() -> None:
    layers = (Scale("scaled"), Conv("a", filters=4, activation="relu6"))
    graph = Graph((8, 8), layers, ("a",))
    notes = {"b": "2", "a": "1"}
    first = to_onnx(graph, random_weights(graph), metadata=notes)
    turned = dict(reversed(random_weights(graph).items()))
    fortran = {name: np.asfortranarray(array) for name, array in turned.items()}
    assert to_onnx(graph, fortran, metadata=notes) == first
    assert to_onnx(graph, random_weights(graph, seed=1), metadata=notes) != first


def test_weights_that_do_not_fit_are_refused() -> None:
    graph = Graph((8, 8), (Scale("scaled"), Conv("a", filters=4)), ("a",))
    good = random_weights(graph)
    for bad in (
        {},
        {**good, "a/bias": np.zeros(5, np.float32)},
        {**good, "b/bias": np.zeros(5, np.float32)},
    ):
        with pytest.raises(ValueError, match="weight"):
            to_onnx(graph, bad)


@pytest.mark.parametrize(
    "layers",
    [
        (Scale("a"), Conv("a")),
        (Conv("a", inputs=("later",)), Conv("later")),
        (Scale("s"), Conv("a", filters=4, groups=2)),
        (Scale("s"), Conv("a", kernel=9, padding="valid")),
        (Scale("s"), Conv("b", filters=2), Add("a", inputs=("s", "b"))),
        (Scale("s"), Dense("a")),
        (Scale("s"), MaxPool("a", size=9)),
        (Scale("s"), Luma("l"), Scale("a")),
        (Luma("l"), Luma("m"), Scale("a")),
        (Luma("a"),),
        (Conv("a"),),
        (Scale("s"), Scale("a")),
        (Luma("l"), Conv("a")),
        (Luma("l"), Flatten("a")),
        (Scale("a"),),
    ],
)
def test_tables_that_cannot_be_are_refused(layers: tuple[Layer, ...]) -> None:
    with pytest.raises(ValueError):
        shapes(Graph((8, 8), layers, ("a", "missing") if len(layers) == 1 else ("a",)))


@pytest.mark.parametrize(
    ("side", "kernel", "stride", "wanted"),
    [
        (224, 3, 2, (0, 1)),
        (225, 3, 2, (1, 1)),
        (56, 5, 2, (1, 2)),
        (7, 5, 1, (2, 2)),
        (8, 1, 2, (0, 0)),
    ],
)
def test_same_padding_is_tensorflows(
    side: int, kernel: int, stride: int, wanted: tuple[int, int]
) -> None:
    assert same_padding(side, kernel, stride) == wanted
