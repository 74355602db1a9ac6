"""A .zip file as a store, read in place and from many threads.

``zipfile`` reads the list of members; the members themselves are read here, so that threads do
not wait for one shared file position.

The number of members and the size of each are bounded. An archive whose members share bytes is
refused: that is how petabytes are packed into megabytes (D. Fifield, "A better zip bomb", 2019).
A member never inflates beyond the size it declares.
"""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib

from tellapart.core.errors import SourceError
from tellapart.data.sources.archive_basics import (
    BoundedReader,
    Gathering,
    Handle,
    TooLong,
    bomb,
    damaged,
)
from tellapart.data.sources.base import MAX_MEMBERS, Listing, Member, unreadable
from tellapart.data.sources.names import absolute, quote

_LOCAL_HEADER = 30  # bytes, before the name and the extra field (PKWARE APPNOTE 6.3, 4.3.7)
_CENTRAL_HEADER = 46  # bytes, likewise (4.3.12)
_ENCRYPTED, _UTF8 = 0x0001, 0x0800  # flags (4.4.4)
_UNICODE_PATH = 0x7075  # extra field (4.6.9)
_ON_UNIX = 3
_METHODS = {1: "Shrink", 6: "Implode", 9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard",
            95: "XZ", 97: "WavPack", 98: "PPMd", 99: "AES"}  # fmt: skip


# What zipfile raises for a list of members that it cannot read.
_BROKEN = (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error)


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
        self._infos: list[zipfile.ZipInfo] = []

    def listing(self) -> Listing:
        """Every file of the archive.

        Raises:
            SourceError: The archive is damaged, encrypted, split, or a bomb.
        """
        self._infos = self._read_infos()
        found = Gathering()
        for key, info in enumerate(self._infos):
            given = _decoded_name(info)
            name = found.name(given)
            if name is None:
                continue
            mode = info.external_attr >> 16 if info.create_system == _ON_UNIX else 0
            kind = stat.S_IFMT(mode)
            if given.endswith(("/", "\\")) or kind == stat.S_IFDIR:
                found.folder(name)
            elif kind == stat.S_IFLNK:
                found.pass_over("links inside the archive")
            elif kind not in (0, stat.S_IFREG):
                found.pass_over("pipes, devices and sockets")
            elif info.flag_bits & _ENCRYPTED:
                raise SourceError(
                    f"The archive {quote(self.location)} is encrypted.",
                    remedy="Unpack it with its password and give the folder.",
                    code="encrypted_archive",
                )
            else:
                fault = _unknown_compression(info, name)
                found.file(Member(name, info.file_size, self._mtime_ns, self._inode, key, fault))
        return found.done()

    def _read_infos(self) -> list[zipfile.ZipInfo]:
        """What the archive's list of members says, checked as a whole."""
        path = self.location
        reader = BoundedReader(self._handle, max(_CENTRAL_HEADER * MAX_MEMBERS, 1 << 17))
        try:
            with zipfile.ZipFile(reader) as archive:
                infos, end = archive.infolist(), archive.start_dir
        except TooLong as error:
            raise bomb(path, f"it claims more than {MAX_MEMBERS:,} members") from error
        except (
            zipfile.BadZipFile,
            NotImplementedError,
            ValueError,
            OSError,
            struct.error,
        ) as error:
            raise damaged(path, "it is cut off, or its list of members is broken") from error
        if len(infos) > MAX_MEMBERS:
            raise bomb(path, f"it has more than {MAX_MEMBERS:,} members")
        if any(info.volume not in (0, 0xFFFF) for info in infos):  # 0xFFFF: in 64-bit fields
            raise SourceError(
                f"The archive {quote(path)} is one piece of a split archive.",
                remedy="Join or unpack the pieces and give the folder.",
                code="split_archive",
            )
        taken = 0
        for info in sorted(infos, key=lambda info: info.header_offset):
            if info.header_offset < taken:
                raise bomb(path, "its members share the same bytes, as in a zip bomb")
            taken = info.header_offset + _LOCAL_HEADER + info.compress_size
            if taken > end:
                raise damaged(path, "a member is outside the file")
        return infos

    def read(self, member: Member) -> bytes:
        """The bytes of one member, its checksum compared.

        Raises:
            PictureError: ``unreadable``.
        """
        info, name = self._infos[member.key], member.name
        header = self._handle.read_all(_LOCAL_HEADER, info.header_offset, name)
        if not header.startswith(b"PK\x03\x04"):
            raise unreadable(name, "the archive has something else in its place")
        begin = info.header_offset + _LOCAL_HEADER + sum(struct.unpack_from("<2H", header, 26))
        content = self._handle.read_all(info.compress_size, begin, name)
        if info.compress_type == zipfile.ZIP_DEFLATED:
            try:  # never more than one byte too many
                inflater = zlib.decompressobj(-zlib.MAX_WBITS)
                content = inflater.decompress(content, info.file_size + 1)
            except zlib.error as error:
                raise unreadable(name, "it is damaged inside the archive (compression)") from error
        if len(content) != info.file_size:
            raise unreadable(name, "it has another size than the archive says")
        if zlib.crc32(content) != info.CRC:
            raise unreadable(name, "it is damaged inside the archive (checksum)")
        return content

    def close(self) -> None:
        """Close the file."""
        self._handle.close()


def _unknown_compression(info: zipfile.ZipInfo, name: str) -> str:
    """Why a member cannot be read, or an empty text."""
    if info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return ""
    method = _METHODS.get(info.compress_type, f"method {info.compress_type}")
    why = f"it is compressed with {method}; pack the pictures again as a plain .zip"
    return str(unreadable(name, why))


def _decoded_name(info: zipfile.ZipInfo) -> str:
    """A member's name: UTF-8 if it says so or is, else in the code page of the first zips.

    macOS writes UTF-8 without the flag; therefore UTF-8 is tried before code page 437.
    """
    if info.flag_bits & _UTF8 or info.orig_filename.isascii():
        return info.orig_filename
    name = info.orig_filename.encode("cp437")  # as zipfile decoded it
    unicode_path = _extra_field(info.extra, _UNICODE_PATH)
    if unicode_path[1:5] == zlib.crc32(name).to_bytes(4, "little"):
        return unicode_path[5:].decode("utf-8", "surrogateescape")
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return info.orig_filename


def _extra_field(extra: bytes, wanted: int) -> bytes:
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        if kind == wanted:
            return extra[4 : 4 + length]
        extra = extra[4 + length :]
    return b""
