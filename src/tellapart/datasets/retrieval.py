"""Get a data set: find a copy on this machine, or write, unpack or download one.

New files go into the download folder and nowhere else. Interrupted downloads are kept, and the same
command continues them.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from tellapart.core.errors import DataError, DownloadError
from tellapart.core.progress import SILENT, Progress
from tellapart.datasets.dataset import DataFile, DataSet
from tellapart.datasets.downloads import PAUSES, download
from tellapart.datasets.registry import named
from tellapart.datasets.search import by_hand, datasets_folder, find_file, missing, search
from tellapart.datasets.unpacking import unpack
from tellapart.datasets.verification import Found, mismatch, sha256_of

_GROWTH = 4  # largest factor by which an archive may grow: pictures hardly compress
_OTHER_FILES = 100  # largest number of files in an archive besides its pictures


class Interrupted(KeyboardInterrupt):
    """Getting a data set was interrupted, and what was downloaded is kept.

    Args:
        name: The data set.
        given: The path that the user named, if any.
    """

    def __init__(self, name: str, given: str | Path | None = None) -> None:
        super().__init__(name)
        self.name = name
        self.given = given

    @property
    def command(self) -> str:
        """The command line that continues."""
        more = "" if self.given is None else f" --from {shlex.quote(str(self.given))}"
        return f"tellapart data get {self.name}{more}"


def get(
    name: str,
    *,
    given: str | Path | None = None,
    progress: Progress = SILENT,
    pauses: Sequence[float] = PAUSES,
) -> Found:
    """A copy of a data set: one on this machine if there is one, else a new one.

    Args:
        name: The data set, as in ``tellapart data list``.
        given: A file or folder to take it from; then nothing is downloaded.
        progress: Where progress is reported.
        pauses: Seconds before each further try of a download.

    Raises:
        SettingsError: There is no data set with that name.
        DataError: There is no copy, and no download.
        DownloadError: The download failed; the message says what to do without it.
        SourceError: Its archive cannot be unpacked.
        Interrupted: By Ctrl-C; the same command continues.

    Example:
        >>> get("mnist").path  # doctest: +SKIP
        PosixPath('/home/me/.local/share/tellapart/datasets/mnist')
    """
    dataset = named(name)
    found, refused = search(dataset, given)
    if found is not None:
        return found
    own = datasets_folder() / dataset.name
    try:
        if dataset.form == "parts":
            _unpack_parts(dataset, own, given, progress, pauses)
        elif dataset.form == "embedded" and given is None:
            from tellapart.datasets.digits import write_digits

            write_digits(own)
        elif given is None and dataset.downloadable:
            for file in dataset.files:
                _own_file(file, own, progress, pauses)
        else:
            raise missing(dataset, given, refused)
    except DownloadError as error:
        if error.code == "in_use":
            raise
        why = "".join(f" {sentence}" for sentence in refused)
        raise DownloadError(
            f"There is no copy of {name!r} on this machine.{why} The download failed: "
            f"{error.message}",
            remedy=by_hand(dataset),
            code=error.code,
        ) from error
    except KeyboardInterrupt:
        raise Interrupted(name, given) from None
    found, refused = search(dataset, given)
    if found is None:
        raise missing(dataset, given, refused)
    return found


def _own_file(file: DataFile, own: Path, progress: Progress, pauses: Sequence[float]) -> Path:
    """One file in the download folder; a damaged download is deleted, with a message."""
    path = own / file.name
    if path.is_file():
        why = mismatch(file, path, sha256_of(path))
        if why is None:
            return path
        path.unlink()
        with progress.stage("Deleted", unit="files") as stage:
            stage.advance()
            stage.summarize(why)
    return download(file, own, progress=progress, pauses=pauses)


def _unpack_parts(
    dataset: DataSet,
    own: Path,
    given: str | Path | None,
    progress: Progress,
    pauses: Sequence[float],
) -> None:
    """Unpack the archive of each part; archives downloaded for this are deleted at the end."""
    archives, downloaded = [], []
    for file in dataset.files:
        path = find_file(dataset, file, given)
        if path is None and given is not None:
            raise missing(dataset, given, ())
        if path is None:
            path = _own_file(file, own, progress, pauses)
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
            most_files=expected + _OTHER_FILES,
            most_bytes=_GROWTH * archive.stat().st_size,
        )
        stage.advance(n)
        stage.summarize(f"{n:,} files into {folder}/")
