"""The main job: from data to a whole run folder, one verb after the other.

:func:`train` reads from top to bottom as the data goes: catalog, one pass with features or
pixels, audit, split, learning, model file, evaluation on that file, diagnosis, report. Held-out
pictures are touched by the evaluation alone.

Who does what: :mod:`.preparing` is everything before learning; :mod:`.probes`, :mod:`.networks`
and :mod:`.choosing` (``auto``) learn and write the model file; :mod:`.measuring` evaluates and
proves it.

Example:
    >>> run = train("pets/", TrainSettings())  # doctest: +SKIP
    >>> run.metrics["held_out"]["accuracy"]  # doctest: +SKIP
    0.987
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import Any

from tellapart import audit, diagnosis, runs
from tellapart.core.cache import Cache
from tellapart.core.config import NETWORKS, TrainSettings, settings
from tellapart.core.errors import RunError, SettingsError
from tellapart.core.progress import SILENT, Progress
from tellapart.core.resources import Stopwatch
from tellapart.core.version import __version__
from tellapart.data.catalog import Catalog
from tellapart.pipelines.material import Learned, Material
from tellapart.pipelines.records import facts, fingerprint, metrics, run_json, split_frame
from tellapart.pipelines.train import choosing, networks, probes
from tellapart.pipelines.train.measuring import measured
from tellapart.pipelines.train.preparing import (
    BACKBONE_SIZE,
    Surroundings,
    Wants,
    opened,
    prepared,
    target_of,
)
from tellapart.reports import render_run
from tellapart.reports.pages import reader_of, run_view

VALIDATION = 0.1
"""Share of the training part that is set aside for networks unless asked otherwise."""


def train(
    data: str | Path,
    settings: TrainSettings,
    *,
    out: str | Path | None = None,
    cache: Cache | None = None,
    rescan: bool = False,
    progress: Progress = SILENT,
) -> runs.Run:
    """Train a model, measure it honestly, and leave a run folder.

    Args:
        data: A folder, archive or manifest of labelled pictures.
        settings: Model, size, fit, share held out, seed, and how the data is read.
        out: The run folder; ``runs/NAME-1`` (the first free number) unless given.
        cache: Where known facts, features and pixels come from; None works without.
        rescan: Hash every file again instead of trusting path, size and time.
        progress: Who is told how far it is.

    Returns:
        The run.

    Raises:
        DataError: If the data cannot be read, or has no two classes to tell apart.
        SettingsError: If a setting does not fit the pictures, or an extra is missing.
        RunError: If ``out`` exists, lies inside the data, or cannot be written.
        runs.Interrupted: If it was interrupted and can be resumed.
    """
    networks.check(settings)
    with Stopwatch() as watch:
        catalog = opened(data, settings, progress, watch)
        target = target_of(out, catalog)
        with contextlib.closing(catalog.source), runs.writing(target) as folder:
            surroundings = _around(folder, cache, rescan, progress, watch)
            with networks.starting(settings, surroundings) as around:
                _work(data, catalog, settings, target, around, resume=None)
    return runs.open_run(target)


def resume(run: str | Path, *, cache: Cache | None = None, progress: Progress = SILENT) -> runs.Run:
    """Go on with a training that was interrupted or killed.

    Args:
        run: The run folder that it was to become.
        cache: Where known facts, features and pixels come from; None works without.
        progress: Who is told how far it is.

    Returns:
        The run, on a CPU with the same weights as if nothing had happened.

    Raises:
        RunError: If there is nothing to resume, or data or version are not what they were.
    """
    target = Path(run)
    with Stopwatch() as watch, runs.writing(target, resume=True) as folder:
        asked = runs.read_json(folder / runs.RESUME)
        data, chosen = _asked(folder, asked)
        networks.check(chosen)
        catalog = opened(data, chosen, progress, watch)
        with contextlib.closing(catalog.source):
            surroundings = _around(folder, cache, False, progress, watch)
            with networks.starting(chosen, surroundings) as around:
                _work(data, catalog, chosen, target, around, resume=asked)
    return runs.open_run(target)


def _around(
    folder: Path, cache: Cache | None, rescan: bool, progress: Progress, watch: Stopwatch
) -> Surroundings:
    work = folder / runs.TRAINING
    work.mkdir(exist_ok=True)
    return Surroundings(work, cache, rescan, progress, watch)


def _work(
    data: str | Path,
    catalog: Catalog,
    settings: TrainSettings,
    target: Path,
    around: Surroundings,
    *,
    resume: dict[str, Any] | None,
) -> None:
    """Everything between opening the data and the whole folder."""
    folder, watch = around.folder.parent, around.watch
    material = prepared(catalog, settings, _wants(settings), around)
    _note(folder, data, settings, material, resume)
    learned = _learn(material, settings, around, resume=resume is not None)
    result = measured(material, learned, folder / "model.onnx", settings, around.progress, watch)
    verdict = diagnosis.diagnose(facts(material, learned, result))
    runs.write_json(
        folder / "run.json",
        run_json(data, target.name, material, learned, result.proof, settings),
    )
    runs.write_json(folder / "metrics.json", metrics(material, learned, result, verdict))
    split_frame(material).write_parquet(folder / "split.parquet")
    audit.findings_frame(material.audit).write_parquet(folder / "findings.parquet")
    result.predictions.write_parquet(folder / "predictions.parquet")
    if learned.history is not None:
        learned.history.write_parquet(folder / "history.parquet")
    for name, file in learned.files.items():
        shutil.move(file, folder / name)
    with watch.stage("report"):
        runs.write_json(folder / "timings.json", watch.as_json())
        read = reader_of(catalog.paths, catalog.source.read)
        page = render_run(run_view(runs.Run(folder), read))
        (folder / "report.html").write_text(page, encoding="utf-8")
    runs.write_json(folder / "timings.json", watch.as_json())


def _wants(settings: TrainSettings) -> Wants:
    """What the one pass has to bring for this kind of model."""
    kind = settings.model
    if kind == "probe":
        return Wants(features=settings.size or BACKBONE_SIZE)
    share = VALIDATION if settings.validation is None else settings.validation
    if kind == "finetune":
        size = settings.size or BACKBONE_SIZE
        return Wants(features=size, pixels=True, size=size, validation=share)
    features = BACKBONE_SIZE if kind == "auto" else None
    return Wants(features=features, pixels=True, size=settings.size, kind=kind, validation=share)


def _learn(
    material: Material, settings: TrainSettings, around: Surroundings, *, resume: bool
) -> Learned:
    if settings.model == "probe":
        return probes.learn(material, settings, around)
    if settings.model == "auto":
        return choosing.learn(material, settings, around)
    return networks.learn(material, settings.model, settings, around, resume=resume)


def _note(
    folder: Path,
    data: str | Path,
    settings: TrainSettings,
    material: Material,
    before: dict[str, Any] | None,
) -> None:
    """Keep what a resumed training needs to know; or check that it is still true.

    Raises:
        RunError: If the data is not what it was.
    """
    if settings.model not in NETWORKS:
        return
    now = fingerprint(material.scan.frame)
    if before is None:
        asked = {
            "schema": runs.SCHEMA,
            "tellapart": __version__,
            "data": os.fspath(data),
            "folder": os.fspath(Path.cwd()),
            "settings": settings.model_dump(mode="json", exclude_defaults=True),
            "fingerprint": now,
        }
        runs.write_json(folder / runs.RESUME, asked)
    elif before.get("fingerprint") != now:
        raise RunError(
            "The data is not what it was when the training began.",
            remedy="Bring the pictures back as they were, or train again.",
            code="other_data",
        )


def _asked(folder: Path, asked: dict[str, Any]) -> tuple[Path, TrainSettings]:
    """Data and settings of the training that is resumed."""
    version = asked.get("tellapart")
    if version != __version__:
        raise RunError(
            f"The training was begun by tellapart {version}; this is {__version__}.",
            remedy="Resume it with that version, or train again.",
            code="other_version",
        )
    values = asked.get("settings")
    if not isinstance(values, dict):
        raise RunError(
            f"'{folder / runs.RESUME}' is damaged.", remedy="Train again.", code="damaged"
        )
    if values.get("corrections") is not None:
        values = values | {"corrections": Path(str(asked.get("folder")), values["corrections"])}
    try:
        chosen = settings(TrainSettings, values)
    except SettingsError as error:
        raise RunError(
            f"'{folder / runs.RESUME}' is damaged: {error}", remedy="Train again.", code="damaged"
        ) from None
    return Path(str(asked.get("folder")), str(asked.get("data"))), chosen
