"""The functions of ``import tellapart as ta``: the same as the commands of the command line.

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


_OPTIONS = "        options: Settings, listed by ``help`` and checked before anything is read."


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
        data: A folder, archive or manifest of labeled pictures.
        sizes: Sides of the squares to resize the pictures to; their pixels, uint8
            ``[N, size, size, 3]``, are in ``scan.pixels(size)``.
        options: Settings, listed by ``help`` and checked before anything is read.
        rescan: Hash every file again instead of trusting its date.
        progress: Where progress is reported.

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
    """Say what is wrong with labeled pictures, and what to do about it.

    Args:
        data: A folder, archive or manifest of labeled pictures.
        options: Settings, listed by ``help`` and checked before anything is read.
        rescan: Hash every file again instead of trusting its date.
        progress: Where progress is reported.

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
    """Train a classifier, measure it on pictures that it has not seen, and write a run folder.

    Args:
        data: A folder, archive or manifest of labeled pictures.
        options: Settings, listed by ``help`` and checked before anything is read.
        out: The run folder; ``runs/NAME-1`` unless given.
        rescan: Hash every file again instead of trusting its date.
        progress: Where progress is reported.

    Raises:
        SettingsError: If settings are unknown or not allowed (one message names all), or an extra
            is missing.
        DataError: If the data cannot be read, or has fewer than two classes.
        RunError: If ``out`` exists or cannot be written.
        KeyboardInterrupt: If it was interrupted; :func:`resume` continues from a checkpoint.
    """
    chosen = settings(TrainSettings, options)
    with _cache() as cache:
        return training.train(data, chosen, out=out, cache=cache, rescan=rescan, progress=progress)


def resume(run: str | Path, *, progress: Progress = SILENT) -> Run:
    """Continue a network's training that was interrupted or killed.

    Args:
        run: The run folder that the training was to write.
        progress: Where progress is reported.

    Raises:
        RunError: If there is nothing to resume, or the data or the versions have changed.
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
    """Measure a run's model on other labeled pictures; classes are matched by name.

    Args:
        run: A run, or its folder.
        data: A folder, archive or manifest of labeled pictures.
        options: Settings, listed by ``help`` and checked before anything is read.
        progress: Where progress is reported.

    Returns:
        ``{"schema", "run", "data", "evaluation", "not_counted", "missing_classes"}``:
        ``evaluation`` has the members of ``held_out`` in ``metrics.json``, ``not_counted`` the
        number of pictures left out by reason, ``missing_classes`` the classes of the model
        without pictures in the data.

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
        SettingsError: If the runtime of the export is not installed.
    """
    if not isinstance(run, Run) and is_export(Path(run)):
        return Classifier(open_export(run))
    return Classifier(_run(run))


def compare(runs: Sequence[str | Path | Run]) -> Comparison:
    """Compare runs, by McNemar's exact test where they held out the same pictures.

    Args:
        runs: Two or more runs, or their folders.

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
