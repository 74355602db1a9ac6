from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tellapart.core.cache import Cache, cache_folder, cache_limit
from tellapart.core.errors import CacheError, SettingsError

WRITER = """
import sys
from pathlib import Path
from tellapart.core.cache import Cache
name, count = sys.argv[2], int(sys.argv[3])
with Cache(Path(sys.argv[1]), 10**9) as cache:
    print("ready", flush=True)
    for number in range(count):
        cache.put(name, {f"{name}-{number}-{part}": b"x" * 1000 for part in range(5)})
"""


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache", 10**9)


def writer(folder: Path, name: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), name, str(count)],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_values_come_back_by_kind_and_content(cache: Cache) -> None:
    cache.put("facts", {"a": b"1", "b": b"2"})
    cache.put("other", {"a": b"3"})
    assert cache.get("facts", ["a", "b", "c"]) == {"a": b"1", "b": b"2"}
    assert cache.get("other", ["a"]) == {"a": b"3"}


def test_thousands_of_keys_in_one_question(cache: Cache) -> None:
    values = {str(number): str(number).encode() for number in range(2500)}
    cache.put("facts", values)
    assert cache.get("facts", list(values)) == values


def test_a_changed_file_is_not_known(cache: Cache) -> None:
    identity = ("/pictures/a.jpg", 100, 5, 7)
    cache.remember([(identity, "content")])
    assert cache.contents([identity]) == ["content"]
    for changed in [
        ("/pictures/a.jpg", 101, 5, 7),
        ("/pictures/a.jpg", 100, 6, 7),
        ("/pictures/a.jpg", 100, 5, 8),
        ("/pictures/b.jpg", 100, 5, 7),
    ]:
        assert cache.contents([changed]) == [None]


def test_it_stays_under_its_limit_and_keeps_the_newest(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 2_000_000)
    for number in range(100):
        cache.put("pixels", {str(number): os.urandom(100_000)})
    assert cache.get("pixels", ["99"])
    assert not cache.get("pixels", ["0"])
    assert (tmp_path / "cache.sqlite").stat().st_size < 3_000_000


def test_info_counts_and_clear_empties(cache: Cache) -> None:
    cache.put("facts", {"a": b"12345"})
    info = cache.info()
    assert info.kinds == {"facts": (1, 5)}
    assert info.bytes > 0
    assert cache.clear() >= 0
    assert cache.info().kinds == {}


def test_clear_leaves_what_is_not_its_own(tmp_path: Path) -> None:
    thesis = tmp_path / "thesis" / "chapter-1.txt"
    thesis.parent.mkdir()
    thesis.write_text("years of work")
    (tmp_path / "photo.jpg").write_bytes(b"x" * 5_000_000)
    with Cache(tmp_path, 10**9) as cache:
        cache.graphs.mkdir()
        (cache.graphs / "net.onnx").write_bytes(b"x" * 10_000)
        assert cache.info().bytes < 1_000_000
        assert cache.clear() >= 10_000
        assert not cache.graphs.exists()
    assert thesis.read_text() == "years of work"
    assert (tmp_path / "photo.jpg").exists()


def test_inode_numbers_beyond_what_sqlite_holds(cache: Cache) -> None:
    identity = ("/pictures/a.jpg", 100, 5, 2**64 - 3)
    cache.remember([(identity, "content")])
    assert cache.contents([identity]) == ["content"]
    assert cache.contents([("/pictures/a.jpg", 100, 5, 7)]) == [None]


def test_two_processes_write_at_once(tmp_path: Path) -> None:
    writers = [writer(tmp_path, name, 40) for name in ("one", "two")]
    for process in writers:
        with process:
            assert process.wait(timeout=60) == 0
    with Cache(tmp_path, 10**9) as cache:
        assert cache.info().kinds == {"one": (200, 200_000), "two": (200, 200_000)}


def test_killed_at_any_moment_it_is_whole(tmp_path: Path) -> None:
    for delay in (0.0, 0.02, 0.05, 0.1):
        with writer(tmp_path, f"after-{delay}", 100_000) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
        with Cache(tmp_path, 10**9) as cache:
            kinds = cache.info().kinds
            for entries, size in (kinds[name] for name in kinds if name.startswith("after")):
                assert entries % 5 == 0, "a put is kept whole or not at all"
                assert size == entries * 1000
            cache.put("check", {"a": b"1"})
            assert cache.get("check", ["a"]) == {"a": b"1"}


def test_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "cache.sqlite").write_bytes(b"this is no database, sorry" * 200)
    with Cache(tmp_path, 10**9) as cache:
        cache.put("facts", {"a": b"1"})
        assert cache.get("facts", ["a"]) == {"a": b"1"}


def test_pages_that_are_damaged_are_named_and_can_be_cleared(tmp_path: Path) -> None:
    with Cache(tmp_path, 10**9) as cache:
        cache.put("facts", {f"{number:064d}": b"1" * 500 for number in range(400)})
    file = tmp_path / "cache.sqlite"
    content = bytearray(file.read_bytes())
    for place in range(3 * 4096, len(content), 1500):
        content[place] ^= 0xFF
    file.write_bytes(content)
    with Cache(tmp_path, 10**9) as cache:
        with pytest.raises(CacheError, match="cache clear") as caught:
            cache.info()
        assert caught.value.code == "damaged_cache"
        cache.clear()
        cache.put("facts", {"a": b"1"})
        assert cache.get("facts", ["a"]) == {"a": b"1"}


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(CacheError, match="TELLAPART_CACHE"):
        Cache(tmp_path / "cache", 10**9)


def test_the_environment_names_folder_and_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELLAPART_CACHE", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("TELLAPART_CACHE_LIMIT", "1.5 GB")
    assert cache_folder() == tmp_path / "elsewhere"
    assert cache_limit() == int(1.5 * 1024**3)
    monkeypatch.setenv("TELLAPART_CACHE_LIMIT", "plenty")
    with pytest.raises(SettingsError, match="500MB"):
        cache_limit()
