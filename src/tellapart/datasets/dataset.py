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
        size: Bytes of what the provider offers; None where nobody says. Another packing of the
            same content may have another size.
        sha256s: What it may hash to: one for each known packing, the provider's first. Empty
            where none is known.
        urls: Where it can be downloaded, the provider's own address first; empty where it cannot.
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
        name: What commands call it.
        title: What people call it.
        origin: Who made it, and when.
        home: A page about it, or empty.
        licence: Its licence as far as the provider states one.
        citation: What to cite.
        classes: The classes, in their order.
        counts: Pictures by part; ``all`` where there are no parts.
        form: ``arrays`` (a folder of IDX files), ``archive`` (one zip, read in place), ``parts``
            (a zip for each part, unpacked), ``folders`` (class folders, never an archive of a
            provider), ``embedded`` (comes with a package).
        files: What it is made of.
        tree: Pictures in each class folder, once it lies unpacked; empty for arrays.
        notes: What somebody who uses it should know, as sentences.
        damaged: Whether pictures may be missing from an unpacked copy, since some are broken.
        system: The folder under ``/usr/share/datasets`` where Debian puts it, or empty.
        label_from: ``name`` where labels are in the file names.
        shareable: Whether its licence lets pictures of it be shown again, with its origin named.
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
        """Bytes of all its files, or None where nobody says."""
        sizes = [file.size for file in self.files]
        known = [size for size in sizes if size is not None]
        return sum(known) if len(known) == len(sizes) else None

    @property
    def pictures(self) -> int:
        """How many pictures it has, all parts together."""
        return sum(self.counts.values())

    @property
    def downloadable(self) -> bool:
        """Whether every file has an address."""
        return bool(self.files) and all(file.urls for file in self.files)
