from __future__ import annotations

import io
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tellapart.core.errors import PictureError, SourceError
from tellapart.data.catalog import open_catalog
from tellapart.data.sources import base
from tellapart.data.sources.zips import ZipStore

MakeZip = Callable[..., Path]

member_names = st.from_regex(r"[a-zäß猫]{1,9}(/[a-z0-9]{1,9}){0,3}\.jpg", fullmatch=True)


def contents(path: Path) -> dict[str, bytes]:
    store = ZipStore(str(path))
    return {member.name: store.read(member) for member in store.listing().members}


def refused(path: Path) -> SourceError:
    with pytest.raises(SourceError) as caught:
        ZipStore(str(path)).listing()
    assert path.name in str(caught.value)
    return caught.value


def test_members_are_read_in_place(pets: dict[str, bytes], make_zip: MakeZip) -> None:
    path = make_zip(pets)
    before = sorted(path.parent.iterdir())
    catalog = open_catalog(path)
    assert catalog.frame["path"].to_list() == [f"pets.zip!/{name}" for name in sorted(pets)]
    assert [catalog.source.read(row) for row in range(3)] == [pets[name] for name in sorted(pets)]
    assert catalog.source.identity(0)[:2] == (f"{path}!/cats/1.jpg", 7)
    assert catalog.source.name == "pets.zip"
    assert sorted(path.parent.iterdir()) == before


def test_many_threads_read_at_once(make_zip: MakeZip) -> None:
    files = {f"{i % 3}/{i}.jpg": bytes([i % 256]) * (i * 37 % 5000) for i in range(400)}
    catalog = open_catalog(make_zip(files))
    paths = [path.removeprefix("pets.zip!/") for path in catalog.frame["path"]]
    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(catalog.source.read, range(len(catalog))))
    assert read == [files[path] for path in paths]


def test_a_closed_archive_says_so(pets: dict[str, bytes], make_zip: MakeZip) -> None:
    catalog = open_catalog(make_zip(pets))
    catalog.source.close()
    with pytest.raises(PictureError, match="closed"):
        catalog.source.read(0)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    files=st.dictionaries(member_names, st.binary(max_size=300), max_size=8),
    method=st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]),
    prefix=st.binary(max_size=40),
    comment=st.binary(max_size=40),
)  # fmt: skip
def test_reads_what_zipfile_writes(
    tmp_path: Path, files: dict[str, bytes], method: int, prefix: bytes, comment: bytes
) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.comment = comment.replace(b"PK", b"  ")
        for name, content in files.items():
            archive.writestr(name, content)
    path = tmp_path / "any.zip"
    path.write_bytes(prefix + buffer.getvalue())
    assert contents(path) == files


def test_zip64_and_data_descriptors_are_read(tmp_path: Path) -> None:
    class Unseekable(io.RawIOBase):
        def __init__(self) -> None:
            self.data = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]
            self.data += data
            return len(data)

    target = Unseekable()
    with (
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a/1.jpg", "w", force_zip64=True) as member,
    ):
        member.write(b"content")
    (tmp_path / "streamed.zip").write_bytes(target.data)
    assert contents(tmp_path / "streamed.zip") == {"a/1.jpg": b"content"}


def test_sixty_four_bit_fields_are_read(
    pets: dict[str, bytes], make_zip: MakeZip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 5)  # now zipfile writes them for small files
    path = make_zip(pets)
    assert b"PK\x06\x07" in path.read_bytes()
    assert contents(path) == pets
    data = path.read_bytes()
    central = data.index(b"PK\x01\x02")
    path.write_bytes(
        data[:central] + data[central:].replace(b"\x01\x00\x18\x00", b"\x09\x00\x18\x00")
    )
    assert refused(path).code == "damaged_archive"


def test_one_piece_of_a_split_archive_is_refused(pets: dict[str, bytes], make_zip: MakeZip) -> None:
    path = make_zip(pets)
    data = bytearray(path.read_bytes())
    end = data.rindex(b"PK\x05\x06")
    data[end + 4 : end + 8] = b"\x02\x00\x02\x00"
    first = data.index(b"PK\x01\x02")
    data[first + 34 : first + 36] = b"\x01\x00"  # the number of the piece where it starts
    path.write_bytes(data)
    assert refused(path).code == "split_archive"


def test_the_unicode_path_of_info_zip_is_used(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        info = zipfile.ZipInfo("xx/1.jpg")
        name = "猫/1.jpg".encode()
        stored = b"\xb3\xb4/1.jpg"  # two box drawings in code page 437
        field = b"\x01" + struct.pack("<L", zlib.crc32(stored)) + name
        info.extra = struct.pack("<HH", 0x7075, len(field)) + field
        archive.writestr(info, b"cat")
    data = (tmp_path / "x.zip").read_bytes()
    (tmp_path / "x.zip").write_bytes(data.replace(b"xx/1.jpg", stored))
    assert contents(tmp_path / "x.zip") == {"猫/1.jpg": b"cat"}


@pytest.mark.parametrize("keep", [0.999, 0.5, 30])
def test_a_truncated_zip_is_refused(make_zip: MakeZip, keep: float) -> None:
    path = make_zip({f"a/{i}.jpg": bytes(range(256)) * 20 for i in range(20)})
    data = path.read_bytes()
    path.write_bytes(data[: int(keep if keep > 1 else len(data) * keep)])
    error = refused(path)
    assert error.code == "damaged_archive"
    assert "cut off" in error.message


def encrypt(path: Path) -> None:
    """Set the flag of encryption in every header, as an encrypting program does."""
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(signature)
        while at >= 0:
            data[at + offset] |= 1
            at = data.find(signature, at + 4)
    path.write_bytes(data)


def test_an_encrypted_zip_is_refused(pets: dict[str, bytes], make_zip: MakeZip) -> None:
    path = make_zip(pets)
    encrypt(path)
    error = refused(path)
    assert error.code == "encrypted_archive"
    assert "password" in error.remedy


def test_names_that_lead_out_are_passed_over(make_zip: MakeZip, tmp_path: Path) -> None:
    hostile = ["../../evil.jpg", "/etc/passwd", "a/../../b.jpg", "C:\\boot.jpg", "C:/x/boot.jpg"]
    hostile += ["..\\evil.jpg", "\\\\server\\x.jpg"]
    path = make_zip({"a/1.jpg": b"x", "b/1.jpg": b"y"} | dict.fromkeys(hostile, b"evil"))
    catalog = open_catalog(path)
    assert catalog.frame["path"].to_list() == ["pets.zip!/a/1.jpg", "pets.zip!/b/1.jpg"]
    reason = next(reason for reason in catalog.passed_over if "lead out" in reason)
    assert "../../evil.jpg" in reason
    assert catalog.passed_over[reason] == len(hostile)
    assert not (tmp_path.parent / "evil.jpg").exists()


def test_backslashes_of_windows_are_separators(make_zip: MakeZip) -> None:
    path = make_zip({"cats\\1.jpg": b"cat", "dogs\\1.jpg": b"dog"})
    assert open_catalog(path).classes == ("cats", "dogs")


def test_leftovers_links_and_inner_archives_are_counted(make_zip: MakeZip) -> None:
    path = make_zip({"a/1.jpg": b"x", "b/1.jpg": b"y", "__MACOSX/a/._1.jpg": b"z", "b/.x.jpg": b""})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("b/more.zip", b"PK\x05\x06")
        link = zipfile.ZipInfo("a/link.jpg")
        link.create_system = 3
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        pipe = zipfile.ZipInfo("a/pipe.jpg")
        pipe.create_system = 3
        pipe.external_attr = 0o010644 << 16
        archive.writestr(pipe, "")
    catalog = open_catalog(path)
    assert len(catalog) == 2
    assert catalog.passed_over == {
        "archives inside the data": 1,
        "hidden": 1,
        "links inside the archive": 1,
        "pipes, devices and sockets": 1,
        "system leftovers": 1,
    }


def test_the_later_of_two_members_of_one_name_counts(make_zip: MakeZip) -> None:
    path = make_zip({"a/1.jpg": b"old", "b/1.jpg": b"y"})
    with warnings.catch_warnings(), zipfile.ZipFile(path, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("a/1.jpg", b"new")
    catalog = open_catalog(path)
    assert catalog.source.read(0) == b"new"
    assert catalog.passed_over == {"archive members replaced by a later one": 1}


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("Käthe".encode(), "Käthe"),  # macOS: UTF-8 without the flag
        ("Käthe".encode("cp437"), "Käthe"),
        (b"\x1b[31m", r"\u001b[31m"),
    ],
)
def test_names_without_the_unicode_flag(make_zip: MakeZip, raw: bytes, shown: str) -> None:
    placeholder = "x" * len(raw)
    path = make_zip({f"{placeholder}/1.jpg": b"cat", "dogs/1.jpg": b"dog"})
    path.write_bytes(path.read_bytes().replace(placeholder.encode(), raw))
    assert set(open_catalog(path).classes) == {shown, "dogs"}


def test_a_wrong_unicode_flag_is_refused(make_zip: MakeZip) -> None:
    path = make_zip({"ä/1.jpg": b"cat", "dogs/1.jpg": b"dog"})
    path.write_bytes(path.read_bytes().replace("ä".encode(), b"\xff\xfe"))
    assert refused(path).code == "damaged_archive"


# ------------------------------------------------------------------ bombs and lies


def test_a_member_that_declares_too_much_is_refused_unread(
    make_zip: MakeZip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "MAX_BYTES", 1_000_000)
    catalog = open_catalog(make_zip({"a/1.jpg": bytes(5_000_000), "b/1.jpg": b"y"}))
    assert catalog.frame["bytes"].to_list() == [5_000_000, 1]
    with pytest.raises(PictureError) as caught:
        catalog.source.read(0)
    assert caught.value.code == "too_large"
    assert catalog.source.read(1) == b"y"


def test_a_member_that_inflates_beyond_its_size_is_stopped(make_zip: MakeZip) -> None:
    path = make_zip({"a/1.jpg": bytes(50_000_000), "b/1.jpg": b"y"})
    data = path.read_bytes().replace(struct.pack("<L", 50_000_000), struct.pack("<L", 10))
    path.write_bytes(data)
    catalog = open_catalog(path)
    with pytest.raises(PictureError, match="another size") as caught:
        catalog.source.read(0)
    assert caught.value.code == "unreadable"


def test_members_that_share_bytes_are_refused(tmp_path: Path) -> None:
    kernel = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = kernel.compress(bytes(1_000_000)) + kernel.flush()
    crc = zlib.crc32(bytes(1_000_000))
    local = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 8, 0, 0, crc, len(packed), 10**6, 1, 0)
    body = local + b"a" + packed
    central = b"".join(
        struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 8, 0, 0, crc, len(packed), 10**6,
                    len(name), 0, 0, 0, 0, 0, 0) + name
        for name in (f"{i}/{i}.jpg".encode() for i in range(200))
    )  # fmt: skip
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 200, 200, len(central), len(body), 0)
    path = tmp_path / "bomb.zip"
    path.write_bytes(body + central + end)
    assert refused(path).code == "archive_bomb"


def test_too_many_members_are_refused(make_zip: MakeZip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tellapart.data.sources.zips.MAX_MEMBERS", 10)
    error = refused(make_zip({f"a/{i}.jpg": b"x" for i in range(100)}))
    assert error.code == "archive_bomb"


def test_a_damaged_member_is_a_row_that_cannot_be_read(make_zip: MakeZip) -> None:
    path = make_zip({"a/1.jpg": bytes(range(256)), "b/1.jpg": b"unmistakable" * 3})
    data = bytearray(path.read_bytes())
    data[40] ^= 0xFF
    path.write_bytes(data)
    catalog = open_catalog(path)
    with pytest.raises(PictureError, match="damaged inside the archive"):
        catalog.source.read(0)
    assert catalog.source.read(1) == b"unmistakable" * 3


@pytest.mark.parametrize(
    ("method", "title"), [(zipfile.ZIP_BZIP2, "bzip2"), (zipfile.ZIP_LZMA, "LZMA")]
)
def test_an_unknown_compression_is_a_row_that_cannot_be_read(
    make_zip: MakeZip, method: int, title: str
) -> None:
    path = make_zip({"a/1.jpg": b"x"})
    with zipfile.ZipFile(path, "a", method) as archive:
        archive.writestr("b/1.jpg", b"y")
    catalog = open_catalog(path)
    assert catalog.source.read(0) == b"x"
    with pytest.raises(PictureError, match=title) as caught:
        catalog.source.read(1)
    assert caught.value.code == "unreadable"


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_flipped_byte_is_refused_or_read(
    pets: dict[str, bytes], make_zip: MakeZip, data: st.DataObject
) -> None:
    path = make_zip(pets)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        store = ZipStore(str(path))
        for member in store.listing().members:
            try:
                store.read(member)
            except PictureError as error:
                assert error.code in ("unreadable", "too_large")
    except SourceError:
        pass
