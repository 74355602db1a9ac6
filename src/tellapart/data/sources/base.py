"""The types that all sources of pictures share: members, listings, stores, and rows.

A *store* is a folder or an archive: it lists its *members* and reads one at a time. A *source*
belongs to a catalog: it knows the member of each row. Everything a catalog reads goes through
:class:`Store`, so another kind of place, such as an object store, is one more class.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from tellapart.core.errors import PictureError
from tellapart.data.sources.names import Part, printable

MAX_BYTES = 256 * 1024 * 1024
"""Bytes one picture file may have; a larger one is refused unread."""

MAX_MEMBERS = 5_000_000
"""Files one folder tree or archive may have; beyond, it is a bomb or a loop of links."""


class Member(NamedTuple):
    """One file of a store.

    Attributes:
        name: Its path inside the store, ``/`` between folders, undecodable bytes as
            lone surrogates.
        size: Bytes when read; 0 if unknown, together with ``fault``.
        mtime_ns: Last change in nanoseconds (an archive's own, for its members).
        inode: Inode number (an archive's own, for its members).
        key: The store's own number for it.
        fault: Why it cannot be read, if the listing already shows it; else empty.
    """

    name: str
    size: int
    mtime_ns: int = 0
    inode: int = 0
    key: int = 0
    fault: str = ""


@dataclass
class Listing:
    """The files of a store, and what was passed over.

    Attributes:
        members: The files, in no particular order.
        folders: Every folder seen, so that an empty one can be reported.
        passed_over: Count of files and folders by reason; not among ``members``.
        noted: Count of files that were kept but are worth mentioning, by kind.
    """

    members: list[Member] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)
    noted: Counter[str] = field(default_factory=Counter)


class Store(Protocol):
    """A place with files. All methods but ``close`` may be called from any thread."""

    @property
    def location(self) -> str:
        """Absolute path of the folder or archive."""

    @property
    def joint(self) -> str:
        """The text between the location and a member's name: ``/`` or ``!/``."""

    def listing(self) -> Listing:
        """All files of the store; raises SourceError if it cannot be read."""

    def read(self, member: Member) -> bytes:
        """The bytes of one member; raises PictureError if it cannot be read."""

    def close(self) -> None:
        """Close files; reading afterwards fails."""


class LabeledMember(NamedTuple):
    """One picture file, with what its place, its name or a manifest says.

    Attributes:
        member: The file.
        label: Its class.
        part: The part of the data, or None.
        group: The group that it must stay together with, or None.
    """

    member: Member
    label: str
    part: Part | None
    group: str | None = None


class Source:
    """The bytes behind the rows of a catalog; safe to read from many threads.

    Args:
        name: A short name to show, such as ``pets.zip``.
        location: Absolute path that the user named.
        rows: The store and member of each row, in row order.

    Attributes:
        name: The short name, printable.
        location: The path, printable.
    """

    def __init__(self, name: str, location: str, rows: Sequence[tuple[Store, Member]]) -> None:
        self.name = printable(name)
        self.location = printable(location)
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def folder(self) -> str | None:
        """The folder that all files lie in, or None if they are in an archive."""
        places = {store.location for store, _ in self._rows if store.joint == "/"}
        alone = len(places) == 1 and all(store.joint == "/" for store, _ in self._rows)
        return printable(places.pop()) if alone else None

    def read(self, row: int) -> bytes:
        """The bytes of one picture file.

        Raises:
            PictureError: With code ``unreadable`` or ``too_large``.
        """
        store, member = self._rows[row]
        if member.fault:
            raise PictureError(member.fault, code="unreadable")
        if member.size > MAX_BYTES:
            raise too_large(member.name, member.size)
        return store.read(member)

    def identity(self, row: int) -> tuple[str, int, int, int]:
        """Values that change when the file does.

        Returns:
            Absolute printable path, size in bytes, mtime in nanoseconds, inode.
        """
        store, member = self._rows[row]
        path = printable(store.location + store.joint + member.name)
        return path, member.size, member.mtime_ns, member.inode

    def close(self) -> None:
        """Close files."""
        for store in {id(store): store for store, _ in self._rows}.values():
            store.close()


def too_large(name: str, size: int) -> PictureError:
    """The error for a file of more than :data:`MAX_BYTES`."""
    return PictureError(
        f"'{printable(name)}' has {size / 2**20:,.0f} MiB; a picture file may have "
        f"{MAX_BYTES // 2**20} MiB.",
        code="too_large",
    )


def unreadable(name: str, why: str) -> PictureError:
    """The error for a file that cannot be read."""
    return PictureError(f"'{printable(name)}' cannot be read: {why}.", code="unreadable")
