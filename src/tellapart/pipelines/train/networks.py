"""A network trained from pixels in a child process, written and ready to be measured."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from tellapart import splits
from tellapart.core.config import NETWORKS, TrainSettings
from tellapart.core.errors import SettingsError
from tellapart.core.typing import Floats
from tellapart.model import Model, writing
from tellapart.pipelines.material import Answer, Learned, Material, Pixels
from tellapart.pipelines.train.measuring import no_advance
from tellapart.pipelines.train.preparing import Surroundings
from tellapart.pipelines.train.probes import fitted as fitted_probe

if TYPE_CHECKING:
    from tellapart.networks import Fitted, Job, Recipe
    from tellapart.networks.spec.architectures import Kind, Spec

Rows = NDArray[np.int64]

FINAL = "final"
_IMBALANCED = 2.0
"""Times as many pictures of the commonest class as of the rarest from which classes are weighed."""
_ROWS = 512  # pictures that are handed to the file at a time


def check(settings: TrainSettings) -> None:
    """Refuse what would fail only after all pictures were read.

    ``auto`` does without networks where Keras is missing, and says so.

    Raises:
        SettingsError: If the extra ``keras`` or TensorBoard is missing, or ``augment`` is not
            understood.
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
def starting(settings: TrainSettings, around: Surroundings) -> Iterator[Surroundings]:
    """Let Keras start in its process while the pictures are read; a probe needs none."""
    if settings.model not in NETWORKS:
        yield around
        return
    from tellapart.networks.process import process

    with process.Child(around.folder / process.LOG) as child:
        yield dataclasses.replace(around, child=child)


def learn(
    material: Material,
    kind: str,
    settings: TrainSettings,
    around: Surroundings,
    *,
    budget: float | None = None,
    about: Mapping[str, Any] | None = None,
    resume: bool = False,
) -> Learned:
    """Train a network, and write its file.

    Args:
        material: The pictures; their pixels were asked for.
        kind: One of :data:`tellapart.core.config.NETWORKS`.
        settings: What was asked for.
        around: Folders and listeners.
        budget: Seconds that training may take; those of the settings unless given.
        about: More members for ``run.json``.
        resume: Go on from the checkpoints that lie in the folder.

    Raises:
        SettingsError: If the extra ``keras`` is missing, or a setting does not fit the pictures.
    """
    from tellapart.networks.process import process

    spec, recipe = plan(material, kind, settings, budget=budget)
    rows = material.rows(splits.TRAIN)
    with around.watch.stage("learning"):
        job = _job(material, spec, recipe, rows, settings, around)
        folder = around.folder / FINAL
        fitted = process.fit(
            job, folder, progress=around.progress, resume=resume, child=around.child
        )
    file = around.folder.parent / "model.onnx"
    writing.write_network(
        file,
        graph=spec.graph(),
        weights=fitted.weights,
        classes=material.classes,
        fit=settings.fit,
        kind=kind,
    )

    def unseen() -> Floats:
        return _by_folds(material, spec, recipe, settings, around, resume=resume)

    return Learned(
        kind=kind,
        size=spec.size,
        rows=rows,
        answer=answers(material),
        unseen=unseen,
        engine=str(fitted.outcome.get("engine", "keras")),
        backbone="efficientnet-lite0" if kind == "finetune" else None,
        about={"network": _described(spec, recipe, fitted), **(about or {})},
        history=fitted.history,
        files=_files(around.folder / FINAL),
    )


def plan(
    material: Material, kind: str, settings: TrainSettings, *, budget: float | None = None
) -> tuple[Spec, Recipe]:
    """The network and its recipe for these pictures.

    Raises:
        SettingsError: If a setting does not fit the network or the pictures.
    """
    from tellapart.networks.spec import architectures, recipes

    pixels = _pixels(material)
    rows = material.rows(splits.TRAIN)
    counts = np.bincount(material.labels[rows], minlength=len(material.classes))
    spec = architectures.default(
        cast("Kind", kind),
        size=pixels.size,
        gray=pixels.gray,
        classes=len(material.classes),
        units=settings.units,
        filters=settings.filters,
    )
    weigh = settings.class_weights
    if weigh is None:
        weigh = bool(counts.max() >= _IMBALANCED * counts.min())
    if settings.target_on == "validation" or settings.patience is not None:
        _check_slice(material)
    recipe = recipes.resolve(
        settings,
        kind,
        n=len(rows),
        size=pixels.size,
        gray=pixels.gray,
        budget=budget,
        class_weights=weigh,
    )
    return spec, recipe


def answers(material: Material) -> Answer:
    """Asks an open file about rows of the pixels that the one decoder made."""
    rgb = _pixels(material).rgb

    def answer(model: Model, rows: Rows, advance: Callable[[int], None]) -> Floats:
        made = np.empty((len(rows), len(model.classes)), np.float32)
        for start in range(0, len(rows), _ROWS):
            part = rows[start : start + _ROWS]
            made[start : start + _ROWS] = model.run(rgb[part])
            advance(len(part))
        return made

    return answer


def _job(
    material: Material,
    spec: Spec,
    recipe: Recipe,
    rows: Rows,
    settings: TrainSettings,
    around: Surroundings,
) -> Job:
    from tellapart.networks import Job
    from tellapart.networks.loop import initial_weights

    initial = initial_weights.pretrained(spec)
    if initial is not None:
        # The head that the frozen backbone's features call for: training starts where the probe
        # ends.
        head = fitted_probe(material, rows, settings, around)
        initial |= {"logits/kernel": head.weights, "logits/bias": head.bias}
    return Job(
        spec=spec,
        recipe=recipe,
        pixels=_pixels(material).file,
        labels=np.maximum(material.labels, 0),
        training=rows,
        validation=material.validation,
        classes=material.classes,
        initial=initial,
    )


def _by_folds(
    material: Material,
    spec: Spec,
    recipe: Recipe,
    settings: TrainSettings,
    around: Surroundings,
    *,
    resume: bool,
) -> Floats:
    """Each training picture by a network that has not seen it, ``[1, n, K]``: a round of folds."""
    from tellapart.networks.process import process

    rows = material.rows(splits.TRAIN)
    ask = answers(material)
    made = np.empty((len(rows), len(material.classes)), np.float32)
    dealt = splits.folds(material.labels[rows], material.split.groups[rows], seed=settings.seed)
    known = np.zeros(len(rows), bool)
    jobs = [
        (
            around.folder / f"fold-{number}",
            _job(material, spec, recipe, rows[train], settings, around),
        )
        for number, (train, _) in enumerate(dealt, 1)
    ]
    fits = process.fit_all(
        jobs, title="Folds", unit="folds", progress=around.progress, resume=resume
    )
    for fitted, (_, test) in zip(fits, dealt, strict=True):
        data = writing.build_network(
            graph=spec.graph(),
            weights=fitted.weights,
            classes=material.classes,
            fit=settings.fit,
            kind=spec.kind,
        )
        made[test] = ask(Model.load(data), rows[test], no_advance)
        known[test] = True
    # A class that stands in one group alone is in no fold: guessing is all that can be said of it.
    made[~known] = 1 / len(material.classes)
    return made[None]


def _described(spec: Spec, recipe: Recipe, fitted: Fitted) -> dict[str, Any]:
    """The ``network`` member of ``run.json``."""
    return {
        "spec": json.loads(spec.model_dump_json()),
        "parameters": spec.parameters(),
        "recipe": json.loads(recipe.model_dump_json()),
        "augment": recipe.augment.describe(),
        "outcome": dict(fitted.outcome),
    }


def _files(folder: Path) -> dict[str, Path]:
    named = {name: folder / name for name in ("model.keras", "tensorboard")}
    return {name: path for name, path in named.items() if path.exists()}


def _check_slice(material: Material) -> None:
    if len(material.validation):
        return
    raise SettingsError(
        "There is no validation slice to stop or choose by: "
        + (
            "under 200 pictures, all are learnt from and folds measure."
            if material.split.method == "folds"
            else "the training part is too small to be parted."
        ),
        remedy="Leave --patience and --target-on validation away, or add pictures.",
        code="no_validation",
    )


def _pixels(material: Material) -> Pixels:
    assert material.pixels is not None, "the scan was asked for no pixels"
    return material.pixels
