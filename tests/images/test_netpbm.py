"""Netpbm's plain formats, through the one decoder."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tellapart.core.errors import PictureError
from tellapart.images.decoder import decode, header_size, netpbm

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(1, 1), (28, 28), (3, 5), (7, 4, 3)])
def test_pixels_come_back_exactly_and_as_pillow_reads_them(shape: tuple[int, ...]) -> None:
    values = RNG.integers(0, 256, shape, dtype=np.uint8)
    data = netpbm.packed(values)
    picture = decode(data)
    expected = values if values.ndim == 3 else np.repeat(values[..., None], 3, axis=2)
    assert np.array_equal(picture.pixels, expected)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data)).convert("RGB")), expected)
    assert header_size(data) == (shape[1], shape[0])
    assert (picture.format, picture.bits, picture.gray) == ("PNM", 8, values.ndim == 2)


def test_a_color_file_with_equal_channels_is_gray() -> None:
    gray = np.repeat(RNG.integers(0, 256, (6, 6, 1), dtype=np.uint8), 3, axis=2)
    assert decode(netpbm.packed(gray)).gray


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"P5 3 2 255\n12345", "cut_off"),
        (b"P6 3 2 255\n" + bytes(17), "cut_off"),
        (b"P5 0 2 255\n", "undecodable"),
        (b"P5 99999 99999 255\n", "too_large"),
        (b"P5 999999999 999999999 255\n", "too_large"),
        (b"P5 -3 2 255\n" + bytes(6), "not_a_picture"),
    ],
)
def test_what_is_no_sound_file(data: bytes, code: str) -> None:
    with pytest.raises(PictureError) as caught:
        decode(data)
    assert caught.value.code == code


SIX = [0, 10, 20, 30, 40, 50]


@pytest.mark.parametrize(
    ("data", "bits"),
    [
        (b"P5\n# CREATOR: GIMP\n3 2\n255\n" + bytes(SIX), 8),
        (b"P5\r\n3 2\r\n255\n" + bytes(SIX), 8),
        (b"P2 3 2 255 0 10 20 30 40 50\n", 8),
        (b"P6\n# CREATOR: GIMP\n3 2\n255\n" + bytes(v for v in SIX for _ in range(3)), 8),
    ],
)
def test_other_spellings_of_the_same_picture(data: bytes, bits: int) -> None:
    picture = decode(data)
    assert (picture.format, picture.bits, picture.gray) == ("PNM", bits, True)
    assert picture.pixels[..., 0].ravel().tolist() == SIX


def test_other_greatest_values() -> None:
    half = decode(b"P5\n8 8\n100\n" + bytes([50]) * 64)
    assert abs(int(half.pixels[0, 0, 0]) - 128) <= 1
    deep = decode(b"P5 4 1 4095\n" + b"".join(v.to_bytes(2, "big") for v in (0, 1365, 2730, 4095)))
    assert deep.pixels[0, :, 0].tolist() == [0, 85, 170, 255]
    assert deep.bits == 16
