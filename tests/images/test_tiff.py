"""TIFFs of every kind: the same picture however it is stored, or refused by its true name."""

from __future__ import annotations

import io
import itertools
from typing import Any

import numpy as np
import pytest
import tifffile

from tellapart.core.errors import PictureError
from tellapart.images.decoder import decode

Y, X = np.mgrid[0:48, 0:96]
GRAY = (X * 40).astype(np.uint16)  # 0 to 3,800
FIVE = np.dstack([GRAY] * 5)
COLOR = np.dstack([GRAY, GRAY // 2, 3800 - GRAY])


def tiff(values: np.ndarray, **options: Any) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, values, **options)
    return buffer.getvalue()


def stretched(values: np.ndarray) -> np.ndarray:
    """What the rule gives: the picture's own range as 0 to 255."""
    numbers = values.astype(np.float64)
    low, high = numbers.min(), numbers.max()
    return (numbers - low) / (high - low) * 255


def same(data: bytes, wanted: np.ndarray) -> bool:
    pixels = decode(data).pixels.astype(np.float64)
    wanted = wanted[..., None] if wanted.ndim == 2 else wanted
    return float(np.abs(pixels - wanted).max()) <= 1


DTYPES = ("u2", "i2", "u4", "i4", "f2", "f4", "f8")
COMPRESSIONS = (None, "zlib", "packbits", "lzma")


@pytest.mark.parametrize(("dtype", "compression"), list(itertools.product(DTYPES, COMPRESSIONS)))
def test_gray_of_every_depth(dtype: str, compression: str | None) -> None:
    values = GRAY.astype(dtype) - (1000 if dtype[0] != "u" else 0)
    data = tiff(values, compression=compression, photometric="minisblack")
    assert same(data, stretched(values))
    assert decode(data).gray


@pytest.mark.parametrize(("dtype", "compression"), list(itertools.product(DTYPES, COMPRESSIONS)))
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_color_of_every_depth_and_layout(dtype: str, compression: str | None, planar: str) -> None:
    values = COLOR.astype(dtype)
    stored = values if planar == "contig" else np.moveaxis(values, -1, 0)
    data = tiff(stored, photometric="rgb", planarconfig=planar, compression=compression)
    assert same(data, stretched(values))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
def test_byte_orders_and_big_files(order: str, big: bool) -> None:
    assert same(tiff(COLOR, photometric="rgb", byteorder=order, bigtiff=big), stretched(COLOR))
    assert same(tiff(GRAY.astype("i2"), byteorder=order, bigtiff=big), stretched(GRAY))


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
def test_white_is_zero(dtype: str) -> None:
    values = (GRAY // 16).astype(dtype)
    data = tiff(values.max() - values, photometric="miniswhite")
    wanted = 255.0 - values.max() + values if dtype == "u1" else stretched(values)
    assert same(data, wanted)


def test_signed_bytes() -> None:
    values = np.tile(np.arange(-60, 60, 10, dtype=np.int8), (8, 1))
    assert same(tiff(values), stretched(values))


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("extra", [[0], [0, 0]])
def test_samples_beside_the_colors_are_left_out(planar: str, extra: list[int]) -> None:
    values = np.dstack([COLOR, *[GRAY] * len(extra)])
    stored = values if planar == "contig" else np.moveaxis(values, -1, 0)
    data = tiff(stored, photometric="rgb", extrasamples=extra, planarconfig=planar)
    assert same(data, stretched(COLOR))
    assert not decode(data).alpha


@pytest.mark.parametrize("dtype", ["u2", "f4"])
def test_alpha_becomes_white(dtype: str) -> None:
    top = 65535 if dtype == "u2" else 1
    alpha = np.where(X < 48, 0, top).astype(dtype)
    data = tiff(np.dstack([COLOR.astype(dtype), alpha]), photometric="rgb", extrasamples=[2])
    wanted = np.where((X < 48)[..., None], 255, stretched(COLOR))
    assert same(data, wanted)
    assert decode(data).alpha


def test_orientation_and_pages() -> None:
    picture = decode(tiff(GRAY.astype("f4"), extratags=[(274, "H", 1, 6, True)]))
    assert (picture.width, picture.height, picture.orientation) == (48, 96, 6)
    pages = tiff(np.stack([GRAY.astype("f4")] * 3), photometric="minisblack")
    assert decode(pages).frames == 3


def test_a_hot_pixel_does_not_swallow_the_range() -> None:
    hot = GRAY.copy()
    hot[3, 3] = 65535
    wanted = stretched(GRAY)
    wanted[3, 3] = 255
    assert same(tiff(hot), wanted)


@pytest.mark.parametrize("value", ["-9999", "nan"])
def test_no_data_takes_no_part_in_the_range(value: str) -> None:
    numbers = GRAY.astype("f4")
    numbers[:5] = float(value)
    data = tiff(numbers, extratags=[(42113, "s", 0, value, True)])
    wanted = stretched(GRAY)
    wanted[:5] = 0
    assert same(data, wanted)


@pytest.mark.parametrize(
    ("values", "options", "named"),
    [
        (COLOR, {"photometric": "icclab"}, "ICCLAB"),
        (FIVE, {"photometric": "minisblack", "planarconfig": "contig"}, "5 channels"),
        (GRAY.astype("c8"), {}, "numbers"),
    ],
)  # fmt: skip
def test_what_has_no_clear_colors_is_refused_by_name(
    values: np.ndarray, options: dict[str, Any], named: str
) -> None:
    with pytest.raises(PictureError) as caught:
        decode(tiff(values, **options))
    assert caught.value.code == "unsupported"
    assert named in caught.value.message
    assert "damaged" not in str(caught.value)


def test_tags_that_lie_about_the_size_are_an_error() -> None:
    data = tiff(GRAY.astype("f4"))
    wide = data.replace((96).to_bytes(4, "little"), (9_000_000).to_bytes(4, "little"), 1)
    for changed in (data[: len(data) // 2], wide):
        if changed != data:
            with pytest.raises(PictureError) as caught:
                decode(changed)
            assert caught.value.code in ("cut_off", "undecodable", "too_large", "unsupported")
