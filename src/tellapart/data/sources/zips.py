"""A .zip file as a store, read in place and from many threads.

The central directory is parsed here instead of by ``zipfile``, which decodes names before
anyone can look at the bytes, gives up on the whole archive over one of them, and allocates
before anyone can count. Layout and field names: PKWARE APPNOTE 6.3, sections 4.3 and 4.5.

Guards: the number of members and the size of each are bounded; members that share
bytes (the way to pack petabytes into megabytes: D. Fifield, "A better zip bomb", 2019)
make the archive refused; a member never inflates beyond what it declares.
"""

from __future__ import annotations

import os
import stat
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from tellapart.core.errors import PictureError, SourceError
from tellapart.data.sources.archives import Gathering, Handle, bomb, damaged
from tellapart.data.sources.base import MAX_MEMBERS, Listing, Member, unreadable
from tellapart.data.sources.names import absolute, quote

_END = struct.Struct("<4s4H2LH")
_END64_PLACE = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF

_ENCRYPTED = 0x0001
_UTF8 = 0x0800
_STORED, _DEFLATED = 0, 8
_METHODS = {1: "Shrink", 6: "Implode", 9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard",
            95: "XZ", 97: "WavPack", 98: "PPMd", 99: "AES"}  # fmt: skip


class _Entry(NamedTuple):
    """What the central directory says of one member."""

    name: str
    start: int  # of its local header, in the file
    packed: int
    size: int
    crc: int
    method: int
    flags: int
    mode: int  # st_mode; 0 where the archive was not made on Unix


class ZipStore:
    """The members of one zip file.

    Args:
        path: The archive.
    """

    joint = "!/"

    def __init__(self, path: str) -> None:
        self.location = absolute(path)
        self._handle = Handle(path)
        facts = os.fstat(self._handle.number)
        self._mtime_ns, self._inode = facts.st_mtime_ns, facts.st_ino
        self._entries: list[_Entry] = []

    def listing(self) -> Listing:
        """Every file of the archive.

        Raises:
            SourceError: The archive is damaged, encrypted, split, or a bomb.
        """
        entries = list(_read_directory(self._handle, self.location))
        _refuse_shared_bytes(entries, self.location)
        found = Gathering()
        for key, entry in enumerate(entries):
            name = found.name(entry.name)
            if name is None:
                continue
            kind = stat.S_IFMT(entry.mode)
            if entry.name.endswith(("/", "\\")) or kind == stat.S_IFDIR:
                found.folder(name)
            elif kind == stat.S_IFLNK:
                found.pass_over("links inside the archive")
            elif kind not in (0, stat.S_IFREG):
                found.pass_over("pipes, devices and sockets")
            elif entry.flags & _ENCRYPTED:
                raise SourceError(
                    f"The archive {quote(self.location)} is encrypted.",
                    remedy="Unpack it with its password and give the folder.",
                    code="encrypted_archive",
                )
            else:
                fault = _fault(entry)
                found.file(Member(name, entry.size, self._mtime_ns, self._inode, key, fault))
        self._entries = entries
        return found.done()

    def read(self, member: Member) -> bytes:
        """The bytes of one member, its checksum compared.

        Raises:
            PictureError: ``unreadable``.
        """
        entry = self._entries[member.key]
        # Most local headers repeat the name and add a short extra field: one read is enough.
        head = _LOCAL.size + len(entry.name.encode("utf-8", "surrogateescape")) + 64
        data = self._read(entry.start, head + entry.packed, member.name)
        if len(data) < _LOCAL.size or not data.startswith(b"PK\x03\x04"):
            raise unreadable(member.name, "the archive has something else in its place")
        *_, name_length, extra_length = _LOCAL.unpack_from(data)
        begin = _LOCAL.size + name_length + extra_length
        packed = data[begin : begin + entry.packed]
        if len(packed) < entry.packed:
            packed = self._handle.read_all(entry.packed, entry.start + begin, member.name)
        content = packed if entry.method == _STORED else _inflate(packed, entry.size, member.name)
        if len(content) != entry.size:
            raise unreadable(member.name, "it has another size than the archive says")
        if zlib.crc32(content) != entry.crc:
            raise unreadable(member.name, "it is damaged inside the archive (checksum)")
        return content

    def _read(self, start: int, count: int, name: str) -> bytes:
        try:
            return self._handle.read(count, start)
        except OSError as error:
            raise unreadable(name, str(error)) from error

    def close(self) -> None:
        """Give back the file handle."""
        self._handle.close()


def _inflate(packed: bytes, size: int, name: str) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = inflater.decompress(packed, size + 1)  # never more than one byte too many
    except zlib.error as error:
        raise unreadable(name, "it is damaged inside the archive (compression)") from error
    return content


def _fault(entry: _Entry) -> str:
    if entry.method in (_STORED, _DEFLATED):
        return ""
    method = _METHODS.get(entry.method, f"method {entry.method}")
    why = f"it is compressed with {method}; pack the pictures again as a plain .zip"
    error: PictureError = unreadable(entry.name, why)
    return str(error)


def _read_directory(handle: Handle, path: str) -> Iterator[_Entry]:
    """The entries of the central directory, in its order."""
    begin, size, shift = _find_directory(handle, path)
    if size // _CENTRAL.size > MAX_MEMBERS:
        raise bomb(path, f"it claims more than {MAX_MEMBERS:,} members")
    data = handle.read(size, begin)
    at = 0
    while at < size:
        if at + _CENTRAL.size > size or not data.startswith(b"PK\x01\x02", at):
            raise damaged(path, "its list of members is broken")
        (_, made_by, _, flags, method, _, _, crc, packed, inflated, name_length, extra_length,
         comment_length, _, _, attributes, start) = _CENTRAL.unpack_from(data, at)  # fmt: skip
        at += _CENTRAL.size
        name = data[at : at + name_length]
        extra = data[at + name_length : at + name_length + extra_length]
        at += name_length + extra_length + comment_length
        if at > size:
            raise damaged(path, "its list of members is broken")
        if _FULL32 in (inflated, packed, start):
            inflated, packed, start = _wide(inflated, packed, start, extra, path)
        start += shift
        if start + _LOCAL.size + packed > begin:
            raise damaged(path, "a member lies outside the file")
        mode = attributes >> 16 if made_by >> 8 == 3 else 0
        shown = _decode(name, flags, extra)
        yield _Entry(shown, start, packed, inflated, crc, method, flags, mode)


def _find_directory(handle: Handle, path: str) -> tuple[int, int, int]:
    """Where the central directory begins, its size, and the length of what stands before the zip.

    Something stands before it where the zip was appended to a program (self-extracting).
    """
    tail_start = max(0, handle.size - _END.size - _FULL16)
    tail = handle.read(handle.size - tail_start, tail_start)
    place = tail.rfind(b"PK\x05\x06")
    if place < 0 or place + _END.size > len(tail):
        raise damaged(path, "it is cut off, its list of members is missing")
    _, disk, first_disk, _, _, size, start, _ = _END.unpack_from(tail, place)
    end = tail_start + place
    wide = _END64.size + _END64_PLACE.size
    # Some programs write the wide record though the narrow one has room: always look.
    record = handle.read(wide, end - wide) if end >= wide else b""
    if record.startswith(b"PK\x06\x06") and record.startswith(b"PK\x06\x07", _END64.size):
        _, _, _, _, disk, first_disk, _, _, size, start = _END64.unpack_from(record)
        end -= wide
    if disk != first_disk or disk != 0:
        raise SourceError(
            f"The archive {quote(path)} is one piece of a split archive.",
            remedy="Join or unpack the pieces and give the folder.",
            code="split_archive",
        )
    begin = end - size
    shift = begin - start
    if begin < 0 or shift < 0:
        raise damaged(path, "its list of members is not where it should be")
    return begin, size, shift


def _wide(inflated: int, packed: int, start: int, extra: bytes, path: str) -> tuple[int, int, int]:
    """The 64-bit values of an entry whose 32-bit fields are full."""
    wide = _extra_field(extra, 0x0001)
    values = [inflated, packed, start]
    for index, value in enumerate(values):
        if value == _FULL32:
            if len(wide) < 8:
                raise damaged(path, "the size of a member is missing")
            values[index] = int.from_bytes(wide[:8], "little")
            wide = wide[8:]
    return values[0], values[1], values[2]


def _extra_field(extra: bytes, wanted: int) -> bytes:
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == wanted:
            return extra[at + 4 : at + 4 + length]
        at += 4 + length
    return b""


def _decode(name: bytes, flags: int, extra: bytes) -> str:
    """A member's name: UTF-8 where it says so or is, else the code page zip began with.

    macOS writes UTF-8 without saying so; therefore it is tried before code page 437.
    """
    if name.isascii():
        return name.decode("ascii")
    if flags & _UTF8:
        return name.decode("utf-8", "surrogateescape")
    unicode_path = _extra_field(extra, 0x7075)
    if unicode_path[1:5] == zlib.crc32(name).to_bytes(4, "little"):
        return unicode_path[5:].decode("utf-8", "surrogateescape")
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return name.decode("cp437")


def _refuse_shared_bytes(entries: list[_Entry], path: str) -> None:
    taken = 0
    for entry in sorted(entries, key=lambda entry: entry.start):
        if entry.start < taken:
            raise bomb(path, "its members share the same bytes, as in a zip bomb")
        taken = entry.start + _LOCAL.size + entry.packed
