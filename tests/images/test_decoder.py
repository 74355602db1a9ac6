from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps

from tellapart.core.errors import PictureError
from tellapart.images import color, decoder, opening, resizing
from tellapart.images.decoder import decode
from tellapart.images.resizing import luma, resize

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
CODES = {"empty", "not_a_picture", "unsupported", "cut_off", "undecodable", "too_large"}


def smooth(width: int = 90, height: int = 60, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def encoded(image: Image.Image | np.ndarray, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png16(values: np.ndarray) -> bytes:
    """A 16-bit PNG of [H, W, 1 to 4], written by hand: Pillow cannot write RGB of 16 bits."""
    height, width, channels = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def code_of(data: bytes) -> str:
    with pytest.raises(PictureError) as caught:
        decode(data)
    return caught.value.code


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_is_told_by_content_and_gives_the_same_picture(kind: str) -> None:
    pixels = smooth()
    picture = decode(encoded(pixels, kind))
    assert picture.format == kind
    assert picture.pixels.dtype == np.uint8
    assert (picture.width, picture.height) == (90, 60)
    assert np.abs(picture.pixels.astype(int) - pixels).mean() < 8  # palettes and lossy codecs


@pytest.mark.parametrize("name", ["cats-dogs-kaggle-2k.zip", "horses-or-humans-100px.zip"])
def test_real_pictures_decode_as_pillow_does(data_folder: Path, name: str) -> None:
    import zipfile

    with zipfile.ZipFile(data_folder / name) as archive:
        members = [m for m in archive.namelist() if m.endswith((".jpg", ".png"))][::100]
        assert members
        for member in members:
            data = archive.read(member)
            expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
            np.testing.assert_array_equal(decode(data).pixels, expected)


def test_the_resize_is_pillows_bicubic_within_one_level_on_average(data_folder: Path) -> None:
    import zipfile

    with zipfile.ZipFile(data_folder / "cats-dogs-kaggle-2k.zip") as archive:
        for member in archive.namelist()[::100]:
            pixels = decode(archive.read(member)).pixels
            for size in (224, 64):
                expected = np.asarray(
                    Image.fromarray(pixels).resize((size, size), Image.Resampling.BICUBIC)
                )
                difference = np.abs(resize(pixels, size).astype(int) - expected)
                assert difference.mean() < 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation: int) -> None:
    pixels = smooth(24, 16)
    exif = Image.Exif()
    exif[274] = orientation
    data = encoded(pixels, "PNG", exif=exif)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    picture = decode(data)
    assert picture.orientation == orientation
    np.testing.assert_array_equal(picture.pixels, expected)


def test_exif_orientation_is_applied_to_jpegs() -> None:
    exif = Image.Exif()
    exif[274] = 6
    picture = decode(encoded(smooth(24, 16), "JPEG", exif=exif))
    assert (picture.width, picture.height, picture.orientation) == (16, 24, 6)


def test_transparency_is_laid_on_white() -> None:
    rgba = np.zeros((8, 8, 4), np.uint8)
    rgba[:4, :, 3] = 255
    picture = decode(encoded(rgba, "PNG"))
    assert picture.alpha
    assert (picture.pixels[:4] == 0).all()
    assert (picture.pixels[4:] == 255).all()


def test_transparency_of_a_palette_is_laid_on_white() -> None:
    image = Image.new("P", (8, 8), 0)
    image.putpalette([10, 20, 30] + [0] * 765)
    picture = decode(encoded(image, "PNG", transparency=0))
    assert picture.alpha
    assert (picture.pixels == 255).all()


def test_cmyk_becomes_rgb() -> None:
    pixels = smooth()
    picture = decode(encoded(Image.fromarray(pixels).convert("CMYK"), "JPEG", quality=95))
    assert picture.cmyk
    assert np.abs(picture.pixels.astype(int) - pixels).mean() < 3


def test_a_color_profile_is_converted_to_srgb() -> None:
    pixels = smooth()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    lab = ImageCms.applyTransform(
        Image.fromarray(pixels),
        ImageCms.buildTransform(ImageCms.createProfile("sRGB"), profile, "RGB", "LAB"),
    )
    assert lab is not None
    assert np.abs(decode(encoded(lab, "TIFF")).pixels.astype(int) - pixels).mean() < 3


def test_a_broken_color_profile_does_not_lose_the_picture() -> None:
    data = encoded(smooth(), "PNG", icc_profile=b"not a profile at all")
    np.testing.assert_array_equal(decode(data).pixels, smooth())


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_deep_pictures_are_scaled_by_their_own_range(channels: int) -> None:
    values = np.random.default_rng(0).integers(100, 4096, (20, 30, channels))
    if channels == 4:
        values[..., 3] = 65535
    picture = decode(png16(values))
    color = values[..., :3]
    expected = np.rint((color - color.min()) / (color.max() - color.min()) * 255)
    assert picture.bits == 16
    np.testing.assert_array_equal(picture.pixels, np.broadcast_to(expected, (20, 30, 3)))


def test_deep_tiffs_are_scaled_by_their_own_range() -> None:
    values = np.linspace(1000, 4000, 600).reshape(20, 30).astype(np.uint16)
    picture = decode(encoded(Image.fromarray(values), "TIFF"))
    assert picture.gray
    assert picture.pixels.min() == 0
    assert picture.pixels.max() == 255


def test_floats_with_nan_do_not_spread() -> None:
    values = np.linspace(-1, 1, 600, dtype=np.float32).reshape(20, 30)
    values[0, 0] = np.nan
    values[1, 1] = np.inf
    picture = decode(encoded(Image.fromarray(values), "TIFF"))
    assert picture.pixels[0, 0, 0] == 0
    assert picture.pixels.max() == 255


def of_every_mode() -> dict[str, bytes]:
    """A picture of 90 x 60 in every way that is converted on its way to RGB."""
    rgb, seed = Image.fromarray(smooth()), np.random.default_rng(1)
    alpha = Image.fromarray(smooth(seed=2)[..., 0])
    rgba, gray = Image.merge("RGBA", (*rgb.split(), alpha)), rgb.convert("L")
    palette = rgb.quantize(16)
    wide = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    wide = wide.replace(b"s\0R\0G\0B", b"x\0y\0z\0w").replace(b"sRGB", b"none")
    numbers = seed.normal(size=(60, 90)).astype(np.float32) * 1e6
    numbers[0, 0], numbers[50, 3] = np.nan, np.inf
    deep = seed.integers(300, 60_000, (60, 90, 4))
    return {
        "RGB": encoded(rgb, "PNG"),
        "RGB, a color transparent": encoded(rgb, "PNG", transparency=rgb.getpixel((3, 3))),
        "RGB, a profile": encoded(rgb, "PNG", icc_profile=wide),
        "RGBA": encoded(rgba, "PNG"),
        "RGBA, a profile": encoded(rgba, "PNG", icc_profile=wide),
        "RGBA of WebP": encoded(rgba, "WEBP", lossless=True),
        "LA": encoded(rgba.convert("LA"), "PNG"),
        "L": encoded(gray, "PNG"),
        "1": encoded(gray.convert("1"), "PNG"),
        "P": encoded(palette, "GIF"),
        "P, a color transparent": encoded(palette, "PNG", transparency=3),
        "P, many colors transparent": encoded(
            palette, "PNG", transparency=bytes(range(0, 240, 15))
        ),
        "CMYK": encoded(rgb.convert("CMYK"), "JPEG"),
        "LAB": encoded(Image.fromarray(smooth(), "LAB"), "TIFF"),
        "F": encoded(Image.fromarray(numbers), "TIFF"),
        "F without a number": encoded(Image.fromarray(numbers * np.nan), "TIFF"),
        "I": encoded(Image.fromarray(deep[..., 0].astype(np.int32) * 40_000), "TIFF"),
        "I of bytes": encoded(Image.fromarray(smooth()[..., 0].astype(np.int32)), "TIFF"),
        "16 bits": png16(deep[..., :1]),
        "16 bits, RGB": png16(deep[..., :3]),
        "16 bits, RGBA": png16(deep),
    }


@pytest.mark.parametrize("name", of_every_mode())
def test_large_pictures_are_converted_in_bands_to_the_same_pixels(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = of_every_mode()[name]
    whole = decode(data)
    assert whole.pixels.shape == (60, 90, 3)
    for band in (7 * 90 + 3, 1):  # seven rows and a rest; a row at least
        monkeypatch.setattr(color, "_BAND", band)
        banded = decode(data)
        np.testing.assert_array_equal(banded.pixels, whole.pixels)
        assert (banded.bits, banded.alpha) == (whole.bits, whole.alpha)


MEASURED = """
import sys
from tellapart.images.decoder import decode

def kilobytes(name):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(name))

small, large = (open(path, "rb").read() for path in sys.argv[1:])
decode(small)
before = kilobytes("VmRSS")
decode(large)
print((kilobytes("VmHWM") - before) * 1024)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux counts memory there")
@pytest.mark.parametrize("name", ["RGBA", "16 bits, RGBA"])
def test_a_large_picture_takes_little_memory_beside_its_own_pixels(
    name: str, tmp_path: Path
) -> None:
    side = 2500
    plain = np.full((side, side, 4), 40_000)
    plain[0] = 0
    large = png16(plain) if "16" in name else encoded((plain >> 8).astype(np.uint8), "PNG")
    paths = tmp_path / "small.png", tmp_path / "large.png"
    paths[0].write_bytes(of_every_mode()[name])
    paths[1].write_bytes(large)
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *map(str, paths)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    # 9.5 and 15.5 bytes a pixel, and a band of 40 MB at most; at once it were 35 and 64.
    assert int(done.stdout) < 24 * side**2


def test_the_first_frame_of_an_animation_is_used() -> None:
    frames = [Image.fromarray(smooth(seed=seed)) for seed in range(3)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    picture = decode(data)
    assert picture.frames == 3
    assert np.abs(picture.pixels.astype(int) - smooth()).mean() < 8


def test_gray_gets_three_equal_channels() -> None:
    picture = decode(encoded(smooth()[..., 0], "JPEG"))
    assert picture.gray
    assert not decode(encoded(smooth(), "PNG")).gray


def test_damaged_heic_is_damaged_and_asks_for_no_package_that_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heic = b"\0\0\0\x1cftypheic" + b"\0" * 40
    monkeypatch.setattr(opening.register_heif, "found", True, raising=False)
    assert code_of(heic) == "undecodable"  # the extra is there: to install it would not help
    monkeypatch.setattr(opening.register_heif, "found", False)
    monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)
    assert code_of(heic) == "unsupported"


def test_what_is_wrong_has_a_name() -> None:
    assert code_of(b"") == "empty"
    assert code_of(b"just a few words") == "not_a_picture"
    data = encoded(smooth(), "PNG")
    assert code_of(data[: len(data) // 2]) == "cut_off"
    data = encoded(smooth(), "JPEG")
    assert code_of(data[: len(data) // 2]) == "cut_off"
    data = encoded(smooth(), "WEBP")
    assert code_of(data[: len(data) // 2]) == "cut_off"


def test_a_picture_that_claims_too_many_pixels_is_refused_undecoded() -> None:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + header
    data += struct.pack(">I", zlib.crc32(b"IHDR" + header)) + b"\0\0\0\0IDAT"
    assert code_of(data) == "too_large"


def test_a_picture_that_claims_an_endless_side_is_refused_undecoded() -> None:
    for width, height in ((opening.MAX_SIDE + 1, 1), (1, opening.MAX_SIDE + 1)):
        header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        data = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + header
        data += struct.pack(">I", zlib.crc32(b"IHDR" + header)) + b"\0\0\0\0IDAT"
        assert code_of(data) == "undecodable"
        assert code_of(b"P5 %d %d 255\n" % (width, height) + bytes(width * height)) == "undecodable"


def test_a_jpeg_of_endless_scans_is_refused() -> None:
    data = encoded(smooth(), "JPEG", progressive=True)
    cut = data.rindex(b"\xff\xda")
    assert code_of(data[:cut] + data[cut:-2] * (opening.MAX_SCANS + 1)) == "undecodable"


def test_bytes_after_the_picture_are_noted_and_the_picture_kept() -> None:
    data = encoded(smooth(), "JPEG")
    marker = data.rindex(b"\xff\xd9")
    picture = decode(data[:marker] + b"\0\0\0" + data[marker:])
    assert (picture.width, picture.height) == (90, 60)


def turned(kind: str, orientation: int = 6) -> bytes:
    exif = Image.Exif()
    exif[274] = orientation
    return encoded(smooth(24, 16), kind, exif=exif)


PICTURES = {
    "jpeg": lambda: encoded(smooth(), "JPEG"),
    "turned jpeg": lambda: turned("JPEG"),
    "turned png": lambda: turned("PNG", 7),
    "turned tiff": lambda: turned("TIFF", 8),
    "gray": lambda: encoded(Image.fromarray(smooth()).convert("L"), "PNG"),
    "black and white": lambda: encoded(Image.fromarray(smooth()).convert("1"), "PNG"),
    "cmyk": lambda: encoded(Image.fromarray(smooth()).convert("CMYK"), "JPEG"),
    "ycbcr": lambda: encoded(Image.fromarray(smooth()).convert("YCbCr"), "TIFF"),
    "alpha": lambda: encoded(np.dstack([smooth(), smooth(seed=1)[..., 0]]), "PNG"),
    "palette": lambda: encoded(Image.fromarray(smooth()).quantize(16), "PNG", transparency=3),
    "deep gray": lambda: png16(np.random.default_rng(0).integers(100, 4096, (20, 30, 1))),
    "floats": lambda: encoded(Image.fromarray(smooth()[..., 0].astype(np.float32) / 7), "TIFF"),
    "profile": lambda: encoded(
        smooth(),
        "PNG",
        icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    ),
}


@pytest.mark.parametrize("kind", PICTURES)
@pytest.mark.parametrize("loaded", [False, True])
def test_a_picture_object_gives_the_pixels_of_its_file(kind: str, loaded: bool) -> None:
    data = PICTURES[kind]()
    image = Image.open(io.BytesIO(data))
    if loaded:
        image.load()
    expected = decode(data).pixels
    np.testing.assert_array_equal(decoder.from_image(image), expected)
    np.testing.assert_array_equal(decoder.from_image(image), expected)  # it was not changed


def test_a_picture_object_that_is_broken_closed_or_huge() -> None:
    whole = encoded(smooth(), "JPEG")
    closed = Image.open(io.BytesIO(whole))
    closed.load()
    closed.close()
    with pytest.raises(PictureError) as caught:
        decoder.from_image(Image.open(io.BytesIO(whole[: len(whole) // 2])))
    assert caught.value.code == "cut_off"
    with pytest.raises(PictureError):
        decoder.from_image(closed)
    with pytest.raises(PictureError) as caught:
        decoder.from_image(Image.new("1", (20_000, 20_000)))
    assert caught.value.code == "too_large"


@pytest.mark.parametrize("fit", ["squash", "crop", "pad"])
@pytest.mark.parametrize("shape", [(1, 400), (400, 1), (3, 3), (224, 224), (50, 90)])
def test_resize_always_gives_the_square(fit: resizing.Fit, shape: tuple[int, int]) -> None:
    pixels = np.full((*shape, 3), 200, np.uint8)
    square = resize(pixels, 64, fit)
    assert square.shape == (64, 64, 3)
    assert square.dtype == np.uint8
    assert (square[31:33, 31:33] == 200).any()


def test_crop_takes_the_middle_and_pad_keeps_everything() -> None:
    pixels = np.zeros((40, 120, 3), np.uint8)
    pixels[:, 40:80] = 255
    assert (resize(pixels, 40, "crop") == 255).all()
    padded = resize(pixels, 60, "pad")
    assert (padded[:15] == resizing.PAD_VALUE).all()
    assert padded[30, 30, 0] > 250
    assert padded[30, 5, 0] < 5


def test_very_long_pictures_are_resized_in_the_other_order_to_nearly_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if resizing.fir is None:
        pytest.skip("Pillow goes through the columns first anyway")
    long = np.random.default_rng(0).integers(0, 256, (9, 4000, 3), np.uint8)
    usual = resizing.stretch(long, 64, 64)
    monkeypatch.setattr(resizing, "_MOST_BETWEEN", 0)
    other = resizing.stretch(long, 64, 64)
    assert not np.array_equal(usual, other)
    assert np.abs(usual.astype(int) - other).max() <= 2


def test_luma_is_exact_on_gray() -> None:
    gray = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    np.testing.assert_array_equal(luma(gray)[0], np.arange(256))


@pytest.mark.parametrize("kind", FORMATS)
def test_broken_bytes_are_refused_or_decoded_and_never_crash(kind: str) -> None:
    sound = encoded(smooth(48, 40), kind)

    @settings(
        max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(
        flips=st.lists(
            st.tuples(st.integers(0, len(sound) - 1), st.integers(0, 255)), min_size=1, max_size=12
        ),
        cut=st.one_of(st.none(), st.integers(1, len(sound))),
    )
    def check(flips: list[tuple[int, int]], cut: int | None) -> None:
        broken = bytearray(sound)
        for place, value in flips:
            broken[place] = value
        try:
            picture = decode(bytes(broken[:cut]))
        except PictureError as error:
            assert error.code in CODES
            return
        assert picture.pixels.dtype == np.uint8
        assert picture.pixels.ndim == 3
        assert picture.pixels.shape[2] == 3
        assert resize(picture.pixels, 32).shape == (32, 32, 3)

    check()


# ------------------------------------------------------------------ what real files carry


@pytest.mark.parametrize("size", [1 << 20, 8 << 20])
def test_a_film_after_the_end_of_a_jpeg_takes_no_part(size: int) -> None:
    photo = encoded(smooth(), "JPEG")
    film = np.random.default_rng(1).bytes(size)
    picture = decode(photo + film)
    assert np.array_equal(picture.pixels, decode(photo).pixels)


def test_many_scans_before_the_end_are_still_refused() -> None:
    photo = encoded(smooth(), "JPEG", progressive=True)
    start, end = photo.index(b"\xff\xda"), photo.rindex(b"\xff\xd9")
    scan = photo[start : photo.index(b"\xff\xda", start + 2)]
    assert code_of(photo[:end] + scan * 10_000 + photo[end:]) == "undecodable"


def test_a_jpeg_without_its_last_two_bytes_is_whole() -> None:
    photo = encoded(smooth(), "JPEG")
    assert photo.endswith(b"\xff\xd9")
    assert np.array_equal(decode(photo[:-2]).pixels, decode(photo).pixels)
    assert code_of(photo[: len(photo) * 2 // 3]) == "cut_off"


def gray_png(depth: int, row: bytes, key: int) -> bytes:
    """A PNG of one row of four gray pixels, one gray of which is transparent."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 1, depth, 0, 0, 0, 0))
        + chunk(b"tRNS", struct.pack(">H", key))
        + chunk(b"IDAT", zlib.compress(b"\0" + row))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("depth", "row", "key"),
    [
        (2, bytes([0b00011011]), 1),
        (4, bytes([0x05, 0xAF]), 5),
        (8, bytes([0, 85, 170, 255]), 85),
        (16, struct.pack(">4H", 0, 306, 511, 65535), 306),
    ],
)
def test_a_transparent_gray_has_the_depth_of_the_file(depth: int, row: bytes, key: int) -> None:
    picture = decode(gray_png(depth, row, key))
    values = picture.pixels[0, :, 0].tolist()
    assert (values[0], values[1], values[3]) == (0, 255, 255)
    assert picture.alpha


def test_deep_gray_with_alpha() -> None:
    gray = np.tile(np.arange(96, dtype=np.uint16) * 40, (8, 1))
    picture = decode(png16(np.dstack([gray, np.full_like(gray, 65535)])))
    assert picture.bits == 16 and picture.alpha
    assert np.abs(picture.pixels[0, :, 0] - gray[0] * (255.0 / gray.max())).max() <= 1


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"\0" * 128 + b"DICM" + bytes(64), "DICOM"),
        (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(64), "JPEG 2000"),
        (b"SIMPLE  =                    T" + bytes(64), "FITS"),
        (b"8BPS\0\1" + bytes(64), "Photoshop"),
    ],
)
def test_other_formats_are_called_by_their_names(data: bytes, named: str) -> None:
    with pytest.raises(PictureError) as caught:
        decode(data)
    assert caught.value.code == "unsupported"
    assert named in caught.value.message


def test_a_jpeg_of_twelve_bits_is_called_so() -> None:
    imagecodecs = pytest.importorskip("imagecodecs")
    deep = smooth()[..., 0].astype(np.uint16) * 16
    data = imagecodecs.jpeg8_encode(deep, level=95, bitspersample=12)
    with pytest.raises(PictureError) as caught:
        decode(data)
    assert caught.value.code == "unsupported"
    assert "12 bits" in caught.value.message


def test_what_the_first_frame_of_an_animation_leaves_open_is_white() -> None:
    frame = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
    frame.paste((255, 0, 0, 255), (16, 8, 32, 32))
    other = Image.new("RGBA", (32, 32), (0, 0, 255, 255))
    still = decode(encoded(frame, "WEBP", lossless=True)).pixels
    for kind in ("WEBP", "GIF"):
        options = {"lossless": True} if kind == "WEBP" else {}
        moving = encoded(frame, kind, save_all=True, append_images=[other], **options)
        picture = decode(moving)
        assert np.array_equal(picture.pixels, still)
        assert picture.alpha and picture.frames == 2


def test_an_alpha_channel_that_is_opaque_is_no_transparency() -> None:
    opaque = Image.fromarray(smooth()).convert("RGBA")
    assert not decode(encoded(opaque, "PNG")).alpha
    opaque.putpixel((1, 1), (0, 0, 0, 254))
    assert decode(encoded(opaque, "PNG")).alpha
