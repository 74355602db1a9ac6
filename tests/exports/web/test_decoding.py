"""Decoding in a real browser beside the one decoder of Python, kind by kind."""

from __future__ import annotations

import io
import shutil
import struct
import zlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from tellapart.core.errors import PictureError
from tellapart.exports.web.browser import FIREFOX, Browser, find_browser
from tellapart.exports.web.server import Prediction, open_page
from tellapart.images import decoder, resizing

SIZE = 64  # of the hostile page, whose network is the smallest here


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def smooth(width: int = 151, height: int = 103, channels: int = 3, seed: int = 0) -> np.ndarray:
    blotches = np.random.default_rng(seed).integers(0, 256, (6, 8, channels), dtype=np.uint8)
    return np.asarray(Image.fromarray(blotches).resize((width, height), Image.Resampling.BICUBIC))


def chunk(name: bytes, data: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(name + data))
    return struct.pack(">I", len(data)) + name + data + check


def turned(image: Image.Image, kind: str, orientation: int, **options: Any) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(image, kind, exif=exif, **options)


def deep_png(values: np.ndarray, kind: int) -> bytes:
    """A PNG of 16 bits a channel, uint16 ``[H, W, C]``, every row with another filter."""
    height, width, channels = values.shape
    lines = values.astype(">u2").view(np.uint8).reshape(height, -1).astype(int)
    step, rows = 2 * channels, []
    for row, line in enumerate(lines):
        above = lines[row - 1] if row else np.zeros_like(line)
        left, corner = (np.r_[np.zeros(step, int), one[:-step]] for one in (line, above))
        guess = left + above - corner
        a, b, c = (np.abs(guess - one) for one in (left, above, corner))
        paeth = np.where((a <= b) & (a <= c), left, np.where(b <= c, above, corner))
        filters = (0 * line, left, above, (left + above) // 2, paeth)
        rows.append(bytes([row % 5]) + ((line - filters[row % 5]) % 256).astype(np.uint8).tobytes())
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0))
    data = zlib.compress(b"".join(rows))
    parts = chunk(b"IDAT", data[:500]) + chunk(b"IDAT", data[500:])
    return b"\x89PNG\r\n\x1a\n" + header + parts + chunk(b"IEND", b"")


def strange_profile() -> bytes:
    """A profile whose red is sRGB's green, and that does not call itself sRGB."""
    plain = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    renamed = plain.replace(b"sRGB", b"odd!").replace(b"s\0R\0G\0B", b"o\0d\0d\0!")
    return renamed.replace(b"rXYZ", b"tXYZ").replace(b"gXYZ", b"rXYZ").replace(b"tXYZ", b"gXYZ")


def hot(values: np.ndarray) -> np.ndarray:
    """The same with one pixel far above all others."""
    changed = (values // 16).copy()
    changed[3, 3] = 65535
    return changed


@cache
def whole() -> Mapping[str, bytes]:
    """Pictures that a browser must decode as Python does."""
    rgb = Image.fromarray(smooth())
    rgba = Image.fromarray(smooth(channels=4))
    few = rgb.quantize(64)
    other = Image.fromarray(smooth(seed=1))
    odd, srgb = strange_profile(), ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    png = encoded(rgb, "PNG")
    deep = smooth(seed=2).astype(np.uint16) * 13  # 12 bits in a file for 16
    corner = tuple(int(value) for value in np.asarray(rgb)[0, 0])
    made = {f"JPEG turned {way}": turned(rgb, "JPEG", way) for way in range(1, 9)}
    made |= {f"WebP turned {way}": turned(rgb, "WEBP", way, lossless=True) for way in range(1, 9)}
    made |= {
        "PNG turned": turned(rgb, "PNG", 6),
        "AVIF turned": turned(rgb, "AVIF", 8),
        "JPEG 4:2:0": encoded(rgb, "JPEG", quality=50, subsampling=2),
        "JPEG 4:2:2": encoded(rgb, "JPEG", subsampling=1),
        "JPEG 4:4:4": encoded(rgb, "JPEG", subsampling=0),
        "JPEG progressive": encoded(rgb, "JPEG", progressive=True),
        "JPEG gray": encoded(rgb.convert("L"), "JPEG"),
        "JPEG CMYK": encoded(rgb.convert("CMYK"), "JPEG"),
        "JPEG with more behind it": encoded(rgb, "JPEG") + b"more" * 100,
        "JPEG sRGB": encoded(rgb, "JPEG", icc_profile=srgb.tobytes()),
        "JPEG profile": encoded(rgb, "JPEG", icc_profile=odd),
        "JPEG gray profile": encoded(rgb.convert("L"), "JPEG", icc_profile=odd),
        "PNG profile": encoded(rgb, "PNG", icc_profile=odd),
        "WebP profile": encoded(rgb, "WEBP", icc_profile=odd, lossless=True),
        "AVIF profile": encoded(rgb, "AVIF", icc_profile=odd),
        "PNG": png,
        "PNG gamma": png[:33] + chunk(b"gAMA", struct.pack(">I", 100_000)) + png[33:],
        "PNG alpha": encoded(rgba, "PNG"),
        "PNG gray alpha": encoded(rgba.convert("LA"), "PNG"),
        "PNG gray": encoded(rgb.convert("L"), "PNG"),
        "PNG bits": encoded(rgb.convert("1"), "PNG"),
        "PNG palette": encoded(few, "PNG"),
        "PNG palette transparent": encoded(few, "PNG", transparency=3),
        "PNG color transparent": encoded(rgb, "PNG", transparency=corner),
        "GIF": encoded(few, "GIF"),
        "GIF transparent": encoded(few, "GIF", transparency=3),
        "GIF animated": encoded(few, "GIF", save_all=True, append_images=[other.quantize(32)]),
        "WebP": encoded(rgb, "WEBP"),
        "WebP alpha": encoded(rgba, "WEBP", lossless=True),
        "WebP animated": encoded(rgb, "WEBP", save_all=True, append_images=[other], lossless=True),
        "PNG with a damaged text behind": png[:-12] + b"\0\0\0\1tEXta\0\0\0\0" + png[-12:],
        "BMP": encoded(rgb, "BMP"),
        "BMP palette": encoded(few, "BMP"),
        "AVIF": encoded(rgb, "AVIF"),
        "PNG 16-bit gray": encoded(Image.fromarray(deep[..., 0]), "PNG"),
        "PNG 16-bit gray, of 8": encoded(Image.fromarray(deep[..., 0] // 64), "PNG"),
        "PNG 16-bit gray, flat": encoded(Image.fromarray(deep[..., 0] * 0 + 999), "PNG"),
        "PNG 16-bit color": deep_png(deep, 2),
        "PNG 16-bit alpha": deep_png(np.concatenate([deep, deep[..., :1] * 16], axis=2), 6),
        "PNG 16-bit gray alpha": deep_png(deep[..., :2] * 16, 4),
        "PNG 16-bit gray, hot pixel": encoded(Image.fromarray(hot(deep[..., 0])), "PNG"),
        "PNG 16-bit color, hot pixel": deep_png(hot(deep), 2),
        "JPEG with a film behind": encoded(rgb, "JPEG") + bytes(range(256)) * 4000,
        "PGM": b"P5 30 20 255\n" + bytes(range(200)) * 3,
        "PPM": b"P6 30 20 255\n" + bytes(range(200)) * 9,
        "one pixel": encoded(rgb.resize((1, 1)), "PNG"),
        "a thin line": encoded(rgb.resize((5000, 2)), "PNG"),
        "a large photograph": encoded(Image.fromarray(smooth(3024, 4032)), "JPEG"),
    }
    return made


@cache
def refused() -> Mapping[str, tuple[bytes, set[str]]]:
    """Files that a page refuses, and the codes it may give."""
    rgb = Image.fromarray(smooth())
    jpeg, png, webp = encoded(rgb, "JPEG"), encoded(rgb, "PNG"), encoded(rgb, "WEBP")
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    bomb = png[:8] + chunk(b"IHDR", header) + png[33:]
    damaged = bytearray(png)
    damaged[len(png) // 2] ^= 255
    broken = {"cut_off", "undecodable"}
    deep = deep_png(smooth().astype(np.uint16) * 13, 2)
    cut = deep[:33] + chunk(b"IDAT", deep[41:541]) + chunk(b"IEND", b"")
    return {
        "JPEG cut": (jpeg[: len(jpeg) // 2], {"cut_off"}),
        "JPEG cut in its header": (jpeg[:100], {"cut_off"}),
        "PNG cut": (png[: len(png) // 2], {"cut_off"}),
        "WebP cut": (webp[: len(webp) // 2], {"cut_off"}),
        "GIF cut": (encoded(rgb.quantize(64), "GIF")[:3000], broken),
        "GIF cut at its end": (encoded(rgb.quantize(64), "GIF")[:-4], broken),
        "GIF cut in its header": (encoded(rgb.quantize(64), "GIF")[:50], broken),
        "GIF of nothing": (b"GIF89a\1\0\1\0\0\0\0;", broken | {"not_a_picture"}),
        "BMP cut": (encoded(rgb, "BMP")[:3000], broken),
        "BMP cut at its end": (encoded(rgb, "BMP")[:-4], broken),
        "AVIF cut": (encoded(rgb, "AVIF")[:300], broken),
        "PNG 16-bit cut": (cut, broken),
        "PNG 16-bit damaged": (cut[:41] + b"\0\0\0" + cut[44:], broken),
        "PGM cut": (b"P5 30 20 255\n" + bytes(10), {"cut_off"}),
        "PNG damaged": (bytes(damaged), broken),
        "PNG with a damaged header": (png[:29] + b"\0\0\0\0" + png[33:], broken),
        "PNG bomb": (bomb, {"too_large"}),
        "PPM bomb": (b"P6 999999999 999999999 255\n", {"too_large"}),
        "JPEG of 300 scans": (jpeg[:-2] + b"\xff\xda" * 300 + jpeg[-2:], {"undecodable"}),
        "text": (b"hello there", {"not_a_picture"}),
        "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', {"not_a_picture"}),
        "empty": (b"", {"empty"}),
    }


@cache
def only_python() -> Mapping[str, bytes]:
    """Pictures that Python decodes and browsers do not, or not whole."""
    flat = deep_png(smooth(1, 1).astype(np.uint16), 2)  # of one pixel, so the same interlaced
    header = struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 1)
    return {
        "TIFF": encoded(Image.fromarray(smooth()), "TIFF"),
        "PNG of 16 bits, interlaced": flat[:8] + chunk(b"IHDR", header) + flat[33:],
    }


def asked(
    folder: Path, browser: Browser, profile: Path, files: Mapping[str, bytes], exact: bool = True
) -> dict[str, Prediction]:
    with open_page(folder, browser, profile, classes=4, size=SIZE) as page:
        assert page.exact is exact
        return {name: page.predict(data) for name, data in files.items()}


def every_file() -> dict[str, bytes]:
    return {**whole(), **only_python(), **{name: data for name, (data, _) in refused().items()}}


@pytest.fixture(scope="module")
def answers(hostile: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Prediction]:
    """What the page says of every file of this module, in one go."""
    folder = tmp_path_factory.mktemp("browser")
    return asked(hostile.folder, find_browser(), folder / "browser", every_file())


@pytest.fixture
def firefox() -> Browser:
    """Firefox, which decodes by other means; skips where there is none."""
    for name in FIREFOX:
        if (path := shutil.which(name)) is not None:
            return Browser("firefox", path)
    pytest.skip("no Firefox")


def apart(name: str, said: Prediction) -> int:
    """By how many levels the page's pixels differ from Python's at most."""
    expected = resizing.resize(decoder.decode(whole()[name]).pixels, SIZE, "pad")
    assert said.pixels is not None, said.message
    return int(np.abs(said.pixels.astype(int) - expected).max())


def let_through(name: str) -> int:
    """Photographs must be exact; what is rare is held to a level."""
    return 0 if name.startswith("JPEG") and resizing.RESIZER == "fir" else 1


@pytest.mark.parametrize("name", list(whole()))
def test_a_browser_gives_the_pixels_of_python(answers: dict[str, Prediction], name: str) -> None:
    assert apart(name, answers[name]) <= let_through(name)


@pytest.mark.parametrize("name", list(refused()))
def test_what_python_refuses_the_page_refuses(answers: dict[str, Prediction], name: str) -> None:
    data, codes = refused()[name]
    with pytest.raises(PictureError):
        decoder.decode(data)
    assert answers[name].probabilities is None
    assert answers[name].code in codes
    assert answers[name].message


@pytest.mark.parametrize("name", list(only_python()))
def test_what_only_python_can_decode_gets_a_message_and_no_answer(
    answers: dict[str, Prediction], name: str
) -> None:
    decoder.decode(only_python()[name])
    assert answers[name].probabilities is None
    assert answers[name].code == "unsupported"
    assert "tellapart predict" in answers[name].message


def test_another_browser_answers_alike(hostile: Any, firefox: Browser, tmp_path: Path) -> None:
    """One test for all files: a second browser is not started in each of pytest's processes."""
    said = asked(hostile.folder, firefox, tmp_path / "browser", every_file())
    most = {"AVIF": 4, "alpha": 2, "profile": 2}  # levels, where it decodes in its own way
    far = {
        name: found
        for name in whole()
        if (found := apart(name, said[name]))
        > max([let_through(name), *(most[kind] for kind in most if kind in name)])
    }
    assert far == {}
    codes = {name: said[name].code for name in refused()}
    assert [name for name, code in codes.items() if code not in refused()[name][1]] == []
    assert {said[name].code for name in only_python()} == {"unsupported"}


def test_where_a_browser_hides_pixels_there_is_no_answer(
    hostile: Any, firefox: Browser, tmp_path: Path
) -> None:
    """It would be an answer to something else than the picture."""
    (tmp_path / "browser").mkdir()
    setting = 'user_pref("privacy.resistFingerprinting", true);'
    (tmp_path / "browser" / "user.js").write_text(setting, encoding="utf-8")
    files = {"JPEG": encoded(Image.fromarray(smooth()), "JPEG")}
    [said] = asked(hostile.folder, firefox, tmp_path / "browser", files, exact=False).values()
    assert said.probabilities is None
    assert said.code == "hidden"
