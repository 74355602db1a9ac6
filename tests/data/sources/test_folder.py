from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tellapart.core.errors import PictureError, SourceError
from tellapart.data.catalog import open_catalog
from tellapart.data.sources import base
from tellapart.data.sources.base import Member
from tellapart.data.sources.folder import FolderStore, read_file

Write = Callable[[Mapping[str, bytes]], Path]


def names(store: FolderStore) -> list[str]:
    return sorted(member.name for member in store.listing().members)


def test_lists_and_reads_every_file(folder: Write) -> None:
    store = FolderStore(str(folder({"a/1.jpg": b"one", "a/b/c/2.png": b"", "3.gif": b"three"})))
    assert names(store) == ["3.gif", "a/1.jpg", "a/b/c/2.png"]
    contents = {member.name: store.read(member) for member in store.listing().members}
    assert contents == {"a/1.jpg": b"one", "a/b/c/2.png": b"", "3.gif": b"three"}


def test_hidden_files_and_leftovers_are_counted(folder: Write) -> None:
    root = folder({"a/1.jpg": b"x", "a/.2.jpg": b"x", ".git/config": b"x", "__MACOSX/a/1": b"x"})
    folder({"a/Thumbs.db": b"x", "a/.ipynb_checkpoints/1.jpg": b"x"})
    listing = FolderStore(str(root)).listing()
    assert [member.name for member in listing.members] == ["a/1.jpg"]
    assert listing.passed_over == {"hidden": 2, "system leftovers": 3}


def test_links_are_followed_and_loops_are_not(folder: Write, tmp_path: Path) -> None:
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (outside / "far.jpg").write_bytes(b"far")
    root = folder({"a/1.jpg": b"one"})
    (root / "a/loop").symlink_to(root)
    (root / "a/up").symlink_to(tmp_path)
    (root / "a/top").symlink_to("/")
    (root / "a/self").symlink_to("self")
    (root / "a/near.jpg").symlink_to("1.jpg")
    (root / "a/far.jpg").symlink_to(outside / "far.jpg")
    (root / "b").symlink_to(outside)
    store = FolderStore(str(root))
    listing = store.listing()
    assert sorted(m.name for m in listing.members) == [
        "a/1.jpg", "a/far.jpg", "a/near.jpg", "a/self", "b/far.jpg",
    ]  # fmt: skip
    assert listing.passed_over["links that lead back to a folder above them"] == 3
    assert listing.noted["links to files outside the folder"] == 1
    by_name = {member.name: member for member in listing.members}
    assert "leads nowhere" in by_name["a/self"].fault
    assert store.read(by_name["a/far.jpg"]) == b"far"


def test_two_folders_that_link_to_each_other_end(folder: Write) -> None:
    root = folder({"a/1.jpg": b"one", "b/1.jpg": b"two"})
    (root / "a/b").symlink_to(root / "b")
    (root / "b/a").symlink_to(root / "a")
    assert names(FolderStore(str(root))) == ["a/1.jpg", "a/b/1.jpg", "b/1.jpg", "b/a/1.jpg"]


def test_a_tree_without_end_is_refused(folder: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tellapart.data.sources.folder.MAX_MEMBERS", 50)
    root = folder({f"{i}/1.jpg": b"x" for i in range(10)})
    for i in range(9):
        for j in range(3):
            (root / f"{i}/{j}").symlink_to(root / str(i + 1))
    with pytest.raises(SourceError, match="links") as caught:
        FolderStore(str(root)).listing()
    assert caught.value.code == "too_many_files"


def test_pipes_are_never_opened(folder: Write) -> None:
    root = folder({"a/1.jpg": b"one"})
    os.mkfifo(root / "a/pipe.jpg")
    store = FolderStore(str(root))
    listing = store.listing()
    assert [member.name for member in listing.members] == ["a/1.jpg"]
    assert listing.passed_over["pipes, devices and sockets"] == 1
    with pytest.raises(PictureError, match="regular file"):  # took the place of a file later
        store.read(Member("a/pipe.jpg", 3))


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has no names that are not UTF-8")
def test_names_that_are_not_utf8_are_read(folder: Write) -> None:
    root = folder({"dogs/1.jpg": b"dog"})
    odd = os.fsencode(root) + b"/k\xe4tzchen"
    Path(os.fsdecode(odd)).mkdir()
    for name in (b"\xff\n.jpg", b"-rf", b"a\\b.jpg"):
        Path(os.fsdecode(odd + b"/" + name)).write_bytes(name)
    catalog = open_catalog(root)
    assert catalog.frame["path"].to_list() == [
        "dogs/1.jpg",
        r"k\xe4tzchen/-rf",
        r"k\xe4tzchen/\xff\n.jpg",
        r"k\xe4tzchen/a\\b.jpg",
    ]
    assert catalog.frame["path_bytes"].to_list() == [
        None,
        b"k\xe4tzchen/-rf",
        b"k\xe4tzchen/\xff\n.jpg",
        b"k\xe4tzchen/a\\b.jpg",
    ]
    assert catalog.classes == ("dogs", r"k\xe4tzchen")
    assert [catalog.source.read(row) for row in range(4)] == [
        b"dog", b"-rf", b"\xff\n.jpg", b"a\\b.jpg",
    ]  # fmt: skip
    catalog.source.identity(2)[0].encode()


def test_a_file_that_went_away_cannot_be_read(folder: Write) -> None:
    root = folder({"a/1.jpg": b"one", "b/1.jpg": b"two"})
    catalog = open_catalog(root)
    (root / "a/1.jpg").unlink()
    with pytest.raises(PictureError, match="no such file") as caught:
        catalog.source.read(0)
    assert caught.value.code == "unreadable"
    assert catalog.source.read(1) == b"two"


def test_a_file_that_grew_is_read_whole(folder: Write) -> None:
    root = folder({"a/1.jpg": b"one", "b/1.jpg": b"two"})
    catalog = open_catalog(root)
    (root / "a/1.jpg").write_bytes(b"x" * 100_000)
    assert catalog.source.read(0) == b"x" * 100_000


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_a_file_that_does_not_tell_its_size_is_read() -> None:
    assert b"Name:" in read_file("/proc/self/status", "status")


def test_a_huge_file_is_refused_unread(folder: Write) -> None:
    root = folder({"a/1.jpg": b"one", "b/1.jpg": b"two"})
    os.truncate(root / "a/1.jpg", base.MAX_BYTES + 1)
    catalog = open_catalog(root)
    with pytest.raises(PictureError) as caught:
        catalog.source.read(0)
    assert caught.value.code == "too_large"


def test_identity_changes_with_the_file(folder: Write) -> None:
    root = folder({"a/1.jpg": b"one", "b/1.jpg": b"two"})
    before = open_catalog(root).source.identity(0)
    assert before[:2] == (str(root / "a/1.jpg"), 3)
    os.utime(root / "a/1.jpg", ns=(1, 1))
    assert open_catalog(root).source.identity(0) != before


_AS_NOBODY = """
import os, sys, polars
sys.path[:0] = {path!r}
import tellapart.data.catalog as c
from tellapart.core.errors import PictureError, SourceError
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
{body}
"""


def as_nobody(body: str) -> str:
    """Run a script as a user who may not read everything (tests may run as root)."""
    script = _AS_NOBODY.format(path=sys.path, body=body)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A folder that every user may enter: pytest closes its own to others whenever it starts."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name) / "data"


def test_what_may_not_be_read(open_to_all: Path) -> None:
    root = open_to_all
    for name in ("a/1.jpg", "a/2.jpg", "b/1.jpg", "c/1.jpg"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    (root / "a/2.jpg").chmod(0)
    (root / "c").chmod(0)
    try:
        said = as_nobody(
            f"cat = c.open_catalog({str(root)!r})\n"
            "print(cat.frame['path'].to_list(), cat.passed_over)\n"
            "try: cat.source.read(1)\n"
            "except PictureError as e: print(e.code, e)\n"
        )
        assert "['a/1.jpg', 'a/2.jpg', 'b/1.jpg']" in said
        assert "'folders that may not be read': 1" in said
        assert "unreadable 'a/2.jpg' cannot be read: you may not read it." in said
        root.chmod(0)
        said = as_nobody(
            f"try: c.open_catalog({str(root)!r})\nexcept SourceError as e: print(e.code, e)\n"
        )
        assert said.startswith("not_readable You may not read the folder")
    finally:
        root.chmod(0o755)
        (root / "c").chmod(0o755)
