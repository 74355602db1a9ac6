"""The served run, held in memory: its model, opened for serving, and everything else.

Nothing is read from the folder after :meth:`LoadedRun.load`, so if the folder is deleted or
replaced, nothing changes until the server is told to load the run again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from tellapart.explanations import heat_of
from tellapart.model import Model
from tellapart.runs import Run, open_run

MAX_REPORT = 64 * 1024**2
"""Bytes; a larger report is not served."""
CARD_METRICS = ("accuracy", "accuracy_ci95", "majority_accuracy", "method", "n")


@dataclass(frozen=True)
class LoadedRun:
    """A run, opened for serving. Safe to use from several threads at once.

    Attributes:
        name: The run's name.
        model: The model with one thread per call, for many callers at once.
        wide: The model with all threads in one call, for a single picture.
        heat: The method of heat maps (``evidence`` or ``hirescam``), or None if this model has
            no quick one.
        report: The report, or None.
        settings: Content of ``run.json``.
        metrics: Content of ``metrics.json``.
    """

    name: str
    model: Model
    wide: Model
    heat: str | None
    report: bytes | None
    settings: Mapping[str, Any]
    metrics: Mapping[str, Any]

    @classmethod
    def load(cls, folder: str | Path, *, threads: int) -> LoadedRun:
        """Open a run, read everything that is served, and run the model once.

        Args:
            folder: The run folder.
            threads: Threads within one call of the wide model.

        Raises:
            RunError: If the run is missing, damaged, or from a newer version.
            ModelError: If its model is.
        """
        run = open_run(folder)
        model = run.load_model(threads=1)
        wide = run.load_model(threads=threads, spin=True) if threads > 1 else model
        blank = np.zeros((1, model.size, model.size, 3), np.uint8)
        for one in {id(model): model, id(wide): wide}.values():
            one.run(blank)
        heat = _heat_method(model)
        if heat is not None:
            heat_of(wide, blank[0], 0, heat)
        return cls(
            name=name_of(run),
            model=model,
            wide=wide,
            heat=heat,
            report=_report(run),
            settings=run.settings,
            metrics=run.metrics,
        )

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, in the order of the model's outputs."""
        return self.model.classes

    @property
    def version(self) -> str:
        """The beginning of the SHA-256 of the model file."""
        return self.model.fingerprint[:12]

    @cached_property
    def card(self) -> dict[str, Any]:
        """The model's card, for people and programs; it names no path of this machine."""
        held, data = self.metrics["held_out"], self.settings.get("data", {})
        verdict = self.metrics["verdict"]
        return {
            "name": self.name,
            "version": self.version,
            "sha256": self.model.fingerprint,
            "classes": list(self.classes),
            "size": self.model.size,
            "fit": self.model.fit,
            "model": self.settings.get("model"),
            "backbone": self.settings.get("backbone"),
            "trained": self.settings.get("created"),
            "data": {
                "name": data.get("name"),
                "fingerprint": data.get("fingerprint"),
                "pictures": data.get("pictures"),
            },
            "held_out": {name: held[name] for name in CARD_METRICS if name in held},
            "verdict": {"code": verdict.get("code"), "sentence": verdict["sentence"]},
            "heat_map": self.heat,
            "report": self.report is not None,
        }


def name_of(run: Run) -> str:
    """The name that a run was trained under, whatever its folder is called now."""
    return str(run.settings.get("name") or run.path.resolve().name)


def _heat_method(model: Model) -> str | None:
    """The heat map that costs no more than a second run of the network."""
    if len(model.classes) < 2:
        return None
    if model.has_map:
        return "evidence"
    return "hirescam" if model.layers() else None


def _report(run: Run) -> bytes | None:
    path = run.path / "report.html"
    try:
        return path.read_bytes() if path.stat().st_size <= MAX_REPORT else None
    except OSError:
        return None
