"""The one pass over the bytes: hash, decode, facts, and whatever else wants the pixels.

Who does what: :func:`scan` plans (what does the cache already know?) and collects; worker
threads run :class:`_Work` on chunks of rows: a pure function of the bytes. A :class:`Tap`
is anything that wants every picture's pixels at some size in that same pass, such as a
backbone's features, so that no picture is decoded twice for one command.

Example:
    >>> scanned = scan(open_catalog("pets/"))  # doctest: +SKIP
    >>> scanned.frame.group_by("format").len()  # doctest: +SKIP
"""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tellapart.core.cache import Cache
from tellapart.core.errors import PictureError, SettingsError
from tellapart.core.progress import SILENT, Progress, Stage
from tellapart.core.resources import cores
from tellapart.data.catalog import Catalog
from tellapart.images.decoder import RGB, Fit, Picture, decode, resize
from tellapart.scanning import record
from tellapart.scanning.consumers import PixelTap, Tap, read_answer, room_for
from tellapart.scanning.facts import SIDE, THUMB

__all__ = ["PixelTap", "Scan", "Tap", "scan"]

CHUNK = 16
_LOOKUP = 1_000


@dataclass(frozen=True)
class Scan:
    """What one pass over a catalog found; row ``i`` is the catalog's row ``i`` throughout.

    Attributes:
        catalog: What was scanned.
        frame: The catalog's columns and ``content`` (SHA-256 of the bytes), ``format``,
            ``width``, ``height``, ``mode``, ``bits``, ``frames``, ``orientation``, ``alpha``,
            ``gray``, ``cmyk``, ``error`` (a :class:`PictureError` code), ``error_message``,
            ``note``, ``brightness``, ``contrast``, ``sharpness``, ``dhash``.
        thumbs: uint8 ``[N, 64, 64]`` luma, zeros where a picture cannot be decoded.
        taps: The answers of each tap by its key, ``[N, *shape]``, zeros likewise.
        decoded: How many pictures were decoded, the rest being known from the cache.
        seconds: How long the pass took.
    """

    catalog: Catalog
    frame: pl.DataFrame
    thumbs: NDArray[np.uint8]
    taps: Mapping[str, NDArray[Any]]
    decoded: int
    seconds: float

    def __len__(self) -> int:
        return len(self.catalog)

    def pixels(self, size: int, fit: Fit = "squash") -> RGB:
        """The resized pixels, uint8 ``[N, size, size, 3]``, of a size that was asked for.

        Raises:
            SettingsError: If the scan was not asked for that size.
        """
        key = PixelTap(size, fit).key
        if key not in self.taps:
            raise SettingsError(f"This scan was not asked for pixels of size {size}, {fit}.")
        return self.taps[key]

    def _repr_html_(self) -> str:
        return str(self.frame._repr_html_())


@dataclass(slots=True)
class _Row:
    """What the pass knows of one picture."""

    row: int
    content: str | None
    record: dict[str, Any] | None = None
    thumb: NDArray[np.uint8] | None = None
    answers: dict[str, NDArray[Any]] = field(default_factory=dict)
    changed: bool = False
    decoded: bool = False


def scan(
    catalog: Catalog,
    *,
    taps: Sequence[Tap] = (),
    cache: Cache | None = None,
    workers: int | None = None,
    rescan: bool = False,
    progress: Progress = SILENT,
    title: str = "Reading",
) -> Scan:
    """Read, hash, decode and measure every picture of a catalog, once.

    Args:
        catalog: The pictures.
        taps: What else wants their pixels in the same pass.
        cache: Where known answers come from and new ones go; None works without.
        workers: Threads; the number of usable cores unless given.
        rescan: Distrust path, size and time, and hash every file again.
        progress: Who is told how far it is.
        title: The stage's name for ``progress``.

    Returns:
        The scan. A picture that cannot be decoded has its reason in ``error``.

    Raises:
        CacheError: If the cache cannot be written, as on a full disk.
    """
    start = time.perf_counter()
    n = len(catalog)
    columns = _Collected(n, taps)
    identities = [catalog.source.identity(row) for row in range(n)]
    with progress.stage(title, total=n) as stage:
        contents: list[str | None] = [None] * n
        if cache is not None and not rescan:
            contents = cache.contents(identities)
            columns.take_known(contents, cache, stage)
        work = _Work(catalog, taps, cache, contents, columns)
        for rows in _spread(work, columns.unfinished(), workers or cores()):
            if cache is not None:
                _remember(cache, rows, identities, taps)
            for row in rows:
                columns.take(row)
            stage.advance(len(rows))
    return Scan(
        catalog=catalog,
        frame=catalog.frame.hstack(columns.frame()),
        thumbs=columns.thumbs,
        taps=columns.taps,
        decoded=columns.decoded,
        seconds=time.perf_counter() - start,
    )


class _Collected:
    """The answers as they come in, by row."""

    def __init__(self, n: int, taps: Sequence[Tap]) -> None:
        self.records: list[dict[str, Any] | None] = [None] * n
        self.contents: list[str | None] = [None] * n
        self.thumbs = np.zeros((n, THUMB, THUMB), np.uint8)
        self.taps = {tap.key: room_for(tap, n) for tap in taps}
        self.missing: dict[str, set[int]] = {tap.key: set(range(n)) for tap in taps}
        self.decoded = 0
        self._taps = taps

    def take_known(self, contents: Sequence[str | None], cache: Cache, stage: Stage) -> None:
        """Fill in what the cache knows of contents that are known without reading."""
        for start in range(0, len(contents), _LOOKUP):
            rows = [
                row
                for row in range(start, min(start + _LOOKUP, len(contents)))
                if contents[row] is not None
            ]
            wanted = sorted({str(contents[row]) for row in rows})
            facts = cache.get(record.KIND, wanted)
            for row in rows:
                content = str(contents[row])
                known = record.unpack(facts.get(content))
                if known is not None:
                    values, thumb = known
                    self.records[row], self.contents[row] = values, content
                    self.thumbs[row] = thumb
                    if values["error"] is not None:
                        for missing in self.missing.values():
                            missing.discard(row)
            for tap in self._taps:
                values = cache.get(tap.key, wanted) if tap.keep else {}
                for row in rows:
                    answer = read_answer(tap, values.get(str(contents[row])))
                    if answer is not None and self.records[row] is not None:
                        self.taps[tap.key][row] = answer
                        self.missing[tap.key].discard(row)
        stage.advance(len(self.records) - len(self.unfinished()))

    def take(self, row: _Row) -> None:
        """Fill in what a worker found."""
        assert row.record is not None
        self.records[row.row], self.contents[row.row] = row.record, row.content
        if row.thumb is not None:
            self.thumbs[row.row] = row.thumb
        for key, answer in row.answers.items():
            self.taps[key][row.row] = answer
        self.decoded += row.decoded

    def unfinished(self) -> list[int]:
        """The rows that somebody must still read, in order."""
        todo = {row for row, values in enumerate(self.records) if values is None}
        return sorted(todo.union(*self.missing.values()))

    def frame(self) -> pl.DataFrame:
        """The facts as columns."""
        records = [values or {} for values in self.records]
        series = [
            pl.Series(
                name,
                self.contents if name == "content" else [values.get(name) for values in records],
                dtype=dtype,
            )
            for name, dtype in record.COLUMNS.items()
        ]
        return pl.DataFrame(series)


@dataclass(frozen=True)
class _Work:
    """What a worker thread does with a chunk of rows."""

    catalog: Catalog
    taps: Sequence[Tap]
    cache: Cache | None
    contents: Sequence[str | None]
    known: _Collected

    def __call__(self, rows: Sequence[int]) -> list[_Row]:
        """Read, decode and measure; then give each tap its pixels as one batch."""
        results: list[_Row] = []
        batches: dict[str, list[tuple[_Row, RGB]]] = {tap.key: [] for tap in self.taps}
        for index in rows:
            row, picture = self._look(index)
            results.append(row)
            if picture is None:
                continue
            squares: dict[tuple[int, Fit], RGB] = {}  # equal wishes share one resize
            for tap in self._wanting(row):
                wish = (tap.size, tap.fit)
                if wish not in squares:
                    squares[wish] = resize(picture.pixels, *wish)
                batches[tap.key].append((row, squares[wish]))
            if row.record is None:
                square = squares.get((SIDE, "squash"))
                row.record, row.thumb = record.measured(picture, square)
        for tap in self.taps:
            batch = batches[tap.key]
            if batch:
                answers = tap.apply(np.stack([pixels for _, pixels in batch]))
                for (row, _), answer in zip(batch, answers, strict=True):
                    row.answers[tap.key] = answer
        return results

    def _look(self, index: int) -> tuple[_Row, Picture | None]:
        row = _Row(index, self.contents[index], self.known.records[index])
        try:
            data = self.catalog.source.read(index)
        except PictureError as error:
            row.content, row.record = None, record.failed(error)
            return row, None
        row.content = hashlib.sha256(data).hexdigest()
        row.changed = row.content != self.contents[index]
        if row.changed:
            row.record = None  # what was known is of another content
        self._recall(row)
        if row.record is not None and (row.record["error"] or not self._wanting(row)):
            return row, None
        try:
            picture = decode(data)
        except PictureError as error:
            row.record, row.decoded = record.failed(error), True
            return row, None
        row.decoded = True
        return row, picture

    def _recall(self, row: _Row) -> None:
        """A file that is new here may have a content that is known."""
        if self.cache is None or row.content is None or row.record is not None:
            return
        known = record.unpack(self.cache.get(record.KIND, [row.content]).get(row.content))
        if known is not None:
            row.record, row.thumb = known
        for tap in self.taps:
            if tap.keep and self._asked(row, tap):
                value = self.cache.get(tap.key, [row.content]).get(row.content)
                answer = read_answer(tap, value)
                if answer is not None:
                    row.answers[tap.key] = answer

    def _wanting(self, row: _Row) -> list[Tap]:
        return [tap for tap in self.taps if self._asked(row, tap) and tap.key not in row.answers]

    def _asked(self, row: _Row, tap: Tap) -> bool:
        """Whether the tap has no answer for this very content yet."""
        return row.changed or row.row in self.known.missing[tap.key]


def _spread(work: _Work, rows: Sequence[int], workers: int) -> Iterator[list[_Row]]:
    """Run the work on chunks in threads, a few ahead of the collector and no more."""
    chunks = deque(list(rows[start : start + CHUNK]) for start in range(0, len(rows), CHUNK))
    with ThreadPoolExecutor(workers, thread_name_prefix="scan") as pool:
        running: deque[Future[list[_Row]]] = deque()
        try:
            while chunks or running:
                while chunks and len(running) < 2 * workers:
                    running.append(pool.submit(work, chunks.popleft()))
                yield running.popleft().result()
        except BaseException:  # an interrupt, too: finish what runs, start nothing more
            for future in running:
                future.cancel()
            raise


def _remember(
    cache: Cache, rows: Sequence[_Row], identities: Sequence[Any], taps: Sequence[Tap]
) -> None:
    sound = [
        row
        for row in rows
        if row.content and row.record and not record.is_passing(row.record["error"])
    ]
    facts = {
        str(row.content): record.pack(row.record, row.thumb)
        for row in sound
        if row.record is not None and (row.thumb is not None or row.record["error"])
    }
    if facts:
        cache.put(record.KIND, facts)
    for tap in taps:
        answers = {
            str(row.content): row.answers[tap.key].tobytes()
            for row in sound
            if tap.key in row.answers
        }
        if tap.keep and answers:
            cache.put(tap.key, answers)
    cache.remember((identities[row.row], str(row.content)) for row in sound)
