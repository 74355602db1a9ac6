"""Find a copy of a data set on this machine, and check it.

The order: the folder that ``TELLAPART_DATA`` names, Debian's folder of data sets, the download
folder. If users name a path, only that path counts, so that a typing mistake never gives
other pictures. Nothing is remembered: every call searches and checks again, by SHA-256 if one is
known.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tellapart.core.errors import DataError, SourceError
from tellapart.data.sources.names import quote
from tellapart.datasets.dataset import DataFile, DataSet
from tellapart.datasets.registry import named
from tellapart.datasets.verification import Found, Refused, matches, packed_copy, unpacked_copy

DATA = "TELLAPART_DATA"
"""The variable that names the user's folder of data sets."""

DATASETS = "TELLAPART_DATASETS"
"""The variable that names another download folder than the system's."""

SYSTEM = Path("/usr/share/datasets")
"""Where Debian's packages of data sets put them."""


class Search(NamedTuple):
    """The result of a search: a copy or None, and why others were passed over, as sentences."""

    found: Found | None
    refused: tuple[str, ...]


class Place(NamedTuple):
    """A folder to search.

    Attributes:
        folder: The folder.
        alone: Whether it belongs to this data set; in others only files with its names count.
    """

    folder: Path
    alone: bool


def find(name: str, *, given: str | Path | None = None) -> Found:
    """A copy of a data set on this machine.

    Args:
        name: The data set, as in ``tellapart data list``.
        given: A file or folder to search instead of the usual places.

    Raises:
        SettingsError: There is no data set with that name.
        DataError: There is no copy (``no_copy``), or its archives are not unpacked
            (``not_unpacked``).

    Example:
        >>> found = find("mnist")  # doctest: +SKIP
        >>> tellapart.train(found.path, model="dnn")  # doctest: +SKIP
    """
    dataset = named(name)
    found, refused = search(dataset, given)
    if found is None:
        raise missing(dataset, given, refused)
    return found


def search(dataset: DataSet, given: str | Path | None = None) -> Search:
    """Search for a copy; see :func:`find`.

    Raises:
        SourceError: There is nothing at ``given``.
    """
    if given is not None and not Path(given).exists():
        raise SourceError(
            f"There is no folder or file {quote(str(given))}.",
            remedy="Check the spelling.",
            code="missing",
        )
    refused: list[str] = []
    for path, unpacked in _candidates(dataset, given):
        try:
            found = unpacked_copy(dataset, path) if unpacked else packed_copy(dataset, path)
        except Refused as why:
            refused.append(str(why))
        except OSError as error:
            refused.append(f"{quote(str(path))} cannot be read: {error.strerror or error}.")
        else:
            if found is not None:
                notes = (*found.notes, *(f"Passed over: {why}" for why in refused))
                found = Found(found.path, dataset, notes, found.sha256s)
                return Search(found, tuple(refused))
    return Search(None, tuple(refused))


def _candidates(dataset: DataSet, given: str | Path | None) -> Iterator[tuple[Path, bool]]:
    """Paths that can be a copy, and whether it is unpacked there."""
    if given is not None and Path(given).is_file() and dataset.form != "parts":
        yield Path(given), False
        return
    stems = [Path(file.name).stem for file in dataset.files]
    for folder, alone in _places(dataset, given):
        if dataset.form == "arrays" and alone:
            yield folder, False
        if dataset.form in ("archive", "folders"):
            yield folder / dataset.files[0].name, False
        if dataset.tree:
            if alone:
                yield folder, True
            yield from ((folder / stem, True) for stem in stems)


def _places(dataset: DataSet, given: str | Path | None) -> list[Place]:
    """The folders to search, in order."""
    own = Place(datasets_folder() / dataset.name, alone=True)
    if given is not None:
        folder = Path(given)
        names = [file.name for file in dataset.files]
        if dataset.form == "parts" and folder.name in names and folder.is_file():
            folder = folder.parent  # the other archives are in the same folder
        inside = [folder / dataset.name, folder]
        places = [Place(one, True) for one in inside]
        if dataset.form == "parts" and all(
            any((one / name).is_file() for one in inside) for name in names
        ):
            places.append(own)  # where they were unpacked
        return places
    places = []
    if kept := os.environ.get(DATA):
        root = Path(kept).expanduser()
        places += [Place(root / dataset.name, True), Place(root, False)]
    if dataset.system:
        places.append(Place(SYSTEM / dataset.system, True))
    return [*places, own]


def datasets_folder() -> Path:
    """The download folder: ``TELLAPART_DATASETS``, or one in the user's data folder."""
    chosen = os.environ.get(DATASETS)
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs

    return Path(platformdirs.user_data_dir("tellapart", appauthor=False)) / "datasets"


def find_file(dataset: DataSet, file: DataFile, given: str | Path | None = None) -> Path | None:
    """One file of a data set, checked; searched in the same folders as a copy."""
    for folder, _ in _places(dataset, given):
        try:
            if matches(file, folder / file.name):
                return folder / file.name
        except OSError:
            continue
    return None


def missing(dataset: DataSet, given: str | Path | None, refused: tuple[str, ...]) -> DataError:
    """The error if there is no copy: one message, with every way to get one."""
    where = "on this machine" if given is None else f"in {quote(str(given))}"
    why = "".join(f" {sentence}" for sentence in refused)
    if dataset.form == "parts" and all(find_file(dataset, file, given) for file in dataset.files):
        more = "" if given is None else f" --from {shlex.quote(str(given))}"
        return DataError(
            f"The archives of {dataset.name!r} are {where}, but are not unpacked.{why}",
            remedy=f"Run: tellapart data get {dataset.name}{more}",
            code="not_unpacked",
        )
    get = ""
    if dataset.downloadable or dataset.form == "embedded":
        get = f"Run: tellapart data get {dataset.name}\n"
    return DataError(
        f"There is no copy of {dataset.name!r} {where}.{why}",
        remedy=(get + by_hand(dataset)).rstrip(),
        code="no_copy",
    )


def by_hand(dataset: DataSet) -> str:
    """How to get a data set without this program's help, as sentences."""
    if dataset.form == "embedded":
        return ""
    names = [file.name for file in dataset.files]
    inside = f"{dataset.name}/ in " if dataset.form == "arrays" else ""
    there = f"or put {'it' if len(names) == 1 else 'them'} into {inside}the folder that {DATA}"
    if not dataset.downloadable:
        return (
            f"It has no official download. Name your copy ({', '.join(names)}) with --from PATH, "
            f"{there} names."
        )
    urls = "\n".join(f"  {file.urls[0]}" for file in dataset.files)
    return f"By hand: download\n{urls}\nand name the folder with --from PATH, {there} names."
