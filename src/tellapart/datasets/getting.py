"""A copy of a data set, wherever it comes from: found, written, unpacked, or downloaded.

What is made goes into the download folder and nowhere else. Downloads that were interrupted
are kept, and the same command goes on with them.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from tellapart.core.errors import DataError, DownloadError
from tellapart.core.progress import SILENT, Progress
from tellapart.datasets.copies import Found, fault, sha256_of
from tellapart.datasets.dataset import DataFile, DataSet
from tellapart.datasets.downloading import PAUSES, download
from tellapart.datasets.locating import by_hand, datasets_folder, locate, look, missing
from tellapart.datasets.registry import named
from tellapart.datasets.unpacking import unpack

_UNPACKED = 4  # how many times an archive of pictures may grow, which hardly compress
_BESIDE = 100  # files that an archive may have beside its pictures


class Interrupted(KeyboardInterrupt):
    """Getting a data set was interrupted, and what has come is kept.

    Args:
        name: The data set.
        given: What was named as its place, if anything.
    """

    def __init__(self, name: str, given: str | Path | None = None) -> None:
        super().__init__(name)
        self.name = name
        self.given = given

    @property
    def command(self) -> str:
        """The command line that goes on."""
        more = "" if self.given is None else f" --from {shlex.quote(str(self.given))}"
        return f"tellapart data get {self.name}{more}"


def get(
    name: str,
    *,
    given: str | Path | None = None,
    progress: Progress = SILENT,
    pauses: Sequence[float] = PAUSES,
) -> Found:
    """A copy of a data set: one that is found on this machine, else one that is made.

    Args:
        name: The data set, as ``tellapart data list`` names it.
        given: A file or folder to take it from; then nothing is downloaded.
        progress: Who hears how far it is.
        pauses: Seconds before each further try of a download.

    Raises:
        SettingsError: There is no data set of that name.
        DataError: There is no copy, and no download.
        DownloadError: The download failed; the message says how to do without.
        SourceError: Its archive cannot be unpacked.
        Interrupted: By Ctrl-C; the same command goes on.

    Example:
        >>> get("mnist").path  # doctest: +SKIP
        PosixPath('/home/me/.local/share/tellapart/datasets/mnist')
    """
    dataset = named(name)
    searched = look(dataset, given)
    if searched.found is not None:
        return searched.found
    own = datasets_folder() / dataset.name
    try:
        if dataset.form == "parts":
            _have_parts(dataset, own, given, progress, pauses)
        elif dataset.form == "embedded" and given is None:
            from tellapart.datasets.digits import write_digits

            write_digits(own)
        elif given is None and dataset.downloadable:
            for file in dataset.files:
                _have(file, own, progress, pauses)
        else:
            raise missing(dataset, given, searched.refused)
    except DownloadError as error:
        if error.code == "in_use":
            raise
        why = "".join(f" {sentence}" for sentence in searched.refused)
        raise DownloadError(
            f"There is no copy of {name!r} on this machine.{why} The download failed: "
            f"{error.message}",
            remedy=by_hand(dataset),
            code=error.code,
        ) from error
    except KeyboardInterrupt:
        raise Interrupted(name, given) from None
    again = look(dataset, given)
    if again.found is None:
        raise missing(dataset, given, again.refused)
    return again.found


def _have(file: DataFile, own: Path, progress: Progress, pauses: Sequence[float]) -> Path:
    """One file in the download folder; one of ours that is damaged is deleted, and said."""
    path = own / file.name
    if path.is_file():
        why = fault(file, path, sha256_of(path))
        if why is None:
            return path
        path.unlink()
        with progress.stage("Deleted", unit="files") as stage:
            stage.advance()
            stage.summarize(why)
    return download(file, own, progress=progress, pauses=pauses)


def _have_parts(
    dataset: DataSet,
    own: Path,
    given: str | Path | None,
    progress: Progress,
    pauses: Sequence[float],
) -> None:
    """Unpack the archive of each part; those downloaded for it are dropped in the end."""
    archives, downloaded = [], []
    for file in dataset.files:
        path = locate(dataset, file, given)
        if path is None and given is not None:
            raise missing(dataset, given, ())
        if path is None:
            path = _have(file, own, progress, pauses)
            downloaded.append(path)
        archives.append(path)
    parts = dict.fromkeys(name.partition("/")[0] for name in dataset.tree)
    for part, archive in zip(parts, archives, strict=True):
        _unpack_part(dataset, own / part, archive, progress)
    for path in downloaded:
        path.unlink()


def _unpack_part(dataset: DataSet, folder: Path, archive: Path, progress: Progress) -> None:
    expected = sum(n for name, n in dataset.tree.items() if name.startswith(f"{folder.name}/"))
    if folder.exists():
        if sum(path.is_file() for path in folder.rglob("*")) == expected:
            return  # unpacked before an interruption
        raise DataError(
            f"'{folder}' exists, and is not whole.",
            remedy="Move it away, and run the same command again.",
            code="folder_in_use",
        )
    with progress.stage("Unpack", unit="files") as stage:
        n = unpack(
            archive,
            folder,
            most_files=expected + _BESIDE,
            most_bytes=_UNPACKED * archive.stat().st_size,
        )
        stage.advance(n)
        stage.summarize(f"{n:,} files into {folder}/")
