"""Archives that are made to harm are refused whole, and nothing is left behind."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest

from tellapart.core.errors import SourceError
from tellapart.datasets import unpacking
from tellapart.datasets.unpacking import unpack

GOOD = {"horses/1.png": b"one", "horses/deep/2.png": b"two", "humans/1.png": b"three"}


def pack(path: Path, files: dict[str, bytes], *links: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        for name in links:
            info = zipfile.ZipInfo(name)
            info.create_system = 3
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, "/etc/passwd")
    return path


def refused(archive: Path, *, most_files: int = 99, most_bytes: int = 10_000) -> str:
    before = sorted(archive.parent.rglob("*"))
    with pytest.raises(SourceError) as caught:
        unpack(archive, archive.parent / "out", most_files=most_files, most_bytes=most_bytes)
    assert sorted(archive.parent.rglob("*")) == before
    return caught.value.message


def test_files_come_out_as_they_are(tmp_path: Path) -> None:
    leftovers = {"__MACOSX/horses/1.png": b"x", "horses/.DS_Store": b"x", "horses/Thumbs.db": b""}
    archive = pack(tmp_path / "a.zip", {**GOOD, **leftovers})
    out = tmp_path / "new" / "out"
    assert unpack(archive, out, most_files=3, most_bytes=11) == 3
    there = {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file()}
    assert there == GOOD
    assert list(out.parent.iterdir()) == [out]
    assert stat.S_IMODE(out.stat().st_mode) == 0o755


@pytest.mark.parametrize(
    "name",
    ["../out.png", "horses/../../out.png", "/tmp/out.png", "C:/out.png", "..\\out.png"],
)
def test_names_that_lead_out(tmp_path: Path, name: str) -> None:
    assert "lead out" in refused(pack(tmp_path / "a.zip", {**GOOD, name: b"x"}))


def test_links(tmp_path: Path) -> None:
    assert "links" in refused(pack(tmp_path / "a.zip", GOOD, "horses/passwd"))


def test_a_link_and_a_file_behind_it(tmp_path: Path) -> None:
    archive = pack(tmp_path / "a.zip", {}, "horses")
    with zipfile.ZipFile(archive, "a") as more:
        more.writestr("horses/1.png", b"x")
    assert "links" in refused(archive)


def test_too_many_files(tmp_path: Path) -> None:
    assert "more than 2 files" in refused(pack(tmp_path / "a.zip", GOOD), most_files=2)


def test_too_many_bytes(tmp_path: Path) -> None:
    bomb = pack(tmp_path / "a.zip", {"horses/1.png": bytes(100_000)})
    assert bomb.stat().st_size < 1000
    assert "unpacked" in refused(bomb)


def test_a_size_that_lies(tmp_path: Path) -> None:
    archive = pack(tmp_path / "a.zip", {"horses/1.png": bytes(5_000)})
    data = archive.read_bytes()
    assert data.count((5_000).to_bytes(4, "little")) == 2
    archive.write_bytes(data.replace((5_000).to_bytes(4, "little"), (50).to_bytes(4, "little")))
    assert "another size" in refused(archive, most_bytes=100)


def test_one_place_for_two_members(tmp_path: Path) -> None:
    assert "same place" in refused(pack(tmp_path / "a.zip", {"a": b"x", "a/1.png": b"x"}))
    with pytest.warns(UserWarning, match="Duplicate"):
        twice = pack(tmp_path / "b.zip", {"a/1.png": b"x"})
        with zipfile.ZipFile(twice, "a") as archive:
            archive.writestr("a/1.png", b"y")
    assert "replaced by a later one" in refused(twice)


def test_a_member_that_is_damaged(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("horses/1.png", b"the content")
    archive.write_bytes(archive.read_bytes().replace(b"the content", b"the c0ntent"))
    assert "checksum" in refused(archive)


def test_what_is_interrupted_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = pack(tmp_path / "a.zip", GOOD)
    read = unpacking.ZipStore.read
    calls = []

    def interrupted(self: unpacking.ZipStore, member: object) -> bytes:
        calls.append(member)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return read(self, member)  # type: ignore[arg-type]

    monkeypatch.setattr(unpacking.ZipStore, "read", interrupted)
    with pytest.raises(KeyboardInterrupt):
        unpack(archive, tmp_path / "out", most_files=9, most_bytes=99)
    assert list(tmp_path.iterdir()) == [archive]
