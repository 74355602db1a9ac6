"""Training of a network from pixels, in a child process."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from tellapart import splits
from tellapart.core.config import NETWORKS, TrainSettings
from tellapart.core.errors import SettingsError
from tellapart.core.progress import SILENT, Progress
from tellapart.core.typing import Floats, Ints
from tellapart.images.resizing import Fit
from tellapart.model import Model, build_network
from tellapart.pipelines.train.probes import fit_head
from tellapart.pipelines.train.results import Context, Prepared, Trained

if TYPE_CHECKING:
    from tellapart.networks import Job, Recipe
    from tellapart.networks.spec.architectures import Kind, Spec

FINAL = "final"
_IMBALANCED = 2.0
"""Classes get weights if the largest has at least this many times the pictures of the smallest."""
_ROWS = 512  # pictures between two reports of progress


def check(settings: TrainSettings) -> None:
    """Check, before pictures are read, that training with these settings can start.

    Without Keras, ``auto`` tries only the probe.

    Raises:
        SettingsError: If the extra ``keras`` or TensorBoard is missing, or ``augment`` is invalid.
    """
    from tellapart.networks.augment import Policy
    from tellapart.networks.loop import backend, tensorboard

    if settings.augment is not None:
        Policy.parse(settings.augment)
    if settings.model in NETWORKS:
        backend.check()
    if settings.tensorboard:
        tensorboard.check()


@contextlib.contextmanager
def start_keras(model: str, context: Context) -> Iterator[Context]:
    """Start Keras in a child process while the pictures are read; a probe needs none."""
    if model not in NETWORKS:
        yield context
        return
    from tellapart.networks.process import process

    with process.KerasProcess(context.folder / process.LOG) as child:
        yield dataclasses.replace(context, keras_process=child)


def train(
    prepared: Prepared,
    kind: str,
    settings: TrainSettings,
    context: Context,
    *,
    budget: float | None = None,
    resume: bool = False,
) -> Trained:
    """Train a network, and write its model file.

    Args:
        prepared: The pictures, with pixels.
        kind: One of :data:`tellapart.core.config.NETWORKS`.
        settings: The user's settings.
        context: Folder, cache and progress.
        budget: Seconds that training may take; that of the settings unless given.
        resume: Whether to continue from the checkpoints in the folder.

    Raises:
        SettingsError: If the extra ``keras`` is missing, or a setting does not fit the pictures.
    """
    from tellapart.networks.process import process

    spec, recipe = _plan(prepared, kind, settings, budget)
    network = _Network(prepared, spec, recipe, settings.fit, settings.seed, context)
    folder = context.folder / FINAL
    rows = prepared.rows(splits.TRAIN)
    with context.watch.stage("learning"):
        fitted = process.fit(
            network.job(rows),
            folder,
            progress=context.progress,
            resume=resume,
            child=context.keras_process,
        )
    extras = [folder / name for name in ("model.keras", "tensorboard")]
    return Trained(
        kind=kind,
        file=network.onnx(fitted.weights),
        size=spec.size,
        rows=rows,
        predict=network.predict,
        out_of_fold=lambda: network.out_of_fold(resume=resume),
        engine=str(fitted.outcome.get("engine", "keras")),
        backbone="efficientnet-lite0" if kind == "finetune" else None,
        details={
            "network": {
                "spec": json.loads(spec.model_dump_json()),
                "parameters": spec.parameters(),
                "recipe": json.loads(recipe.model_dump_json()),
                "augment": recipe.augment.describe(),
                "outcome": dict(fitted.outcome),
            }
        },
        history=fitted.history,
        files={path.name: path for path in extras if path.exists()},
    )


def _plan(
    prepared: Prepared, kind: str, settings: TrainSettings, budget: float | None
) -> tuple[Spec, Recipe]:
    """The network and its recipe for these pictures."""
    from tellapart.networks.spec import architectures, recipes

    pixels = prepared.pixels
    rows = prepared.rows(splits.TRAIN)
    counts = np.bincount(prepared.labels[rows], minlength=len(prepared.classes))
    spec = architectures.default(
        cast("Kind", kind),
        size=pixels.size,
        gray=pixels.gray,
        classes=len(prepared.classes),
        units=settings.units,
        filters=settings.filters,
    )
    class_weights = settings.class_weights
    if class_weights is None:
        class_weights = bool(counts.max() >= _IMBALANCED * counts.min())
    needs_slice = settings.target_on == "validation" or settings.patience is not None
    if needs_slice and not len(prepared.validation):
        raise SettingsError(
            "There is no validation slice to stop or choose by: "
            + (
                "under 200 pictures, all are learnt from and folds measure."
                if prepared.split.method == "folds"
                else "the training part is too small to be parted."
            ),
            remedy="Leave --patience and --target-on validation away, or add pictures.",
            code="no_validation",
        )
    recipe = recipes.resolve(
        settings,
        kind,
        n=len(rows),
        size=pixels.size,
        gray=pixels.gray,
        budget=budget,
        class_weights=class_weights,
    )
    return spec, recipe


@dataclass(frozen=True)
class _Network:
    """A network, its recipe, and the pictures to train it on."""

    prepared: Prepared
    spec: Spec
    recipe: Recipe
    fit: Fit
    seed: int
    context: Context

    def job(self, rows: Ints) -> Job:
        """The training on some rows, for the child process."""
        from tellapart.networks import Job
        from tellapart.networks.loop import initial_weights

        initial = initial_weights.pretrained(self.spec)
        if initial is not None:
            # Training starts with the head that a probe has on these rows.
            head = fit_head(self.prepared, rows, seed=self.seed, progress=self.context.progress)
            initial |= {"logits/kernel": head.weights, "logits/bias": head.bias}
        return Job(
            spec=self.spec,
            recipe=self.recipe,
            pixels=self.prepared.pixels.file,
            labels=np.maximum(self.prepared.labels, 0),
            training=rows,
            validation=self.prepared.validation,
            classes=self.prepared.classes,
            initial=initial,
        )

    def onnx(self, weights: Any) -> bytes:
        """The model file."""
        return build_network(
            graph=self.spec.graph(),
            kind=self.spec.kind,
            weights=weights,
            classes=self.prepared.classes,
            fit=self.fit,
        )

    def predict(self, model: Model, rows: Ints, progress: Progress) -> Floats:
        """Probabilities ``[n, K]`` from the pixels of some rows."""
        rgb = self.prepared.pixels.rgb
        probabilities = np.empty((len(rows), len(model.classes)), np.float32)
        with progress.stage("Measuring", total=len(rows)) as stage:
            for start in range(0, len(rows), _ROWS):
                some = rows[start : start + _ROWS]
                probabilities[start : start + _ROWS] = model.run(rgb[some])
                stage.advance(len(some))
        return probabilities

    def out_of_fold(self, *, resume: bool) -> Floats:
        """Probabilities of each training picture by a network trained without it, ``[1, n, K]``."""
        from tellapart.networks.process import process

        prepared = self.prepared
        rows = prepared.rows(splits.TRAIN)
        folds = splits.folds(prepared.labels[rows], prepared.split.groups[rows], seed=self.seed)
        jobs = [
            (self.context.folder / f"fold-{number}", self.job(rows[train]))
            for number, (train, _) in enumerate(folds, 1)
        ]
        fits = process.fit_all(
            jobs, title="Folds", unit="folds", progress=self.context.progress, resume=resume
        )
        # A class with a single group is in no fold: its pictures get equal probabilities.
        classes = len(prepared.classes)
        probabilities = np.full((len(rows), classes), 1 / classes, np.float32)
        for fitted, (_, test) in zip(fits, folds, strict=True):
            model = Model.load(self.onnx(fitted.weights))
            probabilities[test] = self.predict(model, rows[test], SILENT)
        return probabilities[None]
