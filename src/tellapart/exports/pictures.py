"""Finds the pictures that an export is checked on again, in the run's own data.

A run records where its data was and the SHA-256 of every picture, so either exactly the pictures
that the run held out are read here, or none.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tellapart.core.errors import PictureError, RunError, TellapartError
from tellapart.core.progress import SILENT, Progress
from tellapart.core.resources import cores
from tellapart.data.catalog import Catalog, open_again
from tellapart.data.sources.names import raw
from tellapart.images.decoder import decode
from tellapart.images.resizing import RGB, Fit, resize
from tellapart.pipelines.evaluate import class_indices
from tellapart.runs import Run

SAMPLE = 50
"""Pictures that a quick check uses: so many drawn at random, and at most so many mistakes."""


@dataclass
class Pictures:
    """Some pictures of a run: their bytes, and their pixels as the run sees them.

    Attributes:
        catalog: Where they are.
        rows: Their rows there.
        contents: The SHA-256 of each, as the run recorded it.
        labels: int64 ``[n]``, places in the run's classes.
        size: Side in pixels that they are resized to.
        fit: How they are fitted to it.
        file: Where the pixels are written, a ``.npy`` that other processes can map.
    """

    catalog: Catalog
    rows: Sequence[int]
    contents: Sequence[str]
    labels: NDArray[np.int64]
    size: int
    fit: Fit
    file: Path
    _pixels: RGB | None = field(default=None, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def paths(self) -> list[str]:
        """Their printable paths."""
        return [self.catalog.paths[row] for row in self.rows]

    def read(self, place: int) -> bytes:
        """The bytes of one picture, as the run saw them.

        Raises:
            RunError: If they are gone or have changed, with code ``data_changed``.
        """
        path = self.catalog.paths[self.rows[place]]
        try:
            data = self.catalog.source.read(self.rows[place])
        except PictureError as error:
            raise changed(f"{path} can no longer be read") from error
        if hashlib.sha256(data).hexdigest() != self.contents[place]:
            raise changed(f"{path} has another content")
        return data

    def load(self, progress: Progress = SILENT) -> RGB:
        """Their pixels, uint8 ``[n, size, size, 3]``, through the one decoder; read once.

        Raises:
            RunError: As :meth:`read`.
        """
        if self._pixels is None:
            made: np.memmap[Any, np.dtype[np.uint8]] = np.lib.format.open_memmap(
                self.file, "w+", dtype=np.uint8, shape=(len(self), self.size, self.size, 3)
            )

            def fill(place: int) -> None:
                made[place] = resize(decode(self.read(place)).pixels, self.size, self.fit)
                stage.advance()

            with (
                progress.stage("Reading", total=len(self)) as stage,
                ThreadPoolExecutor(cores(), thread_name_prefix="decode") as pool,
            ):
                deque(pool.map(fill, range(len(self))), maxlen=0)  # raises what a thread raised
            made.flush()
            self._pixels = made
        return self._pixels


class RunData:
    """The data of a run, opened again.

    Args:
        run: The run.
        data: Where its data is now, if it was moved.
        folder: For pixels; must exist before they are loaded.

    Attributes:
        of: ``"held_out"`` if the run held pictures out; ``"training"`` if it was measured by
            cross-validation, so that a check uses pictures that it learned from.
        catalog: The data.

    Raises:
        RunError: If the data cannot be opened, with code ``data_gone``.
    """

    def __init__(self, run: Run, data: str | Path | None, folder: Path) -> None:
        self.run = run
        self.catalog = _opened(run, data)
        self.folder = folder
        folds = run.metrics["held_out"].get("method") == "folds"
        self.of = "training" if folds else "held_out"

    def held_out(self, sample: int | None = None) -> tuple[Pictures, dict[str, int] | None]:
        """The pictures that the run's headline counts.

        Args:
            sample: Of the pictures that the model gets right, and of those that it gets wrong,
                use at most this many, drawn at random; None for all of them.

        Returns:
            The pictures; and, if they are not all, how many there are ``random``, how many
            ``mistakes``, and how many pictures in ``total``.

        Raises:
            RunError: If one of them is gone.
        """
        counted = self.run.predictions.filter(pl.col("counted"))
        drawn = counted
        if sample is not None:
            mixed = counted.sort("path").sample(fraction=1, shuffle=True, seed=0)
            drawn = mixed.filter(pl.int_range(pl.len()).over("correct") < sample)
        right = int(drawn["correct"].sum())
        taken = {"random": right, "mistakes": len(drawn) - right, "total": len(counted)}
        wanted = self.run.split.filter(pl.col("path").is_in(drawn["path"].to_list()))
        return self._pictures(wanted, "held-out.npy"), taken if len(drawn) < len(counted) else None

    def training(self, most: int) -> Pictures:
        """Some of the pictures that the model learned from, as evenly over the classes as possible.

        Args:
            most: Largest number of them. The same ones are drawn every time.

        Raises:
            RunError: If one of them is gone.
        """
        learned = self.run.split.filter(pl.col("side") == "train").sort("path")
        order = np.random.default_rng(0).permutation(learned.height)
        drawn = learned[order.tolist()].with_columns(turn=pl.int_range(pl.len()).over("label"))
        chosen = drawn.sort("turn", "label", maintain_order=True).head(most).sort("path")
        return self._pictures(chosen, "training.npy")

    def _pictures(self, wanted: pl.DataFrame, name: str) -> Pictures:
        paths, contents = wanted["path"].to_list(), wanted["content"].to_list()
        here = {path: row for row, path in enumerate(self.catalog.paths)}
        rows = [here.get(path) for path in paths]
        if None in rows:  # moved or renamed: found again by their content
            known = self._contents
            rows = [known.get(one, row) for one, row in zip(contents, rows, strict=True)]
        gone = [path for path, row in zip(paths, rows, strict=True) if row is None]
        if gone:
            raise changed(
                f"{len(gone):,} of {len(rows):,} pictures are no longer there, such as {gone[0]}"
            )
        if not rows:
            raise changed("the run names none of its pictures")
        return Pictures(
            self.catalog,
            [row for row in rows if row is not None],
            contents,
            class_indices(wanted["label"].to_list(), self.run.classes),
            size=self.run.model.size,
            fit=self.run.model.fit,
            file=self.folder / name,
        )

    @cached_property
    def _contents(self) -> dict[str, int]:
        """The row of every content."""

        def digest(row: int) -> str:
            try:
                return hashlib.sha256(self.catalog.source.read(row)).hexdigest()
            except PictureError:
                return ""

        with ThreadPoolExecutor(cores(), thread_name_prefix="hash") as pool:
            digests = pool.map(digest, range(len(self.catalog)))
            return {one: row for row, one in enumerate(digests)}


def changed(why: str) -> RunError:
    """The error about data that has changed since the run."""
    return RunError(
        f"The data of the run has changed: {why}.",
        remedy="Restore the pictures, or give their new location with --data.",
        code="data_changed",
    )


def _opened(run: Run, data: str | Path | None) -> Catalog:
    chosen = run.settings.get("settings", {})
    location = str(run.settings.get("data", {}).get("location", ""))
    try:
        return open_again(raw(location) if data is None else data, chosen)
    except TellapartError as error:
        where = location if data is None else str(data)
        raise RunError(
            f"An export is checked on the pictures that the run held out, but its data cannot be "
            f"opened: {error.message}",
            remedy=f"Restore '{where}', or give the new location of the pictures with --data.",
            code="data_gone",
        ) from error
