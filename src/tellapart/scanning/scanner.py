"""The one pass over the bytes: hash, decode, measure, and feed the consumers of pixels.

:func:`scan` asks the cache what is known, gives chunks of the other rows to threads, and
collects the results. A thread reads and hashes the files of its chunk, asks the cache again
(a new path may have a known content), and gives what is still unknown to
:func:`tellapart.scanning.chunk.read_chunk`, a pure function of the bytes. A
:class:`~tellapart.scanning.consumers.Consumer` gets every picture's pixels in that same pass, such
as a backbone, so no picture is decoded twice for one command.

Example:
    >>> scanned = scan(open_catalog("pets/"))  # doctest: +SKIP
    >>> scanned.frame.group_by("format").len()  # doctest: +SKIP
"""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tellapart.core.cache import Cache
from tellapart.core.errors import PictureError, SettingsError
from tellapart.core.progress import SILENT, Progress
from tellapart.core.resources import cores
from tellapart.data.catalog import Catalog
from tellapart.images.resizing import RGB, Fit
from tellapart.scanning.chunk import Request, read_chunk
from tellapart.scanning.consumers import Consumer, PixelConsumer, allocate
from tellapart.scanning.encoding import KIND, PASSING, pack, unpack, unpack_answer
from tellapart.scanning.facts import FACTS, THUMB, Fact, Record, failure, schema

__all__ = ["Consumer", "PixelConsumer", "Scan", "scan"]

CHUNK = 16
"""Pictures of one task; a picture of several megabytes counts as several."""
_CHUNK_BYTES = 32 << 20
_LOOKUP = 1_000


@dataclass(frozen=True)
class Scan:
    """What one pass over a catalog found; row ``i`` is the catalog's row ``i`` throughout.

    Attributes:
        catalog: What was scanned.
        frame: The catalog's columns, ``content`` (SHA-256 of the bytes), ``error`` (a
            :class:`PictureError` code), ``error_message``, and a column for each fact of
            :data:`tellapart.scanning.facts.FACTS`, null if a picture cannot be decoded.
        thumbs: uint8 ``[N, 64, 64]`` luma, zeros if a picture cannot be decoded.
        answers: The answers of each consumer by its key, ``[N, *shape]``, zeros likewise.
        decoded: How many pictures were decoded; the others were known from the cache.
        seconds: How long the pass took.
    """

    catalog: Catalog
    frame: pl.DataFrame
    thumbs: NDArray[np.uint8]
    answers: Mapping[str, NDArray[Any]]
    decoded: int
    seconds: float

    def __len__(self) -> int:
        return len(self.catalog)

    def pixels(self, size: int, fit: Fit = "squash") -> RGB:
        """The resized pixels, uint8 ``[N, size, size, 3]``, of a size that was asked for.

        Raises:
            SettingsError: If the scan was not asked for that size.
        """
        key = PixelConsumer(size, fit).key
        if key not in self.answers:
            raise SettingsError(f"This scan has no pixels of size {size}, {fit}.")
        return self.answers[key]

    def _repr_html_(self) -> str:
        return str(self.frame._repr_html_())


def scan(
    catalog: Catalog,
    *,
    consumers: Sequence[Consumer] = (),
    facts: Sequence[Fact] = FACTS,
    cache: Cache | None = None,
    workers: int | None = None,
    rescan: bool = False,
    progress: Progress = SILENT,
    title: str = "Reading",
) -> Scan:
    """Read, hash, decode and measure every picture of a catalog, once.

    Args:
        catalog: The pictures.
        consumers: What else gets their pixels in the same pass.
        facts: What to measure.
        cache: Supplies known answers and keeps new ones; None works without.
        workers: Threads; the number of usable cores unless given.
        rescan: Distrust path, size and time, and hash every file again.
        progress: Gets the number of pictures that are done.
        title: The stage's name for ``progress``.

    Returns:
        The scan. A picture that cannot be decoded has its reason in ``error``.

    Raises:
        CacheError: If the cache cannot be written, as on a full disk.
    """
    start = time.perf_counter()
    n = len(catalog)
    job = _Pass(catalog, consumers, facts, cache)
    with progress.stage(title, total=n) as stage:
        if not rescan:
            job.take_known()
        unfinished = job.unfinished()
        stage.advance(n - len(unfinished))
        chunks = _chunks(unfinished, catalog.columns["bytes"])
        for rows in _spread(job.look, chunks, workers or cores()):
            job.take(rows)
            stage.advance(len(rows))
    return Scan(
        catalog=catalog,
        frame=catalog.frame.hstack(job.frame()),
        thumbs=job.thumbs,
        answers=job.answers,
        decoded=job.decoded,
        seconds=time.perf_counter() - start,
    )


@dataclass(slots=True)
class _Row:
    """What a thread found out about one picture."""

    row: int
    content: str | None = None
    record: Record | None = None
    thumb: NDArray[np.uint8] | None = None
    answers: dict[str, NDArray[Any]] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)  # keys of consumers without an answer
    decoded: bool = False


class _Pass:
    """What is known of each row, from the cache and from what the threads find."""

    def __init__(
        self,
        catalog: Catalog,
        consumers: Sequence[Consumer],
        facts: Sequence[Fact],
        cache: Cache | None,
    ) -> None:
        n = len(catalog)
        self.thumbs = np.zeros((n, THUMB, THUMB), np.uint8)
        self.answers = {each.key: allocate(each, n) for each in consumers}
        self.decoded = 0
        self._catalog, self._consumers, self._facts = catalog, consumers, facts
        self._cache = cache
        self._identities = [catalog.source.identity(row) for row in range(n)]
        self._expected: list[str | None] = [None] * n  # contents, by path, size and time
        self._contents: list[str | None] = [None] * n
        self._records: list[Record | None] = [None] * n
        self._missing: dict[str, set[int]] = {each.key: set(range(n)) for each in consumers}

    def take_known(self) -> None:
        """Fill in what the cache knows of files that did not change."""
        if self._cache is None:
            return
        self._expected = self._cache.contents(self._identities)
        known = [row for row, content in enumerate(self._expected) if content is not None]
        for start in range(0, len(known), _LOOKUP):
            rows = [_Row(row, self._expected[row]) for row in known[start : start + _LOOKUP]]
            for row in rows:
                row.missing = set(self.answers)
            self._recall(rows)
            for row in rows:
                if row.record is not None:
                    self._keep(row)

    def unfinished(self) -> list[int]:
        """The rows that must still be read, in order."""
        todo = {row for row, record in enumerate(self._records) if record is None}
        return sorted(todo.union(*self._missing.values()))

    def look(self, rows: Sequence[int]) -> list[_Row]:
        """Read and hash files, and find out what is not known of their contents; in a thread."""
        found: list[_Row] = []
        data: dict[int, bytes] = {}
        for index in rows:
            row = _Row(index)
            found.append(row)
            try:
                data[index] = self._catalog.source.read(index)
            except PictureError as error:
                row.record = failure(error)
                continue
            row.content = hashlib.sha256(data[index]).hexdigest()
            row.missing = set(self.answers)
            if row.content == self._expected[index]:  # else what is known is of another content
                row.record = self._records[index]
                row.missing = {key for key, rows in self._missing.items() if index in rows}
        self._recall([row for row in found if row.content is not None and row.record is None])
        unknown = [
            row
            for row in found
            if row.record is None or (row.missing and row.record["error"] is None)
        ]
        requests = [
            Request(data[row.row], row.record is None, frozenset(row.missing)) for row in unknown
        ]
        readings = read_chunk(requests, self._consumers, self._facts)
        for row, reading in zip(unknown, readings, strict=True):
            row.decoded = True
            row.answers |= reading.answers
            if reading.record is not None:
                row.record, row.thumb = reading.record, reading.thumb
        return found

    def _recall(self, rows: Sequence[_Row]) -> None:
        """Fill in what the cache knows of the rows' contents."""
        if self._cache is None or not rows:
            return
        contents = sorted({str(row.content) for row in rows})
        records = self._cache.get(KIND, contents)
        for row in rows:
            known = unpack(records.get(str(row.content)), self._facts)
            if known is not None:
                row.record, row.thumb = known
        for consumer in self._consumers:
            values = self._cache.get(consumer.key, contents) if consumer.keep else {}
            for row in rows:
                answer = unpack_answer(consumer, values.get(str(row.content)))
                if answer is not None and consumer.key in row.missing:
                    row.answers[consumer.key] = answer
                    row.missing.discard(consumer.key)

    def take(self, rows: Sequence[_Row]) -> None:
        """Keep what a thread found, in the cache as well."""
        if self._cache is not None:
            self._remember(self._cache, rows)
        for row in rows:
            self._keep(row)
            self.decoded += row.decoded

    def _keep(self, row: _Row) -> None:
        assert row.record is not None
        self._records[row.row], self._contents[row.row] = row.record, row.content
        if row.thumb is not None:
            self.thumbs[row.row] = row.thumb
        for key, missing in self._missing.items():
            if key in row.answers:
                self.answers[key][row.row] = row.answers[key]
            if key in row.answers or row.record["error"] is not None:
                missing.discard(row.row)

    def _remember(self, cache: Cache, rows: Sequence[_Row]) -> None:
        sound = [
            row for row in rows if row.content and row.record and row.record["error"] not in PASSING
        ]
        records = {
            str(row.content): pack(row.record, row.thumb)
            for row in sound
            if row.record is not None and (row.thumb is not None or row.record["error"])
        }
        if records:
            cache.put(KIND, records)
        for consumer in self._consumers:
            answers = {
                str(row.content): row.answers[consumer.key].tobytes()
                for row in sound
                if consumer.key in row.answers
            }
            if consumer.keep and answers:
                cache.put(consumer.key, answers)
        cache.remember((self._identities[row.row], str(row.content)) for row in sound)

    def frame(self) -> pl.DataFrame:
        """The facts as columns."""
        records = [record or {} for record in self._records]
        columns = {name: [record.get(name) for record in records] for name in schema(self._facts)}
        return pl.DataFrame(columns | {"content": self._contents}, schema=schema(self._facts))


def _chunks(rows: Sequence[int], sizes: Sequence[int]) -> deque[list[int]]:
    """Rows in chunks of a few pictures and megabytes, since a chunk is in memory at once."""
    chunks: deque[list[int]] = deque()
    room = 0
    for row in rows:
        if not chunks or len(chunks[-1]) == CHUNK or sizes[row] > room:
            chunks.append([])
            room = _CHUNK_BYTES
        chunks[-1].append(row)
        room -= sizes[row]
    return chunks


def _spread(
    work: Callable[[list[int]], list[_Row]], chunks: deque[list[int]], workers: int
) -> Iterator[list[_Row]]:
    """Run the work on chunks in threads, a few ahead of the collector and no more."""
    with ThreadPoolExecutor(workers, thread_name_prefix="scan") as pool:
        running: deque[Future[list[_Row]]] = deque()
        try:
            while chunks or running:
                while chunks and len(running) < 2 * workers:
                    running.append(pool.submit(work, chunks.popleft()))
                yield running.popleft().result()
        except BaseException:  # an interrupt as well: finish what runs, start nothing more
            for future in running:
                future.cancel()
            raise
