"""Training: from data to a run folder.

:func:`train` runs the stages in order: catalog, one pass with features or pixels, audit, split,
learning, evaluation of the model file, diagnosis, report. Only the evaluation uses the held-out
pictures.

:mod:`.preparation` has the stages before learning. :mod:`.probes`, :mod:`.networks` and
:mod:`.selection` (``auto``) learn and write the model file. :mod:`.measurement` evaluates and
verifies it. :mod:`.run_content` makes the content of the run's files. :mod:`.results` has the
values passed between stages.

Example:
    >>> run = train("pets/", TrainSettings())  # doctest: +SKIP
    >>> run.metrics["held_out"]["accuracy"]  # doctest: +SKIP
    0.987
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from tellapart import runs
from tellapart.core.cache import Cache
from tellapart.core.config import NETWORKS, TrainSettings
from tellapart.core.errors import RunError
from tellapart.core.progress import SILENT, Progress
from tellapart.core.resources import Stopwatch
from tellapart.data.catalog import Catalog
from tellapart.pipelines.train import networks, preparation, probes, selection
from tellapart.pipelines.train.measurement import measure
from tellapart.pipelines.train.results import Context, Prepared, Trained
from tellapart.pipelines.train.run_content import fingerprint, run_content
from tellapart.reports import render_run
from tellapart.reports.pages import reader_of, run_view
from tellapart.runs.request import Request, read_request, write_request
from tellapart.runs.writing import TRAINING


def train(
    data: str | Path,
    settings: TrainSettings,
    *,
    out: str | Path | None = None,
    cache: Cache | None = None,
    rescan: bool = False,
    progress: Progress = SILENT,
) -> runs.Run:
    """Train a model, measure it on held-out pictures, and write a run folder.

    Args:
        data: A folder, archive or manifest of labeled pictures.
        settings: Model, size, fit, share held out, seed, and how the data is read.
        out: The run folder; ``runs/NAME-1`` (the first free number) unless given.
        cache: Supplies known facts and features and keeps new ones; None works without.
        rescan: Hash every file again instead of trusting path, size and time.
        progress: Gets the progress of each stage.

    Returns:
        The run.

    Raises:
        DataError: If the data cannot be read, or has no two classes to tell apart.
        SettingsError: If a setting does not fit the pictures, or an extra is missing.
        RunError: If ``out`` exists, is inside the data, or cannot be written.
        runs.writing.Interrupted: If it was interrupted and can be resumed.
    """
    networks.check(settings)
    with Stopwatch() as watch:
        with watch.stage("catalog"):
            catalog = preparation.open_catalog(data, settings, progress)
        target = preparation.run_folder(out, catalog)
        with contextlib.closing(catalog.source), runs.create(target) as folder:
            context = Context(folder / TRAINING, cache, rescan, progress, watch)
            _train_into(folder, target.name, Request(data, settings), catalog, context)
    return runs.open_run(target)


def resume(run: str | Path, *, cache: Cache | None = None, progress: Progress = SILENT) -> runs.Run:
    """Continue a training that was interrupted or killed.

    Args:
        run: The run folder that the training was to write.
        cache: Supplies known facts and features and keeps new ones; None works without.
        progress: Gets the progress of each stage.

    Returns:
        The run; on a CPU its weights are those of an uninterrupted training.

    Raises:
        RunError: If there is nothing to resume, or data or version changed.
    """
    target = Path(run)
    with Stopwatch() as watch, runs.create(target, resume=True) as folder:
        request = read_request(folder)
        networks.check(request.settings)
        with watch.stage("catalog"):
            catalog = preparation.open_catalog(request.data, request.settings, progress)
        with contextlib.closing(catalog.source):
            context = Context(folder / TRAINING, cache, False, progress, watch)
            _train_into(folder, target.name, request, catalog, context)
    return runs.open_run(target)


def _train_into(
    folder: Path, name: str, request: Request, catalog: Catalog, context: Context
) -> None:
    """All stages after opening the data."""
    settings, watch = request.settings, context.watch
    context.folder.mkdir(exist_ok=True)
    with networks.start_keras(settings.model, context) as context:
        prepared = preparation.prepare(
            catalog,
            preparation.inputs_of(settings.model, settings.size, settings.validation),
            fit=settings.fit,
            held_out=settings.held_out,
            seed=settings.seed,
            context=context,
        )
        if settings.model in NETWORKS:
            _write_or_check_request(folder, request, fingerprint(prepared.scan.frame))
        trained = _train_model(prepared, settings, context, resume=request.fingerprint is not None)
        with watch.stage("evaluating"):
            measured = measure(prepared, trained, seed=settings.seed, progress=context.progress)
    content = run_content(name, request, prepared, trained, measured)

    def report(run: runs.Run) -> str:
        with watch.stage("report"):
            return render_run(run_view(run, reader_of(catalog.paths, catalog.source.read)))

    runs.save(folder, content, timings=watch.as_json, report=report)


def _write_or_check_request(folder: Path, request: Request, fingerprint: str) -> None:
    """Write what resuming needs; on resuming, check that the data is the same.

    Raises:
        RunError: If the data changed.
    """
    if request.fingerprint is None:
        write_request(folder, request, fingerprint)
    elif request.fingerprint != fingerprint:
        raise RunError(
            "The data is not what it was when the training began.",
            remedy="Bring the pictures back as they were, or train again.",
            code="other_data",
        )


def _train_model(
    prepared: Prepared, settings: TrainSettings, context: Context, *, resume: bool
) -> Trained:
    if settings.model == "probe":
        return probes.train(prepared, fit=settings.fit, seed=settings.seed, context=context)
    if settings.model == "auto":
        return selection.train(prepared, settings, context)
    return networks.train(prepared, settings.model, settings, context, resume=resume)
