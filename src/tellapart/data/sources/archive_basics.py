"""Archives read in place: what zip and tar stores share, and the kind of an archive.

Nothing is ever extracted: a member's name is only shown, never used as a path on disk.
Still, names that would lead out of a folder are passed over and counted, because they
are a sign of an archive made to harm. Archives inside archives are not opened.
"""

from __future__ import annotations

import os
import re
import weakref
from typing import Literal

from tellapart.core.errors import SourceError
from tellapart.data.sources.base import Listing, Member, unreadable
from tellapart.data.sources.names import few, passing_reason, quote

ArchiveKind = Literal["zip", "tar", "tar.gz"]

_DRIVE = re.compile(r"^[A-Za-z]:")
_OTHER_ARCHIVES = {
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"Rar!\x1a\x07": "RAR",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "Zstandard",
}


def archive_kind(head: bytes, name: str) -> ArchiveKind | None:
    """The kind of archive, by the first 512 bytes of the file (the name helps for old tars).

    Raises:
        SourceError: It is an archive of a kind that is not read.
    """
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return "zip"
    if head.startswith(b"\x1f\x8b"):
        return "tar.gz"
    if head[257:262] == b"ustar" or (name.lower().endswith(".tar") and len(head) == 512):
        return "tar"
    for magic, title in _OTHER_ARCHIVES.items():
        if head.startswith(magic):
            raise SourceError(
                f"{quote(name)} is a {title} archive, which is not read.",
                remedy="Unpack it, or pack the pictures as .zip, .tar or .tar.gz.",
                code="unknown_archive",
            )
    return None


def read_head(path: str) -> bytes:
    """The first 512 bytes of a regular file (fewer if it is shorter)."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return os.read(handle, 512)
    finally:
        os.close(handle)


class Handle:
    """A file that many threads read at once, each at its own position (``pread``).

    Args:
        file: The path of the file, which is opened here, or an open file number to take over.
    """

    def __init__(self, file: str | int) -> None:
        opened = file if isinstance(file, int) else os.open(file, os.O_RDONLY | os.O_CLOEXEC)
        self.number = opened
        self.close = weakref.finalize(self, os.close, opened)
        self.size = os.fstat(opened).st_size

    def read(self, count: int, start: int) -> bytes:
        """``count`` bytes from ``start`` on, fewer only at the end of the file."""
        if not self.close.alive:
            raise OSError("the archive was closed")
        data = os.pread(self.number, count, start)
        if len(data) == count:
            return data
        chunks = [data]
        left = count - len(data)
        while left and chunks[-1]:  # a single read stops at about 2 GiB, or at a signal
            chunks.append(os.pread(self.number, left, start + count - left))
            left -= len(chunks[-1])
        return b"".join(chunks)

    def read_all(self, count: int, start: int, name: str) -> bytes:
        """Exactly ``count`` bytes from ``start`` on.

        Raises:
            PictureError: ``unreadable``, naming the member ``name``.
        """
        try:
            data = self.read(count, start)
        except OSError as error:
            raise unreadable(name, str(error)) from error
        if len(data) < count:
            raise unreadable(name, "the archive ends before it does")
        return data


class TooLong(Exception):
    """A header or a list of members is longer than any honest one."""


class BoundedReader:
    """An open file as ``zipfile`` and ``tarfile`` read headers from it.

    Args:
        handle: The file.
        most: Largest number of bytes for one read; beyond, :class:`TooLong` is raised.
    """

    def __init__(self, handle: Handle, most: int) -> None:
        self._handle = handle
        self._most = most
        self._position = 0

    def read(self, count: int = -1) -> bytes:
        """The next bytes; all that are left if ``count`` is negative."""
        left = max(0, self._handle.size - self._position)
        count = left if count < 0 else min(count, left)
        if count > self._most:
            raise TooLong
        data = self._handle.read(count, self._position)
        self._position += len(data)
        return data

    def tell(self) -> int:
        """The position."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Set the position, from the start or from the end of the file."""
        position = offset + (self._handle.size if whence == os.SEEK_END else 0)
        if position < 0:
            raise OSError("a header leads out of the file")
        self._position = position
        return position


def member_name(given: str) -> str | None:
    r"""A member's name as a relative path with ``/``, or None if it would lead out.

    Some Windows programs write ``cats\1.jpg``; a backslash is taken as a separator only
    if the name has no ``/``.

    Example:
        >>> member_name("./cats//1.jpg"), member_name("cats\\1.jpg"), member_name("../x.jpg")
        ('cats/1.jpg', 'cats/1.jpg', None)
    """
    name = given if "/" in given else given.replace("\\", "/")
    if name.startswith("/") or _DRIVE.match(name) or "\0" in name:
        return None
    steps = [step for step in name.split("/") if step not in ("", ".")]
    return None if ".." in steps else "/".join(steps)


class Gathering:
    """Turns the entries of an archive, one after the other, into a Listing."""

    def __init__(self) -> None:
        self._files: dict[str, Member] = {}
        self._folders: set[str] = set()
        self._hidden: set[str] = set()
        self._unsafe: list[str] = []
        self._listing = Listing()

    def name(self, given: str) -> str | None:
        """The entry's clean name, or None if it is passed over (and counted)."""
        name = member_name(given)
        if name is None:
            self._unsafe.append(given)
            return None
        if not name:
            return None  # the archive's own root, "./"
        path = ""
        for step in name.split("/"):
            path = f"{path}/{step}" if path else step
            if reason := passing_reason(step):
                if path not in self._hidden:
                    self._hidden.add(path)
                    self._listing.passed_over[reason] += 1
                return None
        return name

    def folder(self, name: str) -> None:
        """Take a folder."""
        self._folders.add(name)

    def file(self, member: Member) -> None:
        """Take a file; a later one of the same name replaces it, as unpacking would."""
        if member.name in self._files:
            self._listing.passed_over["archive members replaced by a later one"] += 1
        self._files[member.name] = member

    def find(self, name: str) -> Member | None:
        """The file of that name, if it was taken."""
        return self._files.get(name)

    def pass_over(self, reason: str) -> None:
        """Count an entry that is not taken."""
        self._listing.passed_over[reason] += 1

    def done(self) -> Listing:
        """The listing of everything taken."""
        listing = self._listing
        if self._unsafe:
            reason = f"names that lead out of the archive ({few(self._unsafe)})"
            listing.passed_over[reason] += len(self._unsafe)
        for name in self._files:
            while (name := name.rpartition("/")[0]) and name not in self._folders:
                self._folders.add(name)
        listing.members = list(self._files.values())
        listing.folders = list(self._folders)
        return listing


def damaged(path: str, why: str) -> SourceError:
    """The error for an archive that cannot be read as a whole."""
    return SourceError(
        f"The archive {quote(path)} is damaged: {why}.",
        remedy="Download or copy it again, and compare its size with the original's.",
        code="damaged_archive",
    )


def bomb(path: str, why: str) -> SourceError:
    """The error for an archive that is made to exhaust the machine."""
    return SourceError(
        f"The archive {quote(path)} is refused: {why}.",
        remedy="Use it only if you trust it: unpack it yourself and give the folder.",
        code="archive_bomb",
    )
