"""A folder tree on disk as a store.

The tree is walked once with ``os.scandir``, with one ``stat`` per file. Links to files and folders
are followed, but no folder is entered again from inside: neither through a link back into the
tree, nor through a link to a folder above it. Pipes, devices and sockets are never opened, not
even one that replaces a file after the walk.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from tellapart.core.errors import SourceError
from tellapart.data.sources.base import (
    MAX_BYTES,
    MAX_MEMBERS,
    Listing,
    Member,
    too_large,
    unreadable,
)
from tellapart.data.sources.names import absolute, passing_reason, quote

_Id = tuple[int, int]


class FolderStore:
    """The files under one folder.

    Args:
        root: The folder; must exist.
    """

    joint = "/"

    def __init__(self, root: str) -> None:
        self.location = absolute(root).rstrip("/")

    def listing(self) -> Listing:
        """Every regular file below the folder, links followed, in no particular order.

        Raises:
            SourceError: The folder itself may not be read, or the tree has no end.
        """
        root = self.location or "/"
        listing = Listing()
        # Entering a folder above the root would lead back into it.
        pending: list[tuple[str, frozenset[_Id]]] = [("", frozenset(_ids_above(root)))]
        while pending:
            folder, above = pending.pop()
            try:
                here = _folder_id(f"{root}/{folder}")
                if here in above:
                    listing.passed_over["links that lead back to a folder above them"] += 1
                    continue
                entries = os.scandir(f"{root}/{folder}")
            except OSError as error:
                if not folder:
                    raise _not_readable(root, error) from error
                listing.passed_over["folders that may not be read"] += 1
                continue
            with entries:
                inner = self._take(entries, folder, listing)
            if folder:
                listing.folders.append(folder)
            pending.extend((name, above | {here}) for name in inner)
            if len(listing.members) + len(listing.folders) > MAX_MEMBERS:
                raise SourceError(
                    f"Folder {quote(root)} leads to more than {MAX_MEMBERS:,} files.",
                    remedy="Look for links that lead to each other.",
                    code="too_many_files",
                )
        return listing

    def _take(
        self, entries: Iterator[os.DirEntry[str]], folder: str, listing: Listing
    ) -> list[str]:
        """Note the files of one folder and return the folders inside it."""
        inner: list[str] = []
        for entry in entries:
            name = f"{folder}/{entry.name}" if folder else entry.name
            if reason := passing_reason(entry.name):
                listing.passed_over[reason] += 1
                continue
            try:
                if entry.is_dir():
                    inner.append(name)
                    continue
                facts = entry.stat()
            except OSError:
                listing.members.append(_broken(entry, name))
                continue
            if not stat.S_ISREG(facts.st_mode):
                listing.passed_over["pipes, devices and sockets"] += 1
                continue
            if entry.is_symlink() and self._leads_out(folder, entry):
                listing.noted["links to files outside the folder"] += 1
            listing.members.append(Member(name, facts.st_size, facts.st_mtime_ns, facts.st_ino))
        return inner

    def _leads_out(self, folder: str, entry: os.DirEntry[str]) -> bool:
        """Whether a link's own text points outside; links inside its target are not chased."""
        target = os.path.normpath(
            os.path.join(self.location, folder, os.readlink(entry.path))  # noqa: PTH115, PTH118
        )
        return not target.startswith(f"{self.location}/")

    def read(self, member: Member) -> bytes:
        """The bytes of one file.

        Raises:
            PictureError: ``unreadable`` or ``too_large``.
        """
        return read_file(f"{self.location}/{member.name}", member.name)

    def close(self) -> None:
        """Nothing is open."""


def read_file(path: str, name: str, most: int = MAX_BYTES) -> bytes:
    """The bytes of one regular file of at most :data:`MAX_BYTES`.

    Args:
        path: Where it is.
        name: How an error names it.
        most: Another bound on its bytes.

    Raises:
        PictureError: ``unreadable`` or ``too_large``.
    """
    try:
        # Without O_NONBLOCK, opening a pipe without a writer waits forever.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise unreadable(name, _reason(error)) from error
    try:
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode):
            raise unreadable(name, "it is not a regular file")
        return _read_all(handle, name, facts.st_size, most)
    except OSError as error:
        raise unreadable(name, _reason(error)) from error
    finally:
        os.close(handle)


def _read_all(handle: int, name: str, expected: int, most: int) -> bytes:
    if expected > most:
        raise too_large(name, expected)
    data = os.read(handle, expected + 1)
    if len(data) == expected:
        return data
    chunks = [data]
    total = len(data)
    while chunks[-1]:  # the file changed since, or the file system does not know its size
        chunks.append(os.read(handle, 1 << 20))
        total += len(chunks[-1])
        if total > most:
            raise too_large(name, total)
    return b"".join(chunks)


def member_at(root: str, name: str) -> Member:
    """One file by its name below a folder; a missing one becomes a member with a fault."""
    try:
        facts = os.stat(f"{root}/{name}")  # noqa: PTH116 - a Path per file costs more than the stat
    except (OSError, ValueError) as error:
        return Member(name, 0, fault=str(unreadable(name, _reason(error))))
    if not stat.S_ISREG(facts.st_mode):
        return Member(name, 0, fault=str(unreadable(name, "it is not a regular file")))
    return Member(name, facts.st_size, facts.st_mtime_ns, facts.st_ino)


def _broken(entry: os.DirEntry[str], name: str) -> Member:
    why = "the link leads nowhere" if entry.is_symlink() else "it went away while being listed"
    return Member(name, 0, fault=str(unreadable(name, why)))


def _folder_id(path: str) -> _Id:
    facts = os.stat(path)  # noqa: PTH116
    return facts.st_dev, facts.st_ino


def _ids_above(root: str) -> Iterator[_Id]:
    """The folders above the root, by device and inode; those that may not be seen are left out."""
    path = os.path.realpath(root)
    while (parent := path.rpartition("/")[0] or "/") != path:
        path = parent
        try:
            yield _folder_id(path)
        except OSError:
            continue


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, PermissionError):
        return "you may not read it"
    text = getattr(error, "strerror", None) or str(error)
    return text[:1].lower() + text[1:]


def _not_readable(root: str, error: OSError) -> SourceError:
    if isinstance(error, PermissionError):
        return SourceError(
            f"You may not read the folder {quote(root)}.",
            remedy="Change its permissions, or copy it to a folder of your own.",
            code="not_readable",
        )
    return SourceError(f"Folder {quote(root)} cannot be read: {_reason(error)}.")
