"""The main job: from data to a whole run folder, one verb after the other.

:func:`train` reads from top to bottom as the data goes: catalog, scan with features, audit,
split, probe, model file, evaluation on that file, diagnosis, report. Held-out pictures are
touched by the evaluation alone.

Example:
    >>> run = train("pets/", TrainSettings())  # doctest: +SKIP
    >>> run.metrics["held_out"]["accuracy"]  # doctest: +SKIP
    0.987
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart import artifact, audit, backbones, diagnosis, evaluation, probe, runs, splits
from tellapart.cache import Cache
from tellapart.catalog import Catalog
from tellapart.checking import lies_inside, open_data, told
from tellapart.config import TrainSettings
from tellapart.errors import LabelError, ModelError, PictureError, RunError
from tellapart.evaluating import indices
from tellapart.features import FeatureTap
from tellapart.images import decode, resize
from tellapart.measures import Stopwatch
from tellapart.pages import reader_of, run_view
from tellapart.progress import SILENT, Progress
from tellapart.records import (
    Material,
    Measured,
    facts,
    metrics,
    predictions,
    run_json,
    split_frame,
)
from tellapart.report import render_run
from tellapart.scanning import scan

BACKBONE = "efficientnet-lite0"
PROOFS = 32
"""Held-out pictures that the whole written file is run on, from their bytes on."""
TOLERANCE = 1e-4


def train(
    data: str | Path,
    settings: TrainSettings,
    *,
    out: str | Path | None = None,
    cache: Cache | None = None,
    rescan: bool = False,
    progress: Progress = SILENT,
) -> runs.Run:
    """Train a probe, measure it honestly, and leave a run folder.

    Args:
        data: A folder, archive or manifest of labelled pictures.
        settings: Model, size, fit, share held out, seed, and how the data is read.
        out: The run folder; ``runs/NAME-1`` (the first free number) unless given.
        cache: Where known facts and features come from; None works without.
        rescan: Hash every file again instead of trusting path, size and time.
        progress: Who is told how far it is.

    Returns:
        The run.

    Raises:
        DataError: If the data cannot be read, or has no two classes to tell apart.
        RunError: If ``out`` exists, lies inside the data, or cannot be written.
    """
    with Stopwatch() as watch:
        catalog = _open(data, settings, progress, watch)
        target = _target(out, catalog)
        with contextlib.closing(catalog.source), runs.writing(target) as folder:
            material = _prepare(catalog, settings, cache, rescan, progress, watch)
            with watch.stage("learning", pictures=len(material.training)):
                head = _learn(material, settings, progress)
                artifact.write(
                    folder / "model.onnx",
                    backbone=material.tap.backbone,
                    size=settings.size,
                    fit=settings.fit,
                    weights=head.weights,
                    bias=head.bias,
                    classes=material.classes,
                )
            measured = _measure(material, folder / "model.onnx", settings, progress, watch)
            verdict = diagnosis.diagnose(facts(material, measured))
            runs.write_json(
                folder / "run.json",
                run_json(data, target.name, material, head, measured.proof, settings),
            )
            runs.write_json(folder / "metrics.json", metrics(material, measured, verdict))
            split_frame(material).write_parquet(folder / "split.parquet")
            audit.findings_frame(material.audit).write_parquet(folder / "findings.parquet")
            measured.predictions.write_parquet(folder / "predictions.parquet")
            with watch.stage("report"):
                runs.write_json(folder / "timings.json", watch.as_json())
                read = reader_of(catalog.paths, catalog.source.read)
                page = render_run(run_view(runs.Run(folder), read))
                (folder / "report.html").write_text(page, encoding="utf-8")
            runs.write_json(folder / "timings.json", watch.as_json())
    return runs.open_run(target)


def _open(
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


def _target(out: str | Path | None, catalog: Catalog) -> Path:
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


def _prepare(
    catalog: Catalog,
    settings: TrainSettings,
    cache: Cache | None,
    rescan: bool,
    progress: Progress,
    watch: Stopwatch,
) -> Material:
    """Scan with features in the same pass, audit, split."""
    backbone = backbones.get(BACKBONE)
    graphs = cache.graphs if cache is not None else None
    tap = FeatureTap(backbone, settings.size, settings.fit, folder=graphs)
    scanned = scan(
        catalog, taps=[tap], cache=cache, rescan=rescan, progress=progress, title="Features"
    )
    watch.add("features", scanned.seconds, pictures=len(scanned))
    features = scanned.taps[tap.key]
    with watch.stage("checking"), progress.stage("Checking") as stage:
        audited = audit.audit(scanned, features=features)
        stage.summarize(told(audited))
    parted = splits.split(scanned, audited, held_out=settings.held_out, seed=settings.seed)
    audited = dataclasses.replace(
        audited, findings=audit.ordered([*audited.findings, *_of_split(parted)])
    )
    labels = indices(scanned.frame["label"].to_list(), catalog.classes)
    return Material(scanned, audited, parted, tap, features, labels, catalog.classes)


def _of_split(parted: splits.Split) -> list[audit.Finding]:
    """What the split has to say, as findings."""
    return [audit.Finding("split", "warning", 1, note) for note in parted.notes]


def _learn(material: Material, settings: TrainSettings, progress: Progress) -> probe.Probe:
    rows = material.training
    return probe.fit(
        material.features[rows],
        material.labels[rows],
        material.split.groups[rows],
        classes=len(material.classes),
        seed=settings.seed,
        progress=progress,
    )


def _measure(
    material: Material, file: Path, settings: TrainSettings, progress: Progress, watch: Stopwatch
) -> Measured:
    """Evaluate the written file: its own nodes, on the features its own backbone gave."""
    with watch.stage("evaluating"):
        model = artifact.Model.load(file)
        training = material.training
        train_probabilities = model.head(material.features[training])
        right = train_probabilities.argmax(axis=1) == material.labels[training]
        if material.split.method == "folds":
            rows, counted = training, np.ones(len(training), bool)
            unseen = probe.repeated(
                material.features[rows],
                material.labels[rows],
                material.split.groups[rows],
                classes=len(material.classes),
                seed=settings.seed,
                progress=progress,
            ).probabilities
            probabilities = unseen.mean(axis=0)
            proof = _proof(material, model, rows, train_probabilities, settings.seed)
        else:
            rows = material.held_out
            counted = ~material.split.leaked[rows]
            probabilities = model.head(material.features[rows])
            unseen = probabilities[None]
            proof = _proof(material, model, rows, probabilities, settings.seed)
    headline = _evaluation(material, unseen[:, counted], rows[counted])
    return Measured(
        held_out=headline,
        as_given=None if counted.all() else _evaluation(material, unseen, rows),
        train_accuracy=float(right.mean()),
        predictions=predictions(material, rows, probabilities, counted),
        proof=proof,
    )


def _proof(
    material: Material,
    model: artifact.Model,
    rows: NDArray[np.int64],
    expected: NDArray[np.float32],
    seed: int,
) -> dict[str, Any]:
    """Run the whole file on some pictures, from their bytes on, and compare.

    Pictures that were changed or removed since they were measured prove nothing, and are
    passed over.

    Raises:
        ModelError: If the file does not answer what was measured.
    """
    drawn = np.random.default_rng([seed, len(rows)]).permutation(len(rows))[:PROOFS]
    contents = material.scan.frame["content"]
    worst, n = 0.0, 0
    for place in sorted(drawn.tolist()):
        row = int(rows[place])
        with contextlib.suppress(PictureError):
            data = material.scan.catalog.source.read(row)
            if hashlib.sha256(data).hexdigest() != contents[row]:
                continue
            square = resize(decode(data).pixels, model.size, model.fit)
            difference = np.abs(model.run(square[None])[0] - expected[place]).max()
            worst, n = max(worst, float(difference)), n + 1
    if worst > TOLERANCE:
        raise ModelError(
            f"The written model differs from what was measured by {worst:.2g} in probability.",
            remedy="Clear the cache with 'tellapart cache clear' and train again.",
            code="not_proven",
        )
    return {"n": n, "max_difference": round(worst, 7), "tolerance": TOLERANCE}


def _evaluation(
    material: Material, probabilities: NDArray[np.float32], rows: NDArray[np.int64]
) -> evaluation.Evaluation:
    training = material.labels[material.training]
    return evaluation.evaluate(
        probabilities,
        material.labels[rows],
        classes=material.classes,
        groups=material.split.groups[rows],
        method="folds" if material.split.method == "folds" else "split",
        train_counts=np.bincount(training, minlength=len(material.classes)).tolist(),
    )
