"""Color profiles count by what they hold, whatever they are called, in every mode."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from tellapart.images.decoder import decode

RED = np.full((64, 64, 3), (237, 61, 37), np.uint8)
RED[0, 0], RED[0, 1] = 0, 255
IN_SRGB = np.array([255, 30, 0])  # by LittleCMS, from Display P3


def number(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def display_p3(name: str) -> bytes:
    """A profile with the primaries of Display P3 and the curve of sRGB."""

    def xyz(*values: float) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(map(number, values))

    def text(words: str) -> bytes:
        content = words.encode("utf-16-be")
        return b"mluc\0\0\0\0" + struct.pack(">II4sII", 1, 12, b"enUS", len(content), 28) + content

    bend = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    curve = b"para\0\0\0\0" + struct.pack(">HH", 3, 0) + b"".join(map(number, bend))
    white = (0.9642, 1.0, 0.8249)
    tags = {
        b"desc": text(name), b"cprt": text("-"), b"wtpt": xyz(*white),
        b"rXYZ": xyz(0.51512, 0.24119, -0.00105), b"gXYZ": xyz(0.29198, 0.69225, 0.04189),
        b"bXYZ": xyz(0.1571, 0.06657, 0.78407), b"rTRC": curve, b"gTRC": curve, b"bTRC": curve,
    }  # fmt: skip
    table, body, start = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for key, content in tags.items():
        table += key + struct.pack(">II", start + len(body), len(content))
        body += content + b"\0" * (-len(content) % 4)
    head = struct.pack(">I", start + len(body)) + bytes(4) + struct.pack(">I", 0x04300000)
    head += b"mntrRGB XYZ " + bytes(12) + b"acsp" + bytes(28) + b"".join(map(number, white))
    return head.ljust(128, b"\0") + table + body


def png(image: Image.Image, profile: bytes) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", icc_profile=profile)
    return buffer.getvalue()


def deep_tiff(profile: bytes) -> bytes:
    buffer = io.BytesIO()
    values = RED.astype(np.uint16) * 257
    tifffile.imwrite(buffer, values, photometric="rgb", iccprofile=profile)
    return buffer.getvalue()


def deep_planes(profile: bytes) -> bytes:
    buffer = io.BytesIO()
    values = np.moveaxis(RED.astype(np.uint16) * 257, -1, 0)
    tifffile.imwrite(buffer, values, photometric="rgb", planarconfig="separate", iccprofile=profile)
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["Display P3", "Display P3 Gamut with sRGB Transfer", "sRGB"])
@pytest.mark.parametrize("kind", ["RGB", "palette", "alpha", "16 bits", "16-bit planes"])
def test_a_wide_profile_is_converted(name: str, kind: str) -> None:
    profile = display_p3(name)
    image = Image.fromarray(RED)
    data = {
        "RGB": lambda: png(image, profile),
        "palette": lambda: png(image.quantize(8), profile),
        "alpha": lambda: png(image.convert("RGBA"), profile),
        "16 bits": lambda: deep_tiff(profile),
        "16-bit planes": lambda: deep_planes(profile),
    }[kind]()
    assert np.abs(decode(data).pixels[30, 30] - IN_SRGB).max() <= 2


def test_srgb_under_another_name_changes_nothing() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    unnamed = profile.replace(b"s\0R\0G\0B", b"m\0i\0n\0e")
    assert unnamed != profile
    for one in (profile, unnamed):
        assert np.array_equal(decode(png(Image.fromarray(RED), one)).pixels, RED)


def test_a_broken_profile_changes_nothing() -> None:
    profile = display_p3("Display P3")
    for one in (profile[:200], b"no profile at all"):
        assert np.array_equal(decode(png(Image.fromarray(RED), one)).pixels, RED)
