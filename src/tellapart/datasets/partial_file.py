"""The part of a file that was downloaded so far, and a note of where it comes from."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from tellapart.core.errors import DownloadError


class PartialFile:
    """An unfinished file, locked by one process at a time.

    Bytes are only added at its end, or all discarded. It stays if the process is interrupted or
    killed, unless it is empty.

    Args:
        path: The unfinished file; ``PATH.json`` next to it says where it comes from.

    Attributes:
        path: The unfinished file.
        size: Its bytes.
        url: Where they come from; empty if unknown.
        validator: The strong ETag or the date that the server gave, for If-Range; or None.

    Raises:
        DownloadError: ``in_use``, on entering.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self.url = ""
        self.validator: str | None = None
        self._note = path.with_name(path.name + ".json")

    def __enter__(self) -> PartialFile:
        self._file = _open_locked(self.path)
        self.size = self._file.seek(0, os.SEEK_END)
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            note = json.loads(self._note.read_text(encoding="utf-8"))
            self.url, self.validator = str(note["url"]), note["validator"]
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        if not self.size and self.path.exists():
            self.path.unlink(missing_ok=True)
            self._note.unlink(missing_ok=True)

    def note_origin(self, url: str, headers: Mapping[str, str]) -> None:
        """Note where the bytes come from, and how the server recognizes the same file.

        A weak ETag does not promise equal bytes; the date is used instead (RFC 9110, 13.1.5).
        """
        etag = headers.get("ETag", "")
        self.url = url
        self.validator = etag if etag.startswith('"') else headers.get("Last-Modified")
        note = {"url": url, "validator": self.validator}
        self._note.write_text(json.dumps(note), encoding="utf-8")

    def write(self, chunk: bytes) -> None:
        """Add bytes at the end."""
        self._file.write(chunk)
        self.size += len(chunk)

    def flush(self) -> None:
        """Make everything visible to other readers of the file."""
        self._file.flush()

    def discard(self) -> None:
        """Delete the content; the file stays open and locked."""
        self._file.seek(0)
        self._file.truncate()
        self.size = 0
        self.url, self.validator = "", None
        self._note.unlink(missing_ok=True)

    def finish(self, target: Path) -> Path:
        """Give the complete file its name."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self.path.replace(target)
        self._note.unlink(missing_ok=True)
        return target


def _open_locked(path: Path) -> BinaryIO:
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
            # It can have been finished and renamed between opening and locking.
            if os.fstat(file.fileno()).st_ino == path.stat().st_ino:
                return file
        file.close()
