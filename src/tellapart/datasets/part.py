"""The part of a file that has come so far, and a note of where it came from."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from tellapart.core.errors import DownloadError


class Part:
    """A file on its way, held by one process at a time.

    Bytes are only ever added at its end, or all thrown away. It stays when the process is
    interrupted or killed, unless it is empty.

    Args:
        path: The unfinished file; ``PATH.json`` beside it says where it came from.

    Attributes:
        path: The unfinished file.
        size: Bytes that are there.
        validator: The strong ETag or the date that the server gave, for If-Range; or None.

    Raises:
        DownloadError: ``in_use``, on entering.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self.validator: str | None = None
        self._note = path.with_name(path.name + ".json")
        self._url = ""

    def __enter__(self) -> Part:
        self._file = _locked(self.path)
        self.size = self._file.seek(0, os.SEEK_END)
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            note = json.loads(self._note.read_text(encoding="utf-8"))
            self._url, self.validator = str(note["url"]), note["validator"]
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        if not self.size and self.path.exists():
            self._delete()

    def origin_is(self, url: str) -> bool:
        """Whether what is there came from this address."""
        return self._url == url

    def came_from(self, url: str, headers: Mapping[str, str]) -> None:
        """Note where the bytes come from, and what tells that the file there is still the same.

        A weak ETag promises no equal bytes, so that the date is taken instead (RFC 9110, 13.1.5).
        """
        etag = headers.get("ETag", "")
        self._url = url
        self.validator = etag if etag.startswith('"') else headers.get("Last-Modified")
        note = {"url": url, "validator": self.validator}
        self._note.write_text(json.dumps(note), encoding="utf-8")

    def write(self, chunk: bytes) -> None:
        """Add bytes at the end."""
        self._file.write(chunk)
        self.size += len(chunk)

    def flush(self) -> None:
        """Have everything on its way to the disk, so that others can read it."""
        self._file.flush()

    def discard(self) -> None:
        """Throw away what is there; the file stays open and locked."""
        self._file.seek(0)
        self._file.truncate()
        self.size = 0
        self._url, self.validator = "", None
        self._note.unlink(missing_ok=True)

    def finish(self, target: Path) -> Path:
        """Give the whole file its name."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self.path.replace(target)
        self._note.unlink(missing_ok=True)
        return target

    def _delete(self) -> None:
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)


def _locked(path: Path) -> BinaryIO:
    import fcntl

    while True:
        file = path.open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            raise DownloadError(
                f"Another process is downloading '{path.with_suffix('')}'.",
                remedy="Wait for it, or end it.",
                code="in_use",
            ) from error
        with contextlib.suppress(FileNotFoundError):
            # It may have been finished, and renamed, between opening and locking.
            if os.fstat(file.fileno()).st_ino == path.stat().st_ino:
                return file
        file.close()
