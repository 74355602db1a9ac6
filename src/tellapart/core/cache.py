"""Content-addressed cache, shared between processes, with a size limit.

It is one SQLite file in the user's cache folder (``TELLAPART_CACHE`` overrides the folder,
``TELLAPART_CACHE_LIMIT`` the size). Transactions keep it consistent if a process is killed, locks
let processes share it, and the write-ahead log makes both fast.

There are two tables: *identities* map a file (path, size, modification time, inode) to the hash of
its content, and *values* map a kind and a content hash to bytes.

Example:
    >>> cache = Cache.open()  # doctest: +SKIP
    >>> cache.put("facts/1", {"9f86d0…": b"…"})  # doctest: +SKIP
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tellapart.core.errors import CacheError, SettingsError

Identity = tuple[str, int, int, int]  # path, bytes, mtime_ns, inode

DAMAGED = "damaged_cache"
DEFAULT_LIMIT = 5 * 1024**3
_DATABASE = "cache.sqlite"
_GRAPHS = "graphs"
_SCHEMA = 1
_CHUNK = 500  # keys per query; SQLite's old limit of variables is 999
_DAY = 86_400
_LARGEST = 2**63 - 1  # SQLite's integers; some file systems have larger inode numbers
_DAMAGES = ("malformed", "not a database", "encrypted", "corrupt", "Could not decode")
_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
_TABLES = """
CREATE TABLE IF NOT EXISTS identities (
    path TEXT PRIMARY KEY, size INTEGER, mtime_ns INTEGER, inode INTEGER,
    content TEXT NOT NULL, used INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS content_values (
    kind TEXT NOT NULL, content TEXT NOT NULL, value BLOB NOT NULL, used INTEGER NOT NULL,
    UNIQUE (kind, content)
);
CREATE INDEX IF NOT EXISTS oldest ON content_values (used);
"""


@dataclass(frozen=True, slots=True)
class CacheInfo:
    """Folder, size and size limit of the cache, and entries and bytes of each kind."""

    folder: Path
    bytes: int
    limit: int
    kinds: Mapping[str, tuple[int, int]]


def cache_folder() -> Path:
    """The cache folder: ``TELLAPART_CACHE``, or the user's cache folder of the system."""
    chosen = os.environ.get("TELLAPART_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("tellapart", appauthor=False))


def cache_limit() -> int:
    """The cache's size limit in bytes: ``TELLAPART_CACHE_LIMIT`` such as ``2GB``, or 5 GiB.

    Raises:
        SettingsError: If the variable is not a number with an optional unit.
    """
    text = os.environ.get("TELLAPART_CACHE_LIMIT", "").strip()
    if not text:
        return DEFAULT_LIMIT
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:I?B)?", text, re.IGNORECASE)
    if match is None:
        raise SettingsError(
            f"TELLAPART_CACHE_LIMIT is {text!r}, which is not a size.",
            remedy="Write a number with a unit, such as 500MB or 5GB.",
        )
    return int(float(match[1]) * _UNITS[match[2].upper()])


class Cache:
    """An open cache. Safe to use from several threads and several processes.

    Args:
        folder: The folder of the file; created if missing.
        limit: Size in bytes above which the least recently used values are removed.

    Raises:
        CacheError: If the folder cannot be created or written.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder = folder
        self.limit = limit
        self._lock = threading.RLock()
        with _explained(folder):
            folder.mkdir(parents=True, exist_ok=True)
            try:
                self._connection = _connect(folder / _DATABASE)
            except sqlite3.DatabaseError as error:
                if not _is_damaged(error):
                    raise
                self._connection = _new_database(folder)

    @property
    def graphs(self) -> Path:
        """The folder of converted networks, next to the database."""
        return self.folder / _GRAPHS

    @classmethod
    def open(cls) -> Cache:
        """Open the user's cache: :func:`cache_folder` with :func:`cache_limit`."""
        return cls(cache_folder(), cache_limit())

    def close(self) -> None:
        """Close the file; all writes are already committed."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Cache:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def contents(self, identities: Sequence[Identity]) -> list[str | None]:
        """The content hash of each file; None if the file is unknown or changed."""
        known: dict[str, tuple[int, int, int, str]] = {}
        paths = [identity[0] for identity in identities]
        with self._lock, _explained(self.folder):
            for chunk in _chunks(paths):
                rows = self._connection.execute(
                    "SELECT path, size, mtime_ns, inode, content FROM identities "
                    f"WHERE path IN ({_placeholders(chunk)})",
                    chunk,
                )
                known.update((row[0], row[1:]) for row in rows)
        answers: list[str | None] = []
        for path, size, mtime_ns, inode in identities:
            row = known.get(path)
            same = row is not None and row[:3] == (size, mtime_ns, inode & _LARGEST)
            answers.append(row[3] if row is not None and same else None)
        return answers

    def remember(self, contents: Iterable[tuple[Identity, str]]) -> None:
        """Store the content hash of each file."""
        now = int(time.time())
        rows = [
            (path, size, mtime_ns, inode & _LARGEST, content, now)
            for (path, size, mtime_ns, inode), content in contents
        ]
        with self._writing() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO identities VALUES (?, ?, ?, ?, ?, ?)", rows
            )

    def get(self, kind: str, contents: Sequence[str]) -> dict[str, bytes]:
        """The stored values of one kind, by content hash."""
        found: dict[str, bytes] = {}
        stale: list[str] = []
        now = int(time.time())
        with self._lock, _explained(self.folder):
            for chunk in _chunks(contents):
                rows = self._connection.execute(
                    "SELECT content, value, used FROM content_values "
                    f"WHERE kind = ? AND content IN ({_placeholders(chunk)})",
                    [kind, *chunk],
                )
                for content, value, used in rows:
                    found[content] = value
                    if used < now - _DAY:
                        stale.append(content)
        if stale:
            with self._writing() as connection:
                connection.executemany(
                    "UPDATE content_values SET used = ? WHERE kind = ? AND content = ?",
                    [(now, kind, content) for content in stale],
                )
        return found

    def put(self, kind: str, values: Mapping[str, bytes]) -> None:
        """Store values of one kind, all of them or none.

        Raises:
            CacheError: If the disk is full; the cache is then unchanged.
        """
        now = int(time.time())
        rows = [(kind, content, value, now) for content, value in values.items()]
        with self._writing() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO content_values VALUES (?, ?, ?, ?)", rows
            )
            self._shrink(connection)

    def info(self) -> CacheInfo:
        """The size of the cache, by kind."""
        with self._lock, _explained(self.folder):
            rows = self._connection.execute(
                "SELECT kind, COUNT(*), SUM(LENGTH(value)) FROM content_values GROUP BY kind"
            ).fetchall()
        kinds = {kind: (count, size) for kind, count, size in rows}
        return CacheInfo(self.folder, self._bytes(), self.limit, kinds)

    def clear(self) -> int:
        """Remove everything, and return the number of bytes freed.

        Other files in the folder are not ours, and stay.
        """
        with self._lock, _explained(self.folder):
            before = self._bytes()
            try:
                with self._writing() as connection:
                    connection.execute("DELETE FROM content_values")
                    connection.execute("DELETE FROM identities")
                self._connection.execute("VACUUM")
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            except CacheError as error:
                if error.code != DAMAGED:
                    raise
                self._remake()
            except sqlite3.DatabaseError as error:
                if not _is_damaged(error):
                    raise
                self._remake()
            if self.graphs.is_dir():
                shutil.rmtree(self.graphs)
            return before - self._bytes()

    def _remake(self) -> None:
        self._connection.close()
        self._connection = _new_database(self.folder)

    def _bytes(self) -> int:
        return sum(file.stat().st_size for file in self._files())

    def _files(self) -> list[Path]:
        found = [*self.folder.glob(f"{_DATABASE}*"), *self.graphs.rglob("*")]
        return [file for file in found if file.is_file()]

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is written, or nothing."""
        with self._lock, _explained(self.folder):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # a full disk has rolled back already
                    self._connection.execute("ROLLBACK")
                raise

    def _shrink(self, connection: sqlite3.Connection) -> None:
        """Remove the least recently used values until a tenth of the limit is free."""
        used = _used_bytes(connection)
        if used <= self.limit:
            return
        excess = used - int(self.limit * 0.9)
        oldest: list[tuple[int]] = []
        rows = connection.execute(
            "SELECT rowid, LENGTH(value) FROM content_values ORDER BY used, rowid"
        )
        for rowid, size in rows:
            if excess <= 0:
                break
            oldest.append((rowid,))
            excess -= size
        connection.executemany("DELETE FROM content_values WHERE rowid = ?", oldest)
        if excess > 0:
            connection.execute("DELETE FROM identities")
        connection.execute("PRAGMA incremental_vacuum").fetchall()


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA journal_size_limit = 67108864")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version not in (0, _SCHEMA):
        connection.close()
        raise sqlite3.DatabaseError("malformed: written by another version")
    connection.executescript(_TABLES)
    connection.execute(f"PRAGMA user_version = {_SCHEMA}")
    return connection


def _new_database(folder: Path) -> sqlite3.Connection:
    """Replace a damaged database by an empty one."""
    for leftover in folder.glob(f"{_DATABASE}*"):
        leftover.unlink(missing_ok=True)
    return _connect(folder / _DATABASE)


def _used_bytes(connection: sqlite3.Connection) -> int:
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def _is_damaged(error: sqlite3.DatabaseError) -> bool:
    return any(word in str(error) for word in _DAMAGES)


@contextlib.contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Raise failures of SQLite and of the file system as :class:`CacheError`."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        full = "full" in reason or getattr(error, "errno", None) == 28
        if full or "disk I/O" in reason:
            raise CacheError(
                f"The disk that holds the cache ({folder}) is full.",
                remedy="Free some space, run 'tellapart cache clear', or point "
                "TELLAPART_CACHE at another disk.",
                code="disk_full",
            ) from error
        if isinstance(error, sqlite3.DatabaseError) and _is_damaged(error):
            raise CacheError(
                f"The cache in {folder} is damaged: {reason}.",
                remedy="Run 'tellapart cache clear', and the same command again.",
                code=DAMAGED,
            ) from error
        raise CacheError(
            f"The cache in {folder} cannot be used: {reason}.",
            remedy="Check its permissions, or point TELLAPART_CACHE at another folder.",
        ) from error


def _chunks(items: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(items), _CHUNK):
        yield list(items[start : start + _CHUNK])


def _placeholders(items: Sequence[str]) -> str:
    return ",".join("?" * len(items))
