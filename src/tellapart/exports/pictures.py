"""The pictures that an export is checked on, found again in the run's own data.

A run keeps where its data lay and the SHA-256 of every picture, so what is read here are the very
pictures that the run held out, or none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tellapart.core.errors import PictureError, RunError, TellapartError
from tellapart.core.progress import SILENT, Progress
from tellapart.core.resources import cores
from tellapart.data.catalog import Catalog, open_catalog
from tellapart.data.sources.names import raw
from tellapart.images.decoder import decode
from tellapart.images.resizing import RGB, Fit, resize
from tellapart.pipelines.evaluate import indices
from tellapart.runs import Run

HELD_OUT, EACH_IN_TURN = "held_out", "training"
"""What a run is checked on: the pictures it held out; or, where too few were held out and folds
measured, those that it learnt from."""
_AHEAD = 32  # pictures that are decoded at a time


class Pictures:
    """Some pictures of a run: their bytes, and their pixels as the run sees them.

    Args:
        catalog: Where they lie.
        rows: Their rows there.
        contents: The SHA-256 that the run knows each by.
        labels: int64 ``[n]``, places in the run's classes.
        size: Side in pixels that they are brought to.
        fit: How.
        file: Where the pixels are kept, a ``.npy`` that other processes can map.

    Attributes:
        paths: Their printable paths.
        labels: int64 ``[n]``.
        file: The ``.npy`` of :meth:`load`.
    """

    def __init__(
        self,
        catalog: Catalog,
        rows: Sequence[int],
        contents: Sequence[str],
        labels: NDArray[np.int64],
        *,
        size: int,
        fit: Fit,
        file: Path,
    ) -> None:
        self.paths = [catalog.paths[row] for row in rows]
        self.labels = labels
        self.file = file
        self._catalog = catalog
        self._rows = list(rows)
        self._contents = list(contents)
        self._shape = (len(rows), size, size, 3)
        self._fit: Fit = fit
        self._pixels: RGB | None = None

    def __len__(self) -> int:
        return len(self._rows)

    def read(self, place: int) -> bytes:
        """The bytes of one picture, as the run saw them.

        Raises:
            RunError: If they are gone or others, with code ``data_changed``.
        """
        try:
            data = self._catalog.source.read(self._rows[place])
        except PictureError as error:
            raise changed(f"{self.paths[place]} cannot be read any more") from error
        if hashlib.sha256(data).hexdigest() != self._contents[place]:
            raise changed(f"{self.paths[place]} is not the picture that it was")
        return data

    def load(self, progress: Progress = SILENT, *, title: str = "Reading") -> RGB:
        """Their pixels, uint8 ``[n, size, size, 3]``, through the one decoder; read once.

        Raises:
            RunError: As :meth:`read`.
        """
        if self._pixels is None:
            made: np.memmap[Any, np.dtype[np.uint8]] = np.lib.format.open_memmap(
                self.file, "w+", dtype=np.uint8, shape=self._shape
            )
            with progress.stage(title, total=len(self)) as stage:
                for start, squares in self._squares():
                    made[start : start + len(squares)] = squares
                    stage.advance(len(squares))
            made.flush()
            self._pixels = made
        return self._pixels

    def _squares(self) -> Iterator[tuple[int, list[RGB]]]:
        def square(place: int) -> RGB:
            return resize(decode(self.read(place)).pixels, self._shape[1], self._fit)

        with ThreadPoolExecutor(cores(), thread_name_prefix="decode") as pool:
            for start in range(0, len(self), _AHEAD):
                places = range(start, min(start + _AHEAD, len(self)))
                yield start, list(pool.map(square, places))


class RunData:
    """The data of a run, opened again.

    Args:
        run: The run.
        data: Where its data lies now, if it was moved; else where the run found it.
        folder: For pixels; made before they are asked for, and gone when the export is done.

    Attributes:
        of: :data:`HELD_OUT` or :data:`EACH_IN_TURN`.
        catalog: The data.

    Raises:
        RunError: If the data cannot be opened any more, with code ``data_gone``.
    """

    def __init__(self, run: Run, data: str | Path | None, folder: Path) -> None:
        self.run = run
        self.catalog = _opened(run, data)
        self.folder = folder
        folds = run.metrics["held_out"].get("method") == "folds"
        self.of = EACH_IN_TURN if folds else HELD_OUT
        self._rows = {path: row for row, path in enumerate(self.catalog.paths)}
        self._by_content: dict[str, int] | None = None

    def held_out(self) -> Pictures:
        """The pictures that the run's headline counts.

        Raises:
            RunError: If one of them is gone.
        """
        counted = self.run.predictions.filter(pl.col("counted"))["path"]
        wanted = self.run.split.filter(pl.col("path").is_in(counted.to_list()))
        return self._pictures(wanted, "held-out.npy")

    def training(self, most: int, *, seed: int = 0) -> Pictures:
        """Some of the pictures that the model learnt from, as many of each class as can be.

        Args:
            most: How many at most.
            seed: Draws them.

        Raises:
            RunError: If one of them is gone.
        """
        learnt = self.run.split.filter(pl.col("side") == "train").sort("path")
        order = np.random.default_rng(seed).permutation(learnt.height)
        drawn = learnt[order.tolist()].with_columns(
            turn=pl.int_range(pl.len()).over("label"),
        )
        chosen = drawn.sort("turn", "label", maintain_order=True).head(most).sort("path")
        return self._pictures(chosen, "training.npy")

    def _pictures(self, wanted: pl.DataFrame, name: str) -> Pictures:
        contents = wanted["content"].to_list()
        rows = [
            self._row(path, content) for path, content in zip(wanted["path"], contents, strict=True)
        ]
        gone = [path for path, row in zip(wanted["path"], rows, strict=True) if row is None]
        if gone or not rows:
            raise changed(
                f"{len(gone):,} of {len(rows):,} pictures are no longer there, such as {gone[0]}"
                if gone
                else "the run names none of its pictures"
            )
        model = self.run.model
        return Pictures(
            self.catalog,
            [row for row in rows if row is not None],
            contents,
            indices(wanted["label"].to_list(), self.run.classes),
            size=model.size,
            fit=model.fit,
            file=self.folder / name,
        )

    def _row(self, path: str, content: str) -> int | None:
        """Where a picture lies now: under its path, or else wherever its content is."""
        row = self._rows.get(path)
        if row is not None and self._by_content is None:
            return row
        if self._by_content is None:
            self._by_content = self._contents()
        return self._by_content.get(content, row)

    def _contents(self) -> dict[str, int]:
        """The row of every content; read only where paths are not what they were."""

        def digest(row: int) -> str | None:
            try:
                return hashlib.sha256(self.catalog.source.read(row)).hexdigest()
            except PictureError:
                return None

        with ThreadPoolExecutor(cores(), thread_name_prefix="hash") as pool:
            digests = list(pool.map(digest, range(len(self.catalog))))
        return {one: row for row, one in enumerate(digests) if one is not None}


def changed(why: str) -> RunError:
    """The error about data that is not what the run saw."""
    return RunError(
        f"The data of the run is not what it was: {why}.",
        remedy="Bring the pictures back as they were, or say with --data where they lie now.",
        code="data_changed",
    )


def _opened(run: Run, data: str | Path | None) -> Catalog:
    chosen = run.settings.get("settings", {})
    location = str(run.settings.get("data", {}).get("location", ""))
    try:
        return open_catalog(
            raw(location) if data is None else data,
            label_from=chosen.get("label_from"),
            group_from=chosen.get("group_from"),
        )
    except TellapartError as error:
        where = location if data is None else str(data)
        raise RunError(
            f"An export is checked on the pictures that the run held out, but its data cannot be "
            f"opened: {error.message}",
            remedy=f"Bring '{where}' back, or say with --data where the pictures lie now.",
            code="data_gone",
        ) from error
