from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from recorder import Recorder

from tellapart.core.cache import Cache
from tellapart.data.catalog import open_catalog
from tellapart.images import decoder, resizing
from tellapart.scanning import chunk
from tellapart.scanning.facts import measure
from tellapart.scanning.scanner import PixelConsumer, scan

MakePicture = Callable[..., Path]


@pytest.fixture
def pets(tmp_path: Path, make_picture: MakePicture) -> Path:
    folder = tmp_path / "pets"
    for label in ("cats", "dogs"):
        for number in range(4):
            seed = number + 10 * (label == "dogs")
            make_picture(folder / label / f"{number}.png", size=(80, 100), seed=seed)
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache", 10**9)


def test_facts_stand_beside_the_catalog(pets: Path, make_picture: MakePicture) -> None:
    (pets / "cats" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 oh no")
    (pets / "cats" / "empty.jpg").write_bytes(b"")
    scanned = scan(open_catalog(pets))
    frame = scanned.frame
    assert frame["path"].to_list() == scanned.catalog.frame["path"].to_list()
    by_path = {row["path"]: row for row in frame.iter_rows(named=True)}
    sound = by_path["cats/0.png"]
    assert (sound["format"], sound["width"], sound["height"]) == ("PNG", 80, 100)
    assert sound["error"] is None
    assert len(sound["content"]) == 64
    assert 0 < sound["brightness"] < 255
    assert by_path["cats/empty.jpg"]["error"] == "empty"
    assert by_path["cats/broken.jpg"]["error"] in ("undecodable", "cut_off")
    row = frame["path"].to_list().index("cats/empty.jpg")
    assert not scanned.thumbs[row].any()


def test_a_consumer_gets_every_pictures_pixels_in_the_same_pass(pets: Path) -> None:
    scanned = scan(open_catalog(pets), consumers=[PixelConsumer(32), PixelConsumer(48, "pad")])
    for size, fit in ((32, "squash"), (48, "pad")):
        for row, path in enumerate(scanned.frame["path"]):
            pixels = decoder.decode((pets / path).read_bytes()).pixels
            expected = resizing.resize(pixels, size, fit)
            np.testing.assert_array_equal(scanned.pixels(size, fit)[row], expected)


def test_a_second_run_decodes_nothing(
    pets: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = scan(open_catalog(pets), consumers=[PixelConsumer(32)], cache=cache)
    assert first.decoded == 8

    def refuse(data: bytes) -> None:
        raise AssertionError("decoded again")

    monkeypatch.setattr(chunk, "decode", refuse)
    second = scan(open_catalog(pets), consumers=[PixelConsumer(32)], cache=cache)
    assert second.decoded == 0
    assert first.frame.equals(second.frame)
    np.testing.assert_array_equal(first.thumbs, second.thumbs)
    np.testing.assert_array_equal(first.pixels(32), second.pixels(32))


def test_a_new_size_decodes_again_but_keeps_the_facts(pets: Path, cache: Cache) -> None:
    first = scan(open_catalog(pets), cache=cache)
    second = scan(open_catalog(pets), consumers=[PixelConsumer(16)], cache=cache)
    assert second.decoded == 8
    assert second.pixels(16).any(axis=(1, 2, 3)).all()
    assert first.frame.equals(second.frame)


def test_a_changed_file_is_seen(pets: Path, cache: Cache, make_picture: MakePicture) -> None:
    scan(open_catalog(pets), cache=cache)
    make_picture(pets / "cats" / "0.png", size=(33, 44), seed=99)
    scanned = scan(open_catalog(pets), cache=cache)
    assert scanned.decoded == 1
    row = scanned.frame.row(0, named=True)
    assert (row["path"], row["width"], row["height"]) == ("cats/0.png", 33, 44)


def test_a_change_that_keeps_size_and_date_needs_rescan(
    pets: Path, cache: Cache, make_picture: MakePicture
) -> None:
    file = pets / "cats" / "0.png"
    before = file.stat()
    original = file.read_bytes()
    scan(open_catalog(pets), cache=cache)
    file.write_bytes(original[:-1] + b"!")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    trusted = scan(open_catalog(pets), cache=cache)
    distrusted = scan(open_catalog(pets), cache=cache, rescan=True)
    assert trusted.frame["content"][0] != distrusted.frame["content"][0]


def test_a_moved_folder_is_known_by_content(pets: Path, cache: Cache, tmp_path: Path) -> None:
    scan(open_catalog(pets), consumers=[PixelConsumer(32)], cache=cache)
    shutil.move(pets, tmp_path / "moved")
    scanned = scan(open_catalog(tmp_path / "moved"), consumers=[PixelConsumer(32)], cache=cache)
    assert scanned.decoded == 0
    assert scanned.pixels(32).any(axis=(1, 2, 3)).all()


def test_an_interrupt_keeps_what_was_read(
    pets: Path, cache: Cache, make_picture: MakePicture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(200):
        make_picture(pets / "cats" / f"more-{number}.png", size=(40, 40), seed=100 + number)

    with pytest.raises(KeyboardInterrupt):
        scan(open_catalog(pets), cache=cache, progress=Recorder(interrupt_at=61))
    rest = scan(open_catalog(pets), cache=cache)
    assert 0 < rest.decoded <= 208 - 60


def test_workers_do_not_change_the_answer(pets: Path) -> None:
    one = scan(open_catalog(pets), consumers=[PixelConsumer(32)], workers=1)
    four = scan(open_catalog(pets), consumers=[PixelConsumer(32)], workers=4)
    assert one.frame.equals(four.frame)
    np.testing.assert_array_equal(one.pixels(32), four.pixels(32))


def test_real_photos_scan(small_photos: Path) -> None:
    scanned = scan(open_catalog(small_photos))
    assert scanned.frame["error"].is_null().all()
    assert set(scanned.frame["format"]) == {"JPEG"}
    assert scanned.frame["dhash"].n_unique() > 40


def test_a_change_that_keeps_size_and_date_never_mixes_two_contents(
    pets: Path, cache: Cache, make_picture: MakePicture
) -> None:
    """A file that is read anyway, for a new size, is seen to be another one for every size."""
    file = pets / "cats" / "0.bmp"
    make_picture(file, size=(80, 80), seed=50)
    before = file.stat()
    scan(open_catalog(pets), consumers=[PixelConsumer(32)], cache=cache)
    other = make_picture(pets / "other.bmp", size=(80, 80), seed=51).read_bytes()
    (pets / "other.bmp").unlink()
    file.write_bytes(other)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    scanned = scan(
        open_catalog(pets), consumers=[PixelConsumer(32), PixelConsumer(16)], cache=cache
    )
    row = scanned.catalog.paths.index("cats/0.bmp")
    pixels = decoder.decode(other).pixels
    for size in (16, 32):
        np.testing.assert_array_equal(scanned.pixels(size)[row], resizing.resize(pixels, size))
    assert scanned.frame["brightness"][row] == pytest.approx(
        measure(decoder.decode(other))[0]["brightness"], abs=1e-3
    )
