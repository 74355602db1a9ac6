"""How a network is trained: every choice as one frozen value.

A run stores a :class:`Recipe`, and the child process reads it; only ``"auto"`` is decided later.
:func:`default` makes the recipe of a kind of network for the data at hand, :func:`resolve` the one
with the options of ``train``. The default numbers are in two tables.

Example:
    >>> recipe = default("dnn", n=60_000, size=28, gray=True, epochs=3)
    >>> recipe.epochs, recipe.batch, recipe.optimizer
    (3, 64, 'adam')
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from tellapart.core.config import NetworkSettings, Settings, settings
from tellapart.core.errors import SettingsError
from tellapart.networks.augment import Policy
from tellapart.networks.augment import default as default_policy

Schedule = Literal["onecycle", "cosine", "constant"]
Optimizer = Literal["sgd", "adam", "adamw"]
Precision = Literal["float32", "mixed_bfloat16", "auto"]


class Stage(Settings):
    """A part of a training in which only the upper layers learn, with its own optimizer.

    Attributes:
        prefix: The first layer whose name begins with it and all later layers learn; those
            before are frozen. Empty: all layers learn.
        epochs: Passes over the training part.
        learning_rate: Peak of its schedule.
    """

    prefix: str = ""
    epochs: int = Field(ge=1, le=100_000)
    learning_rate: float = Field(gt=0)


class Recipe(Settings):
    """How a network is trained.

    Attributes:
        epochs: Passes over the training part; the most of them with ``budget``. With ``stages``
            their sum counts instead.
        batch: Pictures per step, at most as many as there are.
        optimizer: ``"sgd"`` has Nesterov momentum 0.9.
        learning_rate: Peak of the schedule, or ``"auto"`` for the finder.
        schedule: Its shape; see :mod:`tellapart.networks.loop.schedules`.
        warmup: Share of the steps in which the rate rises.
        weight_decay: Decoupled, on kernels only.
        label_smoothing: Share of each target that is spread over all classes.
        augment: How training pictures are varied.
        class_weights: Whether rare classes count more, so that all count the same in total.
        target: Accuracy at which training stops, or None.
        target_on: Which accuracy: the running one of the training part, or that of the
            validation slice.
        patience: Epochs without a lower validation loss after which training stops and the
            best weights return. None trains to the end and keeps the last weights.
        budget: Seconds for everything, from when the child process gets the job (or starts with
            it) to the saved weights; None for no limit.
        precision: ``"auto"`` tries ``mixed_bfloat16`` if the processor or device has it, and
            takes it if it is faster.
        compiled: Keras's ``jit_compile``; None is its ``"auto"``.
        steps_per_execution: Steps between two returns to Python.
        seed: For initial weights, order, dropout and augmentation.
        checkpoint_minutes: Minutes between checkpoints inside an epoch. There is always one after
            each epoch.
        tensorboard: Whether to write TensorBoard logs.
        stages: Parts of the training, one after the other; empty for one in which all layers
            learn.
    """

    epochs: int = Field(ge=1, le=100_000)
    batch: int = Field(ge=1, le=65_536)
    optimizer: Optimizer = "adam"
    learning_rate: float | Literal["auto"] = 1e-3
    schedule: Schedule = "constant"
    warmup: float = Field(default=0.0, ge=0, lt=1)
    weight_decay: float = Field(default=0.0, ge=0, lt=1)
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    augment: Policy = Field(default_factory=lambda: Policy.parse("none"))
    class_weights: bool = False
    target: float | None = Field(default=None, gt=0, le=1)
    target_on: Literal["training", "validation"] = "training"
    patience: int | None = Field(default=None, ge=1)
    budget: float | None = Field(default=None, gt=0)
    precision: Precision = "float32"
    compiled: bool | None = None
    steps_per_execution: int = Field(default=1, ge=1, le=1024)
    seed: int = Field(default=0, ge=0, le=2**32 - 1)
    checkpoint_minutes: float = Field(default=5.0, gt=0)
    tensorboard: bool = False
    stages: tuple[Stage, ...] = ()

    def resolved_stages(self) -> tuple[Stage, ...]:
        """The stages, or a single one in which all layers learn.

        ``learning_rate="auto"`` is 1.0 until the finder has chosen.
        """
        if self.stages:
            return self.stages
        rate = 1.0 if self.learning_rate == "auto" else self.learning_rate
        return (Stage(epochs=self.epochs, learning_rate=rate),)

    @property
    def wanted_epochs(self) -> int:
        """Epochs of all stages."""
        return sum(stage.epochs for stage in self.resolved_stages())


_FEW = 5_000
"""Training pictures below which :data:`_FEW_DEFAULTS` count."""

_SHORT = 400
"""Steps of a whole training below which it is not compiled: compiling ``dnn`` takes 1.6 s, which it
saves in some 350 steps."""

_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "linear": {"epochs": 20, "batch": 32},
    "dnn": {
        "epochs": 20,
        "batch": 64,
        "schedule": "onecycle",
        "warmup": 0.1,
        # One compiled program for 32 steps: an epoch of 60,000 28x28 pictures at batch 32 takes
        # 4.8 s on two cores, and 14.3 s step by step.
        "compiled": True,
        "steps_per_execution": 32,
    },
    # Not compiled: on a CPU that slows convolutions down (9.2 s per epoch instead of 5.1).
    "cnn": {"epochs": 15, "batch": 32, "schedule": "cosine", "warmup": 0.05},
    "resnet": {
        "epochs": 12,
        "batch": 128,
        "optimizer": "sgd",
        "learning_rate": 0.2,
        "schedule": "onecycle",
        "warmup": 0.25,
        "weight_decay": 5e-3,
        "label_smoothing": 0.05,
    },
    "finetune": {
        "epochs": 4,
        "batch": 32,
        "optimizer": "adamw",
        "learning_rate": 3e-4,
        "schedule": "onecycle",
        "warmup": 0.2,
        "weight_decay": 1e-3,
        "label_smoothing": 0.1,
        "stages": (
            Stage(prefix="logits", epochs=1, learning_rate=3e-4),
            Stage(prefix="block12", epochs=2, learning_rate=1e-4),
            Stage(prefix="block8", epochs=1, learning_rate=3e-5),
        ),
    },
}
"""What differs from the defaults of :class:`Recipe`, by kind of network."""

_FEW_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "linear": {"epochs": 30},
    "dnn": {"epochs": 30, "batch": 32},
    # Few pictures are shown often, augmented anew each time (docs/decisions/0067).
    "resnet": {
        "epochs": 120,
        "batch": 64,
        "optimizer": "adamw",
        "learning_rate": 3e-3,
        "weight_decay": 0.05,
    },
}

OPTIONS: Mapping[str, str] = {"learning_rate": "lr"}
"""Fields of a recipe whose option of ``train`` has another name."""


def resolve(
    options: NetworkSettings | Mapping[str, Any],
    kind: str,
    *,
    n: int,
    size: int,
    gray: bool,
    **decided: Any,
) -> Recipe:
    """The recipe with the options of ``train``.

    Args:
        options: Each option that is a field of :class:`Recipe` counts, the others are ignored;
            None keeps the default. ``augment`` may be text.
        kind: One of :data:`tellapart.networks.spec.architectures.KINDS`.
        n: Training pictures.
        size: Side of the pictures in pixels.
        gray: Whether they have one channel.
        decided: Fields of :class:`Recipe` that replace the options, unless None.

    Raises:
        SettingsError: As :func:`default`.
    """
    given = options if isinstance(options, Mapping) else options.model_dump()
    chosen = {name: given.get(OPTIONS.get(name, name)) for name in Recipe.model_fields}
    chosen |= {name: value for name, value in decided.items() if value is not None}
    if isinstance(chosen["augment"], str):
        chosen["augment"] = Policy.parse(chosen["augment"])
    return default(kind, n=n, size=size, gray=gray, **chosen)


def default(kind: str, *, n: int, size: int, gray: bool, **overrides: Any) -> Recipe:
    """The recipe of a kind of network for the data at hand.

    Args:
        kind: One of :data:`tellapart.networks.spec.architectures.KINDS`.
        n: Training pictures.
        size: Side of the pictures in pixels.
        gray: Whether they have one channel.
        overrides: Fields of :class:`Recipe` to set; None keeps the default. In a network with
            stages, ``epochs`` and ``learning_rate`` scale all of its stages.

    Raises:
        SettingsError: If the kind is unknown or a value is not allowed.
    """
    if kind not in _DEFAULTS:
        raise SettingsError(
            f"There is no network {kind!r}.", remedy=f"Known: {', '.join(_DEFAULTS)}."
        )
    values: dict[str, Any] = {
        "augment": default_policy(kind, gray=gray, size=size),
        **_DEFAULTS[kind],
        **(_FEW_DEFAULTS.get(kind, {}) if n < _FEW else {}),
    }
    chosen = {name: value for name, value in overrides.items() if value is not None}
    if values.get("stages") and "stages" not in chosen:
        values["stages"] = scaled_stages(
            values["stages"], chosen.get("epochs"), chosen.get("learning_rate")
        )
    recipe = settings(Recipe, values | chosen)
    if recipe.wanted_epochs * -(-n // recipe.batch) >= _SHORT:
        return recipe
    plain = {"compiled": None, "steps_per_execution": 1}
    return recipe.model_copy(update={k: v for k, v in plain.items() if k not in chosen})


def scaled_stages(
    stages: tuple[Stage, ...], epochs: object = None, learning_rate: object = None
) -> tuple[Stage, ...]:
    """Stages with so many epochs in all, and with this learning rate in the first.

    The others keep their proportion to the first; a stage without epochs is left out. Values that
    are not allowed change nothing, since :class:`Recipe` refuses them.
    """
    shares, factors = [stage.epochs for stage in stages], (1.0, 1.0)
    if isinstance(epochs, int) and epochs >= 1:
        shares = share_epochs(epochs, shares)
    if isinstance(learning_rate, float) and learning_rate > 0:
        factors = (learning_rate, stages[0].learning_rate)
    up, down = factors
    return tuple(
        Stage(prefix=stage.prefix, epochs=share, learning_rate=stage.learning_rate * up / down)
        for stage, share in zip(stages, shares, strict=True)
        if share
    )


def share_epochs(total: int, parts: list[int]) -> list[int]:
    """Divide ``total`` epochs among stages in the proportion of ``parts``, the rest to the first.

    Example:
        >>> share_epochs(4, [3, 2, 1])
        [2, 1, 1]
        >>> share_epochs(1, [3, 2, 1])
        [1, 0, 0]
    """
    exact = [total * part / sum(parts) for part in parts]
    dealt = [int(share) for share in exact]
    order = sorted(range(len(parts)), key=lambda i: (dealt[i] - exact[i], i))
    for i in order[: total - sum(dealt)]:
        dealt[i] += 1
    return dealt
