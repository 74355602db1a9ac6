"""One file from its provider: resumable, checked, bounded, and whole or not at all.

What has come lies in ``NAME.part`` beside the place where the file will be, with a note of where
it came from in ``NAME.part.json``. A download that was cut goes on there: with a Range request,
and with If-Range, so that a file that changed meanwhile is sent from its beginning. Only what has
the known size and SHA-256 gets its name. Proxies are those of the environment, as urllib3
is told them.

Who does what: :func:`download` goes through the addresses, :func:`_fetch` tries one of them again
and again, :func:`_receive` makes one request; ``part`` keeps what has come, ``requesting`` knows
HTTP.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from tellapart.core.errors import DownloadError
from tellapart.core.progress import SILENT, Progress, Stage
from tellapart.datasets.copies import fault, sha256_of
from tellapart.datasets.dataset import DataFile
from tellapart.datasets.part import Part
from tellapart.datasets.requesting import (
    Connections,
    Passing,
    answer_to,
    chunks,
    length_of,
    start_of,
)

PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before each further try."""

CEILING = 2 * 1024**3
"""Bytes that a file of unknown size may have."""

_GAIN = 1024**2  # bytes that make a try count as a success, so that the pauses begin anew
_UNREACHABLE = 2  # further tries where nobody answers at all: most likely there is no network
_LONGEST = 60.0  # seconds that a server may ask us to wait


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
        folder: Where it goes; made with its parents where missing.
        progress: Who hears how far it is.
        pauses: Seconds before each further try; a try that brings a mebibyte starts them anew.

    Returns:
        The file, whole and checked.

    Raises:
        DownloadError: No address gave it: ``unreachable``, ``refused_by_server``, ``wrong_size``,
            ``wrong_checksum``, ``bad_redirect``, ``insecure``, ``certificate``, or ``in_use``
            where another process has it in hand.
    """
    folder.mkdir(parents=True, exist_ok=True)
    total = None if file.size is None else file.size // 1000
    with (
        Connections() as connections,
        Part(folder / f"{file.name}.part") as part,
        progress.stage("Download", total=total, unit="KB") as stage,
    ):
        meter = _Meter(stage)
        failure = DownloadError(f"{file.name} has no address.", code="no_address")
        for url in file.urls:
            try:
                _fetch(file, url, part, meter, connections, list(pauses))
            except DownloadError as error:
                failure = error
                continue
            stage.summarize(f"{file.name} · {part.size / 1e6:,.1f} MB")
            return part.finish(folder / file.name)
        raise failure


class _Meter:
    """Shows bytes as kilobytes."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._shown = 0

    def at(self, size: int) -> None:
        """Say how many bytes are there by now."""
        now = size // 1000
        self.stage.advance(now - self._shown)
        self._shown = now


def _fetch(
    file: DataFile,
    url: str,
    part: Part,
    meter: _Meter,
    connections: Connections,
    pauses: Sequence[float],
) -> None:
    """Have the file whole and checked in ``part``."""
    left = list(pauses)
    may_start_over = part.size > 0
    while True:
        before = part.size
        try:
            _receive(file, url, part, meter, connections)
        except Passing as passing:
            if part.size - before >= _GAIN:
                left = list(pauses)
            elif passing.unreachable and not part.size:
                left = left[:_UNREACHABLE]
            if not left:
                raise DownloadError(
                    f"{file.name} could not be downloaded: {passing}.", code=passing.code
                ) from passing
            pause = max(left.pop(0), min(passing.wait, _LONGEST))
            meter.stage.note(f"{passing}; trying again in {pause:.0f} s")
            time.sleep(pause)
            continue
        part.flush()
        sha256 = sha256_of(part.path)
        why = fault(file, part.path, sha256)
        if why is None:
            return
        part.discard()
        meter.at(0)
        if may_start_over:  # what lay there from an earlier download may be at fault
            may_start_over = False
            meter.stage.note(f"{file.name} was continued and came out wrong; starting over")
            continue
        raise DownloadError(
            f"What came from {url} is not the known file, and was deleted: its SHA-256 is "
            f"{sha256}, not {' or '.join(file.sha256s)}.",
            code="wrong_checksum",
        )


def _receive(file: DataFile, url: str, part: Part, meter: _Meter, connections: Connections) -> None:
    """Make one request, and take in what comes until it ends."""
    most = file.size if file.size is not None else CEILING
    known = part.origin_is(url)
    traced = bool(file.sha256s) or (known and part.validator is not None)
    if part.size > most or (part.size and not traced):
        part.discard()  # nothing would tell whether it is the beginning of the same file
    meter.at(part.size)
    if file.size is not None and part.size == file.size:
        return
    with answer_to(url, part.size, part.validator if known else None, connections) as answer:
        begin = start_of(answer, part.size)
        if begin is None:
            part.discard()
            meter.at(0)
            raise Passing(f"the server cannot continue {file.name}", code="refused_by_server")
        length = length_of(answer)
        offered = None if length is None else begin + length
        if offered is not None and (offered > most or (file.size or offered) != offered):
            raise _wrong_size(file, url, f"{offered:,} bytes", most)
        if begin == 0:
            part.discard()
        part.came_from(url, answer.headers)
        for chunk in chunks(answer):
            if part.size + len(chunk) > most:
                part.discard()
                raise _wrong_size(file, url, "more", most)
            part.write(chunk)
            meter.at(part.size)
    if part.size < (file.size or offered or 0):
        raise Passing(f"the connection ended after {part.size:,} bytes")


def _wrong_size(file: DataFile, url: str, offered: str, most: int) -> DownloadError:
    expected = "at most " if file.size is None else ""
    return DownloadError(
        f"What {url} offers is not {file.name}: it has {offered}, not {expected}{most:,} bytes.",
        code="wrong_size",
    )
