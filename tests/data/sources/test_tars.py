from __future__ import annotations

import gzip
import io
import os
import tarfile
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tellapart.core.errors import PictureError, SourceError
from tellapart.data.catalog import open_catalog
from tellapart.data.sources import tars
from tellapart.data.sources.tars import TarStore

MakeTar = Callable[..., Path]


def refused(path: Path) -> SourceError:
    with pytest.raises(SourceError) as caught:
        open_catalog(path)
    assert path.name in str(caught.value)
    return caught.value


@pytest.mark.parametrize("name", ["pets.tar", "pets.tar.gz", "pets.tgz"])
def test_members_are_read_in_place(pets: dict[str, bytes], make_tar: MakeTar, name: str) -> None:
    catalog = open_catalog(make_tar(pets, name))
    assert catalog.frame["path"].to_list() == [f"{name}!/{member}" for member in sorted(pets)]
    assert [catalog.source.read(row) for row in range(3)] == [pets[key] for key in sorted(pets)]


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_all_forms_of_tar_are_read(tmp_path: Path, form: int) -> None:
    long = "a/" + "/".join(["deeper" * 5] * 5) + "/Käthe 猫.jpg"
    with tarfile.open(tmp_path / "x.tar", "w", format=form) as archive:
        for name in ("./" + long, "./b/1.jpg"):
            info = tarfile.TarInfo(name)
            info.size = 3
            archive.addfile(info, io.BytesIO(b"abc"))
    catalog = open_catalog(tmp_path / "x.tar")
    assert catalog.frame["path"].to_list() == [f"x.tar!/{long}", "x.tar!/b/1.jpg"]
    assert catalog.source.read(0) == b"abc"


def test_the_content_tells_the_kind_not_the_ending(
    pets: dict[str, bytes], make_tar: MakeTar, tmp_path: Path
) -> None:
    renamed = make_tar(pets, "pets.tgz").rename(tmp_path / "download")
    assert len(open_catalog(renamed)) == 3


def test_many_threads_read_at_once(make_tar: MakeTar) -> None:
    files = {f"{i % 3}/{i}.jpg": bytes([i % 256]) * (i * 37 % 5000) for i in range(300)}
    catalog = open_catalog(make_tar(files, "many.tar.gz"))
    paths = [path.removeprefix("many.tar.gz!/") for path in catalog.frame["path"]]
    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(catalog.source.read, range(len(catalog))))
    assert read == [files[path] for path in paths]


def add(path: Path, **facts: object) -> None:
    info = tarfile.TarInfo()
    for key, value in facts.items():
        setattr(info, key, value)
    with tarfile.open(path, "a") as archive:
        archive.addfile(info, io.BytesIO(bytes(info.size)))


def test_links_devices_and_unsafe_names(pets: dict[str, bytes], make_tar: MakeTar) -> None:
    path = make_tar(pets)
    add(path, name="cats/hard.jpg", type=tarfile.LNKTYPE, linkname="./cats/1.jpg")
    add(path, name="cats/lost.jpg", type=tarfile.LNKTYPE, linkname="nowhere")
    add(path, name="cats/soft.jpg", type=tarfile.SYMTYPE, linkname="/etc/passwd")
    add(path, name="cats/pipe.jpg", type=tarfile.FIFOTYPE)
    add(path, name="cats/null.jpg", type=tarfile.CHRTYPE)
    add(path, name="../../evil.jpg", size=4)
    add(path, name="/abs.jpg", size=4)
    catalog = open_catalog(path)
    assert catalog.frame["path"].to_list()[2] == "pets.tar!/cats/hard.jpg"
    assert catalog.source.read(2) == b"cat one"
    assert len(catalog) == 4
    assert catalog.passed_over["links inside the archive"] == 2
    assert catalog.passed_over["pipes, devices and sockets"] == 2
    assert catalog.passed_over["names that lead out of the archive (../../evil.jpg, /abs.jpg)"] == 2


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "x.tar", "w", format=tarfile.GNU_FORMAT) as archive:
        for name in ("a\udcff/1\n.jpg", "b/1.jpg"):
            info = tarfile.TarInfo(name)
            info.size = 1
            archive.addfile(info, io.BytesIO(b"x"))
    catalog = open_catalog(tmp_path / "x.tar")
    assert catalog.frame["path"][0] == r"x.tar!/a\xff/1\n.jpg"
    assert catalog.frame["path_bytes"].to_list() == [b"x.tar!/a\xff/1\n.jpg", None]


@pytest.mark.parametrize("name", ["pets.tar", "pets.tar.gz"])
@pytest.mark.parametrize("keep", [0.02, 0.5, 0.97])
def test_a_truncated_tar_is_refused(make_tar: MakeTar, name: str, keep: float) -> None:
    path = make_tar({f"{i % 2}/{i}.jpg": os.urandom(3000) for i in range(30)}, name)
    data = path.read_bytes()
    end = len(data.rstrip(b"\0")) if name.endswith("tar") else len(data)
    path.write_bytes(data[: int(end * keep)])
    assert refused(path).code == "damaged_archive"


def test_a_tar_cut_between_two_members_is_refused(make_tar: MakeTar) -> None:
    path = make_tar({"a/1.jpg": b"x", "b/1.jpg": b"y"})
    path.write_bytes(path.read_bytes()[:1024])
    assert "end mark" in refused(path).message


def test_a_broken_header_in_the_middle_is_refused(make_tar: MakeTar) -> None:
    path = make_tar({"a/1.jpg": b"x", "b/1.jpg": b"y", "c/1.jpg": b"z"})
    data = bytearray(path.read_bytes())
    data[1024 + 148] ^= 0x55  # the checksum of the second header
    path.write_bytes(data)
    assert refused(path).code == "damaged_archive"


def test_a_bomb_is_stopped_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tars, "FREE_SPOOLED", 1 << 20)
    path = tmp_path / "bomb.tgz"
    with tarfile.open(path, "w:gz") as archive:
        info = tarfile.TarInfo("a/1.jpg")
        info.size = 50_000_000
        archive.addfile(info, io.BytesIO(bytes(info.size)))
    error = refused(path)
    assert error.code == "archive_bomb"
    assert "inflates" in error.message


def test_the_temporary_file_has_no_name(
    pets: dict[str, bytes], make_tar: MakeTar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(spool))
    catalog = open_catalog(make_tar(pets, "pets.tgz"))
    assert catalog.source.read(0) == b"cat one"
    assert not list(spool.iterdir())


def test_no_room_for_the_temporary_file(
    pets: dict[str, bytes], make_tar: MakeTar, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tars, "_inflate", full)
    error = refused(make_tar(pets, "pets.tgz"))
    assert error.code == "no_room"
    assert "TMPDIR" in error.remedy


def test_compressed_but_no_tar(tmp_path: Path) -> None:
    path = tmp_path / "digits-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(b"\0\0\x08\x03" + os.urandom(4000)))
    assert refused(path).code == "not_an_archive"


def test_a_negative_size_does_not_loop(tmp_path: Path) -> None:
    info = tarfile.TarInfo("a/1.jpg")
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[124:136] = b"\xff" * 10 + b"\xfc\x00"  # -1024 in base 256
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    path = tmp_path / "loop.tar"
    path.write_bytes(bytes(header) * 3 + bytes(1024))
    assert refused(path).code == "damaged_archive"


def test_a_header_of_megabytes_is_refused(tmp_path: Path) -> None:
    info = tarfile.TarInfo("././@LongLink")
    info.type = tarfile.GNUTYPE_LONGNAME
    info.size = 100 << 20
    path = tmp_path / "long.tar"
    path.write_bytes(info.tobuf(tarfile.GNU_FORMAT))
    os.truncate(path, 101 << 20)
    assert refused(path).code == "damaged_archive"


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_flipped_byte_is_refused_or_read(
    pets: dict[str, bytes], make_tar: MakeTar, data: st.DataObject
) -> None:
    path = make_tar(pets)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, 3100))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        store = TarStore(str(path), compressed=False)
        for member in store.listing().members:
            try:
                store.read(member)
            except PictureError as error:
                assert error.code == "unreadable"
    except SourceError:
        pass
