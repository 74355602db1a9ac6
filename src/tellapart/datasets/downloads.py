"""Download one file: resumable, checked, with a size limit, and complete or not there at all.

The bytes received so far are in ``NAME.part`` next to the future file, and ``NAME.part.json`` says
where they come from. An interrupted download continues there with a Range request, and with
If-Range, so that a server sends a changed file from its beginning. Only a file with the known
size and SHA-256 gets its name.

:func:`download` goes through the addresses of a file, ``_Transfer`` tries one of them repeatedly,
:mod:`.partial_file` keeps what was received, and :mod:`.http_client` makes one request.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tellapart.core.errors import DownloadError
from tellapart.core.progress import SILENT, Progress, Stage
from tellapart.datasets.dataset import DataFile
from tellapart.datasets.http_client import TransientFailure, body_of, request
from tellapart.datasets.partial_file import PartialFile
from tellapart.datasets.verification import mismatch, sha256_of

if TYPE_CHECKING:
    import urllib3

PAUSES: Final = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before each further try."""

SIZE_LIMIT = 2 * 1024**3
"""Largest number of bytes for a file of unknown size."""

_PROGRESS = 1024**2  # bytes that make a try count as a success, so that the pauses start anew
_TRIES_OFFLINE = 2  # further tries if no host can be reached: most likely there is no network
_LONGEST_PAUSE = 60.0  # seconds that a server can make us wait
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-[0-9]+/(?:[0-9]+|\*)")
_LENGTH = re.compile(r"[0-9]{1,18}")


def download(
    file: DataFile,
    folder: Path,
    *,
    progress: Progress = SILENT,
    pauses: Sequence[float] = PAUSES,
) -> Path:
    """Download one file of a data set.

    Args:
        file: Its record.
        folder: Where it goes; created with its parents if missing.
        progress: Where progress is reported, in kilobytes.
        pauses: Seconds before each further try; a try that brings a mebibyte starts them anew.

    Returns:
        The complete and checked file.

    Raises:
        DownloadError: All addresses failed, with the code of the last failure: ``unreachable``,
            ``refused_by_server``, ``wrong_size``, ``wrong_checksum``, ``bad_redirect``,
            ``insecure``, ``certificate``; or ``in_use`` if another process is downloading it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    total = None if file.size is None else file.size // 1000
    with (
        PartialFile(folder / f"{file.name}.part") as partial,
        progress.stage("Download", total=total, unit="KB") as stage,
    ):
        transfer = _Transfer(file, partial, stage)
        failure = DownloadError(f"{file.name} has no address.", code="no_address")
        for url in file.urls:
            try:
                transfer.fetch(url, pauses)
            except DownloadError as error:
                failure = error
                continue
            stage.summarize(f"{file.name} · {partial.size / 1e6:,.1f} MB")
            return partial.finish(folder / file.name)
        raise failure


class _Transfer:
    def __init__(self, file: DataFile, partial: PartialFile, stage: Stage) -> None:
        self._file = file
        self._partial = partial
        self._stage = stage
        self._shown = 0  # kilobytes
        self._most = SIZE_LIMIT if file.size is None else file.size

    def fetch(self, url: str, pauses: Sequence[float]) -> None:
        """Receive the whole file from one address, and check it."""
        continued = self._partial.size > 0
        self._receive_all(url, pauses)
        if continued and self._mismatch():  # the earlier part can be at fault
            self._discard()
            self._stage.note(f"{self._file.name} was continued and came out wrong; starting over")
            self._receive_all(url, pauses)
        if self._mismatch():
            sha256 = sha256_of(self._partial.path)
            self._discard()
            raise DownloadError(
                f"The download from {url} is not the known file, and was deleted: its SHA-256 is "
                f"{sha256}, not {' or '.join(self._file.sha256s)}.",
                code="wrong_checksum",
            )

    def _mismatch(self) -> str | None:
        self._partial.flush()
        return mismatch(self._file, self._partial.path, sha256_of(self._partial.path))

    def _receive_all(self, url: str, pauses: Sequence[float]) -> None:
        """Repeat requests until everything is there or the pauses are used up."""
        left = list(pauses)
        while True:
            before = self._partial.size
            try:
                return self._receive(url)
            except TransientFailure as failure:
                if self._partial.size - before >= _PROGRESS:
                    left = list(pauses)
                elif failure.unreachable and not self._partial.size:
                    left = left[:_TRIES_OFFLINE]
                if not left:
                    raise DownloadError(
                        f"{self._file.name} could not be downloaded: {failure}.", code=failure.code
                    ) from failure
                pause = max(left.pop(0), min(failure.wait, _LONGEST_PAUSE))
                self._stage.note(f"{failure}; trying again in {pause:.0f} s")
                time.sleep(pause)

    def _receive(self, url: str) -> None:
        """Make one request, and keep what it brings until it ends."""
        file, partial = self._file, self._partial
        same_url = partial.url == url
        # Without a checksum or a validator, nothing shows that it is the start of the same file.
        comparable = file.sha256s or (same_url and partial.validator)
        if partial.size > self._most or not comparable:
            self._discard()
        self._show()
        if partial.size == file.size:
            return
        headers = {}
        if partial.size:
            headers["Range"] = f"bytes={partial.size}-"
            if same_url and partial.validator:
                headers["If-Range"] = partial.validator
        with request(url, headers, plain_hosts=file.plain_hosts) as response:
            start = _start_of(response)
            if start not in (0, partial.size):
                self._discard()
                raise TransientFailure(
                    f"the server cannot continue {file.name}", code="refused_by_server"
                )
            total = _total(response, start)
            if total is not None and (total > self._most or total != (file.size or total)):
                raise self._wrong_size(url, f"{total:,} bytes")
            if start == 0:
                self._discard()
            partial.note_origin(url, response.headers)
            for chunk in body_of(response):
                if partial.size + len(chunk) > self._most:
                    self._discard()
                    raise self._wrong_size(url, "more")
                partial.write(chunk)
                self._show()
        if partial.size < (file.size or total or 0):
            raise TransientFailure(f"the connection ended after {partial.size:,} bytes")

    def _discard(self) -> None:
        self._partial.discard()
        self._show()

    def _show(self) -> None:
        kilobytes = self._partial.size // 1000
        self._stage.advance(kilobytes - self._shown)
        self._shown = kilobytes

    def _wrong_size(self, url: str, offered: str) -> DownloadError:
        at_most = "at most " if self._file.size is None else ""
        return DownloadError(
            f"{url} does not offer {self._file.name}: it has {offered}, "
            f"not {at_most}{self._most:,} bytes.",
            code="wrong_size",
        )


def _start_of(response: urllib3.BaseHTTPResponse) -> int | None:
    """The byte of the file at which an answer starts; None if it says nothing usable."""
    if response.status == 200:  # no ranges supported, or the file has changed
        return 0
    match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
    return int(match[1]) if response.status == 206 and match else None


def _total(response: urllib3.BaseHTTPResponse, start: int) -> int | None:
    """The size of the whole file in bytes, as the server gives it."""
    length = response.headers.get("Content-Length", "")
    known = _LENGTH.fullmatch(length) and "Transfer-Encoding" not in response.headers
    return start + int(length) if known else None
