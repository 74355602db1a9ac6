"""The verbs: what ``import tellapart as ta`` offers, the same as the command line.

Each takes plain values, checks them all at once, opens the user's cache, and calls the module
that does the work.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypedDict, Unpack

from tellapart.core.cache import Cache
from tellapart.core.config import DataSettings, TrainSettings, settings
from tellapart.core.progress import SILENT, Progress
from tellapart.exports import is_export, open_export
from tellapart.inference.classifier import Classifier
from tellapart.pipelines import check as checking
from tellapart.pipelines import evaluate as evaluating
from tellapart.pipelines import train as training
from tellapart.pipelines.check import Check
from tellapart.pipelines.compare import Comparison, compare_runs
from tellapart.runs import Run, open_run
from tellapart.scanning import scanner
from tellapart.scanning.scanner import Consumer, Scan

__all__ = [
    "Check",
    "Classifier",
    "NetworkOptions",
    "check",
    "compare",
    "evaluate",
    "load",
    "resume",
    "scan",
    "train",
]


class NetworkOptions(TypedDict, total=False):
    """Options of :func:`train` for networks; what is left out is the network's own choice.

    Each is told in :class:`tellapart.core.config.NetworkSettings`.
    """

    epochs: int | None
    batch: int | None
    lr: float | str | None
    schedule: str | None
    target: float | None
    target_on: str | None
    patience: int | None
    budget: float | str | None
    augment: str | None
    units: Sequence[int] | str | None
    filters: Sequence[int] | str | None
    validation: float | None
    label_smoothing: float | None
    class_weights: bool | None
    precision: str | None
    tensorboard: bool


def scan(
    data: str | Path,
    *,
    sizes: Sequence[int] = (),
    corrections: str | Path | None = None,
    group_from: str | None = None,
    label_from: str | None = None,
    rescan: bool = False,
    progress: Progress = SILENT,
) -> Scan:
    """Read every picture once: hash, decode, facts, and pixels where sizes are asked for.

    Args:
        data: A folder, archive or manifest of labelled pictures.
        sizes: Sides of squares to bring the pictures to; their pixels, uint8
            ``[N, size, size, 3]``, stand in ``scan.pixels(size)``.
        corrections: A corrections file (CSV: path, action, label).
        group_from: ``"parent"`` or a regular expression.
        label_from: ``"name"`` takes labels from file names.
        rescan: Hash every file again instead of trusting its date.
        progress: Who is told how far it is.

    Raises:
        DataError: If the data cannot be read at all.
    """
    chosen = _data_settings(corrections, group_from, label_from)
    catalog = checking.open_data(data, chosen)
    consumers: list[Consumer] = [scanner.PixelConsumer(size) for size in sizes]
    with _cache() as cache:
        return scanner.scan(
            catalog, consumers=consumers, cache=cache, rescan=rescan, progress=progress
        )


def check(
    data: str | Path,
    *,
    corrections: str | Path | None = None,
    group_from: str | None = None,
    label_from: str | None = None,
    rescan: bool = False,
    progress: Progress = SILENT,
) -> Check:
    """Say what is wrong with labelled pictures, and what to do about it.

    Args:
        data: A folder, archive or manifest of labelled pictures.
        corrections: A corrections file (CSV: path, action, label).
        group_from: ``"parent"`` or a regular expression.
        label_from: ``"name"`` takes labels from file names.
        rescan: Hash every file again instead of trusting its date.
        progress: Who is told how far it is.

    Raises:
        DataError: If the data cannot be read at all.
    """
    chosen = _data_settings(corrections, group_from, label_from)
    with _cache() as cache:
        return checking.check(data, chosen, cache=cache, rescan=rescan, progress=progress)


def train(
    data: str | Path,
    *,
    model: str = "probe",
    size: int | None = None,
    fit: str = "squash",
    held_out: float = 0.2,
    seed: int = 0,
    out: str | Path | None = None,
    corrections: str | Path | None = None,
    group_from: str | None = None,
    label_from: str | None = None,
    rescan: bool = False,
    progress: Progress = SILENT,
    **network: Unpack[NetworkOptions],
) -> Run:
    """Train a classifier, measure it honestly, and leave a run folder.

    Args:
        data: A folder, archive or manifest of labelled pictures.
        model: ``"probe"``: a linear head on pretrained features; ``"linear"``, ``"dnn"``,
            ``"cnn"``, ``"resnet"``, ``"finetune"``: networks trained from pixels (extra
            ``keras``); ``"auto"``: the best of what the budget has time for.
        size: Side in pixels of the square pictures are brought to, up to 1024; 224 for a probe
            and ``finetune``, else the pictures' own size where all share one of at most 160,
            else 96 for ``resnet`` and 150 for others.
        fit: ``"squash"``, ``"crop"`` or ``"pad"``.
        held_out: Share held out where the data has no parts, above 0 and below 1.
        seed: Draws every random choice.
        out: The run folder; ``runs/NAME-1`` unless given.
        corrections: A corrections file (CSV: path, action, label).
        group_from: ``"parent"`` or a regular expression.
        label_from: ``"name"`` takes labels from file names.
        rescan: Hash every file again instead of trusting its date.
        progress: Who is told how far it is.
        network: How a network is trained; see :class:`NetworkOptions`.

    Raises:
        SettingsError: With every setting that has no meaning, or if an extra is missing.
        DataError: If the data cannot be read, or has no two classes to tell apart.
        RunError: If ``out`` exists or cannot be written.
        KeyboardInterrupt: If it was interrupted; :func:`resume` goes on from a checkpoint.
    """
    chosen = settings(
        TrainSettings,
        {
            "model": model,
            "size": size,
            "fit": fit,
            "held_out": held_out,
            "seed": seed,
            "group_from": group_from,
            "label_from": label_from,
            "corrections": None if corrections is None else Path(corrections),
            **network,
        },
    )
    with _cache() as cache:
        return training.train(data, chosen, out=out, cache=cache, rescan=rescan, progress=progress)


def resume(run: str | Path, *, progress: Progress = SILENT) -> Run:
    """Go on with a network's training that was interrupted or killed.

    Args:
        run: The run folder that it was to become.
        progress: Who is told how far it is.

    Raises:
        RunError: If there is nothing to resume, or data or versions are not what they were.
    """
    with _cache() as cache:
        return training.resume(run, cache=cache, progress=progress)


def evaluate(
    run: str | Path | Run,
    data: str | Path,
    *,
    corrections: str | Path | None = None,
    group_from: str | None = None,
    label_from: str | None = None,
    progress: Progress = SILENT,
) -> Mapping[str, Any]:
    """Measure a run's model on other labelled pictures; classes are matched by name.

    Returns:
        ``{"schema", "run", "data", "evaluation", "not_counted", "missing_classes"}``:
        ``evaluation`` has the members of ``held_out`` in ``metrics.json``, ``not_counted`` says
        how many pictures were left out and why, ``missing_classes`` which classes of the model
        the data has no pictures of.

    Raises:
        LabelError: If the data has a class that the model does not know.
    """
    chosen = _data_settings(corrections, group_from, label_from)
    with _cache() as cache:
        return evaluating.evaluate(_run(run), data, chosen, cache=cache, progress=progress)


def load(run: str | Path | Run) -> Classifier:
    """Open a run's or an export's model for predicting and explaining.

    Args:
        run: A run folder, or a folder that ``tellapart export`` wrote; the latter's model runs
            in its own runtime.

    Raises:
        RunError: If the run is missing, damaged, or from a newer version.
        ModelError: If the export is damaged, changed, or from a newer version.
        SettingsError: If what runs the export is not installed.
    """
    if not isinstance(run, Run) and is_export(Path(run)):
        return Classifier(open_export(run))
    return Classifier(_run(run))


def compare(runs: Sequence[str | Path | Run]) -> Comparison:
    """Set runs side by side; McNemar's exact test where they held out the same pictures.

    Raises:
        SettingsError: If there are fewer than two runs.
    """
    return compare_runs([_run(run) for run in runs])


def _run(run: str | Path | Run) -> Run:
    return run if isinstance(run, Run) else open_run(run)


def _data_settings(
    corrections: str | Path | None, group_from: str | None, label_from: str | None
) -> DataSettings:
    return settings(
        DataSettings,
        {
            "label_from": label_from,
            "group_from": group_from,
            "corrections": None if corrections is None else Path(corrections),
        },
    )


@contextmanager
def _cache() -> Iterator[Cache]:
    with Cache.open() as cache:
        yield cache
