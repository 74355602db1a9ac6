"""The verbs: what ``import tellapart as ta`` offers, the same as the command line.

Each takes plain values, checks them all at once, opens the user's cache, and calls the module
that does the work.
"""

from __future__ import annotations

import inspect
import textwrap
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from tellapart.core.cache import Cache
from tellapart.core.config import (
    NETWORKS,
    DataSettings,
    Settings,
    TrainSettings,
    options_of,
    settings,
)
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
    "check",
    "compare",
    "evaluate",
    "load",
    "resume",
    "scan",
    "train",
]

F = TypeVar("F", bound=Callable[..., Any])


def _takes(kind: type[Settings]) -> Callable[[F], F]:
    """Show the fields of a settings class in the signature and docstring of a function.

    They are the function's ``**options``, and are declared in the class alone.
    """

    def mark(function: F) -> F:
        signature = inspect.signature(function)
        own = [one for one in signature.parameters.values() if one.kind is not one.VAR_KEYWORD]
        first = [one for one in own if one.kind is not one.KEYWORD_ONLY]
        fields, told, types = [], [], typing.get_type_hints(kind)
        for name, option in options_of(kind).items():
            fields.append(
                inspect.Parameter(
                    name,
                    inspect.Parameter.KEYWORD_ONLY,
                    default=kind.model_fields[name].default,
                    annotation=types[name],
                )
            )
            some = "Networks" if len(option.models) >= len(NETWORKS) else ", ".join(option.models)
            models = f" {some} only." if option.models else ""
            told.append(
                textwrap.fill(
                    f"{name}: {option.help}{models}",
                    100,
                    initial_indent=8 * " ",
                    subsequent_indent=12 * " ",
                )
            )
        function.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=[*first, *fields, *own[len(first) :]]
        )
        function.__doc__ = (function.__doc__ or "").replace(_OPTIONS, "\n".join(told))
        return function

    return mark


_OPTIONS = "        options: How; shown by ``help`` and checked before anything is read."


@_takes(DataSettings)
def scan(
    data: str | Path,
    *,
    sizes: Sequence[int] = (),
    rescan: bool = False,
    progress: Progress = SILENT,
    **options: Any,
) -> Scan:
    """Read every picture once: hash, decode, facts, and pixels where sizes are asked for.

    Args:
        data: A folder, archive or manifest of labelled pictures.
        sizes: Sides of squares to bring the pictures to; their pixels, uint8
            ``[N, size, size, 3]``, stand in ``scan.pixels(size)``.
        options: How; shown by ``help`` and checked before anything is read.
        rescan: Hash every file again instead of trusting its date.
        progress: Told how far it is.

    Raises:
        DataError: If the data cannot be read at all.
    """
    chosen = settings(DataSettings, options)
    catalog = checking.open_data(data, chosen)
    consumers: list[Consumer] = [scanner.PixelConsumer(size) for size in sizes]
    with _cache() as cache:
        return scanner.scan(
            catalog, consumers=consumers, cache=cache, rescan=rescan, progress=progress
        )


@_takes(DataSettings)
def check(
    data: str | Path,
    *,
    rescan: bool = False,
    progress: Progress = SILENT,
    **options: Any,
) -> Check:
    """Say what is wrong with labelled pictures, and what to do about it.

    Args:
        data: A folder, archive or manifest of labelled pictures.
        options: How; shown by ``help`` and checked before anything is read.
        rescan: Hash every file again instead of trusting its date.
        progress: Told how far it is.

    Raises:
        DataError: If the data cannot be read at all.
    """
    chosen = settings(DataSettings, options)
    with _cache() as cache:
        return checking.check(data, chosen, cache=cache, rescan=rescan, progress=progress)


@_takes(TrainSettings)
def train(
    data: str | Path,
    *,
    out: str | Path | None = None,
    rescan: bool = False,
    progress: Progress = SILENT,
    **options: Any,
) -> Run:
    """Train a classifier, measure it honestly, and leave a run folder.

    Args:
        data: A folder, archive or manifest of labelled pictures.
        options: How; shown by ``help`` and checked before anything is read.
        out: The run folder; ``runs/NAME-1`` unless given.
        rescan: Hash every file again instead of trusting its date.
        progress: Told how far it is.

    Raises:
        SettingsError: With every setting that has no meaning, or if an extra is missing.
        DataError: If the data cannot be read, or has no two classes to tell apart.
        RunError: If ``out`` exists or cannot be written.
        KeyboardInterrupt: If it was interrupted; :func:`resume` goes on from a checkpoint.
    """
    chosen = settings(TrainSettings, options)
    with _cache() as cache:
        return training.train(data, chosen, out=out, cache=cache, rescan=rescan, progress=progress)


def resume(run: str | Path, *, progress: Progress = SILENT) -> Run:
    """Go on with a network's training that was interrupted or killed.

    Args:
        run: The run folder that it was to become.
        progress: Told how far it is.

    Raises:
        RunError: If there is nothing to resume, or data or versions are not what they were.
    """
    with _cache() as cache:
        return training.resume(run, cache=cache, progress=progress)


@_takes(DataSettings)
def evaluate(
    run: str | Path | Run,
    data: str | Path,
    *,
    progress: Progress = SILENT,
    **options: Any,
) -> Mapping[str, Any]:
    """Measure a run's model on other labelled pictures; classes are matched by name.

    Args:
        run: A run, or its folder.
        data: A folder, archive or manifest of labelled pictures.
        options: How; shown by ``help`` and checked before anything is read.
        progress: Told how far it is.

    Returns:
        ``{"schema", "run", "data", "evaluation", "not_counted", "missing_classes"}``:
        ``evaluation`` has the members of ``held_out`` in ``metrics.json``, ``not_counted`` says
        how many pictures were left out and why, ``missing_classes`` which classes of the model
        the data has no pictures of.

    Raises:
        LabelError: If the data has a class that the model does not know.
    """
    chosen = settings(DataSettings, options)
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


@contextmanager
def _cache() -> Iterator[Cache]:
    with Cache.open() as cache:
        yield cache
