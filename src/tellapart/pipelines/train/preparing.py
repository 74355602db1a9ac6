"""What the stages before learning do: open, scan in one pass, audit, split."""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tellapart import audit, runs, splits
from tellapart.core.cache import Cache
from tellapart.core.config import TrainSettings
from tellapart.core.errors import LabelError, PictureError, RunError
from tellapart.core.progress import Progress
from tellapart.core.resources import Stopwatch
from tellapart.data.catalog import Catalog
from tellapart.images.decoder import header_size
from tellapart.pipelines.check import lies_inside, open_data, told
from tellapart.pipelines.evaluate import indices
from tellapart.pipelines.material import Material, Pixels
from tellapart.scanning.scanner import Consumer, PixelConsumer, Scan, scan
from tellapart.transfer import backbones
from tellapart.transfer.features import FeatureConsumer

if TYPE_CHECKING:
    from tellapart.networks.process.process import Child

BACKBONE = "efficientnet-lite0"
BACKBONE_SIZE = 224
"""The size that the backbone was trained on."""
_PEEKED = 64


@dataclass(frozen=True)
class Wants:
    """What a kind of model needs of the one pass.

    Attributes:
        features: Size at which the backbone looks, or None where no features are wanted.
        pixels: Whether the pixels themselves are wanted.
        size: Their size; None for what :mod:`tellapart.networks.spec.input_size` chooses.
        kind: The network they are for.
        validation: Share of the training part to set aside, of at most
            :data:`tellapart.splits.SLICE_LIMIT` pictures.
    """

    features: int | None = None
    pixels: bool = False
    size: int | None = None
    kind: str = ""
    validation: float = 0.0


@dataclass(frozen=True)
class Surroundings:
    """What every stage is handed: where answers are kept and who is told how far it is.

    Attributes:
        folder: For everything that is only needed until the run is whole.
        cache: Where known facts, features and pixels come from, or None.
        rescan: Whether it is distrusted.
        progress: Who is told.
        watch: Counts the seconds of each stage.
        child: A process in which Keras is starting, or None.
    """

    folder: Path
    cache: Cache | None
    rescan: bool
    progress: Progress
    watch: Stopwatch
    child: Child | None = None


def opened(
    data: str | Path, settings: TrainSettings, progress: Progress, watch: Stopwatch
) -> Catalog:
    """Open the data, and refuse early what no training can come of."""
    with watch.stage("catalog"), progress.stage("Reading") as stage:
        catalog = open_data(data, settings)
        if len(catalog.classes) < 2:
            raise LabelError(
                f"{catalog.source.name} has one class only, {catalog.classes[0]!r}.",
                remedy="Give a folder with one sub-folder for each of two or more classes.",
                code="one_class",
            )
        counts = Counter(catalog.frame["label"].to_list())
        named = [f"{name} {counts[name]:,}" for name in catalog.classes]
        if len(named) > 4:
            named = [f"{len(named):,} classes of {min(counts.values()):,} pictures or more"]
        stage.summarize(" · ".join([f"{len(catalog):,} pictures", *named]))
    return catalog


def target_of(out: str | Path | None, catalog: Catalog) -> Path:
    """The run folder, which never lies among the user's pictures."""
    if out is not None:
        target = Path(out)
    else:
        name = catalog.source.name
        stem = name.removesuffix(".gz").rsplit(".", 1)[0] if "." in name.strip(".") else name
        target = Path("runs") / runs.next_name(Path("runs"), stem)
    if lies_inside(target, catalog):
        raise RunError(
            f"The run folder '{target}' would lie inside the data folder.",
            remedy="Choose an --out outside it: nothing is written among your pictures.",
            code="inside_data",
        )
    return target


def prepared(
    catalog: Catalog, settings: TrainSettings, wants: Wants, around: Surroundings
) -> Material:
    """Scan with everything that is wanted in the same pass, audit, split."""
    scanned, consumer, pixel_consumer = _scanned(catalog, settings, wants, around)
    features = scanned.answers[consumer.key] if consumer is not None else None
    with around.watch.stage("checking"), around.progress.stage("Checking") as stage:
        audited = audit.audit(scanned, features=features)
        found = told(audited)
        stage.summarize(f"{found} → report" if audited.findings else found)
    labels = indices(scanned.frame["label"].to_list(), catalog.classes)
    parted = splits.split(
        labels,
        audit.group_ids(scanned, audited),
        catalog.classes,
        left_out=list(audited.left_out),
        parts=scanned.frame["part"].to_list(),
        shared=[scanned.frame[column].to_list() for column in ("content", "group")],
        pairs=[(pair.a, pair.b) for pair in audited.pairs],
        held_out=settings.held_out,
        seed=settings.seed,
    )
    if parted.method != "folds":
        parted = splits.set_aside(parted, labels, wants.validation, seed=settings.seed)
    audited = dataclasses.replace(
        audited, findings=audit.ordered([*audited.findings, *_of_split(parted)])
    )
    pixels = None
    if pixel_consumer is not None:
        pixels = _pixels(scanned, parted, pixel_consumer, around.folder)
    return Material(
        scan=scanned,
        audit=audited,
        split=parted,
        labels=labels,
        classes=catalog.classes,
        features=features,
        feature_consumer=consumer,
        pixels=pixels,
    )


def _scanned(
    catalog: Catalog, settings: TrainSettings, wants: Wants, around: Surroundings
) -> tuple[Scan, FeatureConsumer | None, PixelConsumer | None]:
    """The one pass; a second only where the sample misjudged the pictures' size."""
    consumers: list[Consumer] = []
    consumer = pixel_consumer = None
    if wants.features is not None:
        graphs = around.cache.graphs if around.cache is not None else None
        consumer = FeatureConsumer(
            backbones.get(BACKBONE), wants.features, settings.fit, folder=graphs
        )
        consumers.append(consumer)
    if wants.pixels:
        size = wants.size or _likely_size(catalog, wants.kind)
        pixel_consumer = PixelConsumer(size, settings.fit, file=around.folder / "rgb.npy")
        consumers.append(pixel_consumer)

    def passed(title: str) -> Scan:
        found = scan(
            catalog,
            consumers=consumers,
            cache=around.cache,
            rescan=around.rescan,
            progress=around.progress,
            title=title,
        )
        kind = "features" if consumer is not None else "pixels"
        around.watch.add(kind, found.seconds, pictures=len(found))
        return found

    scanned = passed("Features" if consumer is not None else "Pixels")
    if pixel_consumer is not None and wants.size is None:
        size = _size(scanned, wants.kind)
        if size != pixel_consumer.size:
            consumers[-1] = pixel_consumer = dataclasses.replace(pixel_consumer, size=size)
            scanned = passed("Pixels")
    return scanned, consumer, pixel_consumer


def _likely_size(catalog: Catalog, kind: str) -> int:
    """The size that a sample of the headers speaks for."""
    rows = np.unique(np.linspace(0, len(catalog) - 1, _PEEKED).astype(np.int64))
    sizes: set[tuple[int, int]] = set()
    for row in rows.tolist():
        try:
            sizes.add(header_size(catalog.source.read(row)))
        except PictureError:
            continue
    return _chosen_size(sizes, kind)


def _size(scanned: Scan, kind: str) -> int:
    sound = scanned.frame.filter(scanned.frame["error"].is_null())
    return _chosen_size(set(sound.select("width", "height").unique().rows()), kind)


def _chosen_size(sizes: set[tuple[int, int]], kind: str) -> int:
    from tellapart.networks.spec.input_size import choose

    return choose(sizes, kind)


def _pixels(scanned: Scan, parted: splits.Split, consumer: PixelConsumer, folder: Path) -> Pixels:
    """The pixels as one file to train from; one channel where all that is learnt from is gray."""
    rgb = scanned.answers[consumer.key]
    learnt = np.isin(parted.side, (splits.TRAIN, splits.VALIDATION))
    gray = bool(scanned.frame["gray"].fill_null(False).to_numpy()[learnt].all())
    file = folder / "pixels.npy"
    if not gray:
        (folder / "rgb.npy").rename(file)
        return Pixels(file, rgb, consumer.size, gray=False)
    made: NDArray[np.uint8] = np.lib.format.open_memmap(
        file, "w+", dtype=np.uint8, shape=(*rgb.shape[:3], 1)
    )
    for start in range(0, len(rgb), 4_096):
        # Where the three channels are equal, each of them is the luma.
        made[start : start + 4_096] = rgb[start : start + 4_096, ..., :1]
    return Pixels(file, rgb, consumer.size, gray=True)


def _of_split(parted: splits.Split) -> list[audit.Finding]:
    """What the split has to say, as findings."""
    return [audit.Finding("split", "warning", 1, note) for note in parted.notes]
