"""What the trainings of a lesson look like: picture files next to its run folders."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from PIL import Image

from tellapart.core.errors import SettingsError
from tellapart.core.progress import SILENT, Progress
from tellapart.core.text import certainty
from tellapart.data.catalog import Catalog, open_catalog
from tellapart.datasets.verification import Found
from tellapart.explanations.sheets import Grid, sheet
from tellapart.explanations.views import kernel_grid, map_grids
from tellapart.images.decoder import decode
from tellapart.images.resizing import RGB, resize
from tellapart.lessons.charts import alone
from tellapart.networks.augment.preview import PreviewSettings, preview
from tellapart.reports import network_charts
from tellapart.reports.network_pages import learning_view
from tellapart.runs import Run

FOLDER = "pictures"
MISTAKES, _COLUMNS = 15, 5
_VARIED = 4
_QUALITY = 82
"""Of the WebP files: half a megabyte a sheet as PNG, some 60 kB so, and letters stay sharp."""


@dataclass(frozen=True, slots=True)
class Illustration:
    """A picture of a lesson.

    Attributes:
        file: Its name.
        says: Its caption.
        of_data: Whether it contains pictures of the data set.
    """

    file: str
    says: str
    of_data: bool


def draw(
    folder: Path,
    found: Found,
    runs: Mapping[str, Run],
    *,
    progress: Progress = SILENT,
) -> list[Illustration]:
    """Draw a lesson's trainings.

    Args:
        folder: For the files; created if necessary.
        found: The data of the trainings.
        runs: Runs by the name of their training.
        progress: Where progress is reported.
    """
    if not runs:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    with progress.stage("Drawing", total=len(runs), unit="runs") as stage:
        catalog = open_catalog(found.path, label_from=found.dataset.label_from)
        drawn: list[Illustration] = []
        with contextlib.closing(catalog.source):
            album = _Album(folder, catalog, found.dataset.classes)
            for name, run in runs.items():
                drawn += album.of(name, run)
                stage.advance()
    return drawn


def learning_curve(run: Run) -> str | None:
    """The accuracy over the epochs of a network, as a whole SVG file; None for a probe.

    It has the colors of the report, light or dark like the reader's system.
    """
    view = learning_view(run, lambda path: None)
    if view is None or not view.history:
        return None
    held, trained = run.metrics["held_out"], run.metrics["train"]["accuracy"]
    low, high = held["accuracy_ci95"]
    return alone(str(network_charts.accuracy_curve(view, trained, held["accuracy"], (low, high))))


class _Album:
    """Draws one run after the other into a folder."""

    def __init__(self, folder: Path, catalog: Catalog, classes: Sequence[str]) -> None:
        self._folder, self._catalog, self._classes = folder, catalog, classes
        self._rows = {path: row for row, path in enumerate(catalog.paths)}

    def of(self, name: str, run: Run) -> Iterator[Illustration]:
        """Draw a run."""
        network = run.settings.get("network") is not None
        curve = learning_curve(run)
        if curve is not None:
            file = f"{name}-learning.svg"
            (self._folder / file).write_text(curve, encoding="utf-8")
            yield Illustration(file, f"How `{name}` learns: accuracy over the epochs.", False)
        if network:
            yield from self._seeing(name, run)
            yield from self._varied(name, run)
        yield from self._mistakes(name, run)

    def _seeing(self, name: str, run: Run) -> Iterator[Illustration]:
        """The first kernels of a network with convolutions, and the feature maps of a picture."""
        rows = run.predictions.filter(pl.col("correct")).sort("probability", descending=True)
        with contextlib.suppress(SettingsError):  # without a convolution
            grid = kernel_grid(run.model)
            yield self._sheet(
                f"{name}-filters", [grid], f"What the first layer of `{name}` looks for.", False
            )
            for pixels, label in self._pixels(rows.head(1), "label"):
                size = run.settings["decode"]["size"]
                square = resize(pixels, size, run.settings["decode"]["fit"])
                yield self._sheet(
                    f"{name}-maps",
                    map_grids(run.model, square),
                    f"A picture on its way through `{name}`, layer by layer: {self._named(label)}.",
                    True,
                )

    def _varied(self, name: str, run: Run) -> Iterator[Illustration]:
        """Augmented training pictures; nothing without augmentation."""
        asked, seen = run.settings["settings"], run.settings["decode"]
        settings = {name: asked[name] for name in ("model", "augment", "seed")}
        shown = preview(
            self._catalog,
            PreviewSettings(**settings, size=seen["size"], fit=seen["fit"], n=_VARIED),
        )
        if shown.policy.text != "none":
            says = f"What `{name}` learns from: each picture is different in every epoch."
            yield self._image(f"{name}-varied", shown.pixels, says, True)

    def _mistakes(self, name: str, run: Run) -> Iterator[Illustration]:
        """The most confident mistakes on held-out pictures."""
        wrong = run.predictions.filter(pl.col("counted") & ~pl.col("correct"))
        top = wrong.sort("probability", descending=True).head(MISTAKES)
        tiles, labels = [], []
        for pixels, label, predicted, probability in self._pixels(
            top, "label", "predicted", "probability"
        ):
            tiles.append(pixels)
            names = f"{self._named(label)} as {self._named(predicted)}"
            labels.append(f"{names} {certainty(probability)}")
        if tiles:
            note = f"{len(tiles)} of {wrong.height:,}, most confident first"
            caption = "Mistakes: what it is, and what the model answered"
            grid = Grid(caption, tiles, _COLUMNS, labels, note)
            says = f"Held-out pictures that `{name}` gets wrong, the most confident mistakes first."
            yield self._sheet(f"{name}-mistakes", [grid], says, True)

    def _pixels(self, frame: pl.DataFrame, *columns: str) -> Iterator[tuple[Any, ...]]:
        """Decoded pictures of some predictions, with the values of the columns."""
        for path, *more in frame.select("path", *columns).iter_rows():
            row = self._rows.get(path)
            if row is not None:
                yield decode(self._catalog.source.read(row)).pixels, *more

    def _named(self, label: str) -> str:
        """The name of the class; arrays only have its number."""
        if label in self._classes or not label.isdecimal() or int(label) >= len(self._classes):
            return label
        return self._classes[int(label)]

    def _sheet(self, stem: str, grids: Sequence[Grid], says: str, of_data: bool) -> Illustration:
        return self._image(stem, sheet(grids), says, of_data)

    def _image(self, stem: str, pixels: RGB, says: str, of_data: bool) -> Illustration:
        file = f"{stem}.webp"
        Image.fromarray(pixels).save(self._folder / file, "WEBP", quality=_QUALITY, method=6)
        return Illustration(file, says, of_data)
