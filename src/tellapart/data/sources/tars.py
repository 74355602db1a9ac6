"""A .tar or .tar.gz file as a store, read in place and from many threads.

A plain tar is read in place. A compressed one has no random access, so it is decompressed once
into a temporary file without a name (in ``TMPDIR``), which vanishes with the process. That file
is bounded: an archive that inflates a hundredfold beyond the first gigabyte is refused, because
pictures hardly compress.
"""

from __future__ import annotations

import errno
import gzip
import os
import tarfile
import tempfile
import zlib
from typing import BinaryIO

from tellapart.core.errors import SourceError
from tellapart.data.sources.archive_basics import (
    BoundedReader,
    Gathering,
    Handle,
    TooLong,
    bomb,
    damaged,
    member_name,
)
from tellapart.data.sources.base import MAX_MEMBERS, Listing, Member, unreadable
from tellapart.data.sources.names import absolute, quote

MAX_SPOOLED = 64 << 30
"""Bytes a compressed tar may inflate to."""

FREE_SPOOLED = 1 << 30
"""Bytes below which the ratio does not matter."""

MAX_RATIO = 100
"""Inflated bytes per compressed byte, beyond :data:`FREE_SPOOLED`."""

_MAX_HEADER = 16 << 20
_BLOCK = 512


class TarStore:
    """The members of one tar file.

    Args:
        path: The archive.
        compressed: Whether it is a .tar.gz.
    """

    joint = "!/"

    def __init__(self, path: str, *, compressed: bool) -> None:
        self.location = absolute(path)
        facts = os.stat(path)  # noqa: PTH116
        self._mtime_ns, self._inode = facts.st_mtime_ns, facts.st_ino
        self._handle = Handle(_decompressed(path) if compressed else path)

    def listing(self) -> Listing:
        """Every file of the archive.

        Raises:
            SourceError: The archive is damaged or a bomb.
        """
        found = Gathering()
        for entry in self._entries():
            name = found.name(entry.name)
            if name is None:
                continue
            if entry.isdir():
                found.folder(name)
            elif entry.issym():
                found.pass_over("links inside the archive")
            elif entry.islnk():
                target = found.find(member_name(entry.linkname) or "")
                if target is None:
                    found.pass_over("links inside the archive")
                else:
                    found.file(target._replace(name=name))
            elif not entry.isreg():
                found.pass_over("pipes, devices and sockets")
            else:
                fault = ""
                if entry.issparse():
                    fault = str(unreadable(name, "it is stored as a sparse file"))
                place = entry.offset_data
                found.file(Member(name, entry.size, self._mtime_ns, self._inode, place, fault))
        return found.done()

    def _entries(self) -> list[tarfile.TarInfo]:
        entries: list[tarfile.TarInfo] = []
        try:
            with tarfile.open(
                fileobj=BoundedReader(self._handle, _MAX_HEADER),  # type: ignore[call-overload]
                mode="r:",
                encoding="utf-8",
                errors="surrogateescape",
            ) as archive:
                before = -1
                while (entry := archive.next()) is not None:
                    # A negative size sends tarfile back to where it was, forever
                    # (CVE-2025-8194).
                    if archive.offset <= before or entry.size < 0:
                        raise damaged(self.location, "a member has a size that cannot be")
                    before = archive.offset
                    entries.append(entry)
                    archive.members = []  # else tarfile keeps them all a second time
                    if len(entries) > MAX_MEMBERS:
                        raise bomb(self.location, f"it has more than {MAX_MEMBERS:,} members")
                end = archive.offset
        except (tarfile.TarError, ValueError, OSError, RecursionError, TooLong) as error:
            raise damaged(self.location, str(error) or "its headers are broken") from error
        # tarfile mistakes a header that it cannot read for the end.
        mark = self._handle.read(_BLOCK, end)
        if len(mark) < _BLOCK or mark.strip(b"\0"):
            raise damaged(self.location, "it is cut off, its end mark is missing")
        return entries

    def read(self, member: Member) -> bytes:
        """The bytes of one member.

        Raises:
            PictureError: ``unreadable``.
        """
        return self._handle.read_all(member.size, member.key, member.name)

    def close(self) -> None:
        """Close the file, which deletes a temporary one."""
        self._handle.close()


def _decompressed(path: str) -> int:
    """Decompress a gzip file into a temporary file without a name.

    Returns:
        The number of the open file.

    Raises:
        SourceError: It is damaged, inflates too far, or the disk is full.
    """
    packed = os.stat(path).st_size  # noqa: PTH116
    most = min(MAX_SPOOLED, max(FREE_SPOOLED, packed * MAX_RATIO))
    with tempfile.TemporaryFile(prefix="tellapart-") as target:
        try:
            _inflate(path, target, most)
            target.flush()
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise damaged(path, "it is cut off or broken") from error
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise damaged(path, str(error)) from error
            raise SourceError(
                f"No room in {quote(tempfile.gettempdir())} to decompress {quote(path)}.",
                remedy="Set TMPDIR to a folder with room, or unpack the archive yourself.",
                code="no_room",
            ) from error
        return os.dup(target.fileno())


def _inflate(path: str, target: BinaryIO, most: int) -> None:
    written = 0
    with gzip.open(path, "rb") as source:
        while chunk := source.read(1 << 20):
            if written == 0 and not _begins_as_tar(chunk):
                raise SourceError(
                    f"{quote(path)} is compressed, but its content is not a tar archive.",
                    remedy="Decompress it, and give the result.",
                    code="not_an_archive",
                )
            written += len(chunk)
            if written > most:
                raise bomb(path, f"it inflates to more than {most / 2**30:,.0f} GiB")
            target.write(chunk)


def _begins_as_tar(chunk: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(chunk[:_BLOCK], "utf-8", "surrogateescape")
    except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
        return True  # an empty archive
    except tarfile.HeaderError:
        return False
    return True
