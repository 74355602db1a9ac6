"""The stages before learning: open the data, scan it, audit it, split it."""

from __future__ import annotations

import contextlib
import dataclasses
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tellapart import audit, runs, splits
from tellapart.core.config import TrainSettings
from tellapart.core.errors import LabelError, PictureError, RunError
from tellapart.core.progress import Progress
from tellapart.core.text import listed
from tellapart.core.typing import Ints, Pixels
from tellapart.data.catalog import Catalog
from tellapart.images.decoder import header_size
from tellapart.images.resizing import Fit
from tellapart.pipelines.check import audit_in_words, is_inside, open_data
from tellapart.pipelines.evaluate import class_indices
from tellapart.pipelines.train.results import Context, Prepared, ResizedPixels
from tellapart.scanning.scanner import Consumer, PixelConsumer, Scan, scan
from tellapart.transfer import backbones
from tellapart.transfer.features import FeatureConsumer

BACKBONE = "efficientnet-lite0"
BACKBONE_SIZE = 224
"""The size that the backbone was trained on."""
_COMPARED = 20  # pictures of a class, and files of the same size, that are compared
VALIDATION = 0.1
"""Share of the training part that is set aside for networks unless asked otherwise."""


@dataclass(frozen=True)
class Inputs:
    """The inputs of a kind of model.

    Attributes:
        features: Size of the pictures for the backbone's features; None without features.
        pixels: Whether the model learns from pixels.
        size: Their size; chosen by :mod:`tellapart.networks.spec.input_size` if None.
        kind: The network that the pixels are for.
        validation: Share of the training part for the validation slice.
    """

    features: int | None = None
    pixels: bool = False
    size: int | None = None
    kind: str = ""
    validation: float = 0.0


def inputs_of(kind: str, size: int | None, validation: float | None) -> Inputs:
    """The inputs of a kind of model, with the user's size and validation share."""
    if kind == "probe":
        return Inputs(features=size or BACKBONE_SIZE)
    share = VALIDATION if validation is None else validation
    if kind == "finetune":
        size = size or BACKBONE_SIZE
        return Inputs(features=size, pixels=True, size=size, validation=share)
    features = BACKBONE_SIZE if kind == "auto" else None
    return Inputs(features=features, pixels=True, size=size, kind=kind, validation=share)


def open_catalog(data: str | Path, settings: TrainSettings, progress: Progress) -> Catalog:
    """Open the data; refuse a single class, or doubtful folders, before a picture is read."""
    with progress.stage("Reading") as stage:
        catalog = open_data(data, settings)
        for doubt in catalog.doubts:
            if doubt.level == "error":
                raise LabelError(doubt.sentence, remedy=doubt.remedy, code=doubt.code)
            stage.note(doubt.sentence)
        if len(catalog.classes) < 2:
            raise LabelError(
                f"{catalog.source.name} has only one class, {catalog.classes[0]!r}.",
                remedy="Give a folder with one sub-folder for each of two or more classes.",
                code="one_class",
            )
        _check_copies(catalog)
        counts = Counter(catalog.frame["label"].to_list())
        named = [f"{name} {counts[name]:,}" for name in catalog.classes]
        if len(named) > 4:
            named = [f"{len(named):,} classes of {min(counts.values()):,} pictures or more"]
        stage.summarize(" · ".join([f"{len(catalog):,} pictures", *named]))
    return catalog


def _check_copies(catalog: Catalog) -> None:
    """Refuse a class whose pictures all stand in another class too, before they are decoded.

    A few pictures of each class are compared with files of the same size; the first that has no
    twin clears its class.

    Raises:
        LabelError: With both classes.
    """
    labels, sizes = catalog.columns["label"], catalog.columns["bytes"]
    by_size: dict[int, list[int]] = {}
    by_class: dict[str, list[int]] = {}
    for row, (label, size) in enumerate(zip(labels, sizes, strict=True)):
        by_size.setdefault(size, []).append(row)
        by_class.setdefault(label, []).append(row)
    for label, rows in by_class.items():
        twins: set[str] = set()
        for row in rows[:: max(1, len(rows) // _COMPARED)][:_COMPARED]:
            alike = [one for one in by_size[sizes[row]] if labels[one] != label][:_COMPARED]
            found = _same_content(catalog, row, alike)
            if found is None:
                break
            twins.add(labels[found])
        else:
            raise LabelError(
                f"All pictures of the class '{label}' that were compared are also in "
                f"{listed(sorted(twins))}, so nobody can tell which label is right.",
                remedy=f"Leave one of the classes out: --exclude {shlex.quote(label)}",
                code="same_pictures",
            )


def _same_content(catalog: Catalog, row: int, others: Sequence[int]) -> int | None:
    with contextlib.suppress(PictureError):
        data = catalog.source.read(row)
        return next((one for one in others if catalog.source.read(one) == data), None)
    return None


def run_folder(out: str | Path | None, catalog: Catalog) -> Path:
    """The path of the run folder; never inside the data folder."""
    if out is not None:
        target = Path(out)
    else:
        name = catalog.source.name
        stem = name.removesuffix(".gz").rsplit(".", 1)[0] if "." in name.strip(".") else name
        target = Path("runs") / runs.next_name(Path("runs"), stem)
    if is_inside(target, catalog):
        raise RunError(
            f"The run folder '{target}' would lie inside the data folder.",
            remedy="Choose an --out outside it: nothing is written among your pictures.",
            code="inside_data",
        )
    return target


def prepare(
    catalog: Catalog,
    inputs: Inputs,
    *,
    fit: Fit,
    held_out: float,
    seed: int,
    context: Context,
) -> Prepared:
    """Scan the pictures, with features and pixels in the same pass, then audit and split."""
    features = pixels = None
    if inputs.features is not None:
        graphs = context.cache.graphs if context.cache is not None else None
        features = FeatureConsumer(backbones.get(BACKBONE), inputs.features, fit, folder=graphs)
    if inputs.pixels:
        size = inputs.size or _pixel_size(catalog, inputs.kind)
        pixels = PixelConsumer(size, fit, file=context.folder / "rgb.npy")
    scanned = _scan(catalog, [each for each in (features, pixels) if each is not None], context)
    with context.watch.stage("checking"), context.progress.stage("Checking") as stage:
        known = scanned.answers[features.key] if features is not None else None
        audited = audit.audit(scanned, features=known)
        summary = audit_in_words(audited)
        stage.summarize(f"{summary} → report" if audited.findings else summary)
    labels = class_indices(scanned.frame["label"].to_list(), catalog.classes)
    split = _split(scanned, audited, labels, held_out, inputs.validation, seed)
    notes = [audit.Finding("split", "warning", 1, note) for note in split.notes]
    audited = dataclasses.replace(audited, findings=audit.ordered([*audited.findings, *notes]))
    return Prepared(
        scan=scanned,
        audit=audited,
        split=split,
        labels=labels,
        classes=catalog.classes,
        feature_consumer=features,
        resized=None if pixels is None else _pixel_file(scanned, split, pixels, context.folder),
    )


def _scan(catalog: Catalog, consumers: Sequence[Consumer], context: Context) -> Scan:
    kind = "features" if isinstance(consumers[0], FeatureConsumer) else "pixels"
    scanned = scan(
        catalog,
        consumers=consumers,
        cache=context.cache,
        rescan=context.rescan,
        progress=context.progress,
        title=kind.capitalize(),
    )
    context.watch.add(kind, scanned.seconds, pictures=len(scanned))
    return scanned


def _pixel_size(catalog: Catalog, kind: str) -> int:
    """The size for a network, from the headers of as few pictures as needed."""
    from tellapart.networks.spec import input_size

    sizes: set[tuple[int, int]] = set()
    for row in range(len(catalog)):
        with contextlib.suppress(PictureError):
            sizes.add(header_size(catalog.source.read(row)))
        if len(sizes) > 1 or max(map(max, sizes), default=0) > input_size.OWN_LIMIT:
            break
    return input_size.choose(sizes, kind)


def _split(
    scanned: Scan,
    audited: audit.Audit,
    labels: Ints,
    held_out: float,
    validation: float,
    seed: int,
) -> splits.Split:
    split = splits.split(
        labels,
        audit.group_ids(scanned, audited),
        scanned.catalog.classes,
        left_out=list(audited.left_out),
        parts=scanned.frame["part"].to_list(),
        shared=[scanned.frame[column].to_list() for column in ("content", "group")],
        pairs=[(pair.a, pair.b) for pair in audited.pairs],
        held_out=held_out,
        seed=seed,
    )
    if split.method == "folds":
        return split
    return splits.set_aside(split, labels, validation, seed=seed)


def _pixel_file(
    scanned: Scan, split: splits.Split, consumer: PixelConsumer, folder: Path
) -> ResizedPixels:
    """The pixels as one file, with one channel if all training pictures are gray."""
    rgb: Pixels = scanned.answers[consumer.key]
    learned = np.isin(split.side, (splits.TRAIN, splits.VALIDATION))
    gray = bool(scanned.frame["gray"].fill_null(False).to_numpy()[learned].all())
    file = folder / "pixels.npy"
    if not gray:
        (folder / "rgb.npy").rename(file)
        return ResizedPixels(file, rgb, consumer.size, gray=False)
    made = np.lib.format.open_memmap(file, "w+", dtype=np.uint8, shape=(*rgb.shape[:3], 1))
    for start in range(0, len(rgb), 4_096):
        # The three channels of a gray picture are equal, so each of them is the luma.
        made[start : start + 4_096] = rgb[start : start + 4_096, ..., :1]
    return ResizedPixels(file, rgb, consumer.size, gray=True)
