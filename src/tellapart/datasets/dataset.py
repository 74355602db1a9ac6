"""The record of a data set and of each of its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

Form = Literal["arrays", "archive", "parts", "folders", "embedded"]


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file of a data set.

    Attributes:
        name: Its name on disk.
        size: Bytes of the provider's file; None if unknown. Another packing of the same content
            may have another size.
        sha256s: The SHA-256 of each known packing, the provider's first; empty if none is known.
        urls: Download addresses, the provider's own first; empty if there is none.
    """

    name: str
    size: int | None = None
    sha256s: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()

    @property
    def plain_hosts(self) -> frozenset[str]:
        """Hosts of addresses with ``http``: there, only the SHA-256 shows that a file is right."""
        parts = map(urlsplit, self.urls)
        return frozenset(part.hostname or "" for part in parts if part.scheme == "http")


@dataclass(frozen=True, slots=True)
class DataSet:
    """One data set.

    Attributes:
        name: Its name in commands.
        title: Its name for people.
        origin: Who made it, and when.
        home: A page about it, or empty.
        licence: Its licence, as far as the provider states one.
        citation: What to cite.
        classes: The classes, in their order.
        counts: Pictures per part; ``all`` if there are no parts.
        form: ``arrays`` (a folder of IDX files), ``archive`` (one zip, read in place), ``parts``
            (a zip for each part, unpacked), ``folders`` (class folders, never an archive of a
            provider), ``embedded`` (comes with a package).
        files: Its files.
        tree: Pictures in each class folder, once it is unpacked; empty for arrays.
        notes: What users should know, as sentences.
        damaged: Whether pictures may be missing from an unpacked copy, because some are broken.
        system: The folder under ``/usr/share/datasets`` where Debian puts it, or empty.
        label_from: ``name`` if labels are in the file names.
        shareable: Whether its licence allows showing its pictures again, with its origin.
    """

    name: str
    title: str
    origin: str
    home: str
    licence: str
    citation: str
    classes: tuple[str, ...]
    counts: Mapping[str, int]
    form: Form
    files: tuple[DataFile, ...] = ()
    tree: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    damaged: bool = False
    system: str = ""
    label_from: Literal["name"] | None = None
    shareable: bool = False

    @property
    def size(self) -> int | None:
        """Bytes of all its files, or None if unknown."""
        sizes = [file.size for file in self.files]
        known = [size for size in sizes if size is not None]
        return sum(known) if len(known) == len(sizes) else None

    @property
    def pictures(self) -> int:
        """Number of pictures, all parts together."""
        return sum(self.counts.values())

    @property
    def downloadable(self) -> bool:
        """Whether every file has an address."""
        return bool(self.files) and all(file.urls for file in self.files)
