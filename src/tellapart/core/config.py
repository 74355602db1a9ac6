"""Settings as frozen values: strict, and all faults of a set reported together.

Example:
    >>> settings(TrainSettings, {"held_out": 0.25}).held_out
    0.25
    >>> settings(TrainSettings, {"heldout": 0.25})
    Traceback (most recent call last):
    tellapart.core.errors.SettingsError: Unknown setting 'heldout'; did you mean 'held_out'?
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from tellapart.core.errors import SettingsError

NETWORKS = ("linear", "dnn", "cnn", "resnet", "finetune")
"""Kinds of models that are trained from pixels."""

_ALL = (*NETWORKS, "auto")
_ONLY_FOR: Mapping[str, tuple[str, ...]] = {
    "epochs": NETWORKS,
    "batch": NETWORKS,
    "lr": NETWORKS,
    "schedule": NETWORKS,
    "target": NETWORKS,
    "target_on": NETWORKS,
    "patience": NETWORKS,
    "budget": _ALL,
    "augment": NETWORKS,
    "units": ("dnn", "cnn"),
    "filters": ("cnn", "resnet"),
    "validation": _ALL,
    "label_smoothing": NETWORKS,
    "class_weights": NETWORKS,
    "precision": _ALL,
    "tensorboard": NETWORKS,
}
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(s|sec|m|min|h)?\s*")
_SECONDS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, None: 1}

Width = Annotated[int, Field(ge=1, le=65_536)]


def _seconds(value: object) -> object:
    """``"2m"`` as 120.0; what is no such text is left to the check of types."""
    if isinstance(value, str) and (match := _DURATION.fullmatch(value)):
        return float(match[1]) * _SECONDS[match[2]]
    return float(value) if type(value) is int else value


def _widths(value: object) -> object:
    """``"512,512"``, a list or one number as a tuple."""
    if isinstance(value, str):
        parts = [part.strip() for part in value.split(",")]
        return tuple(int(part) for part in parts) if all(map(str.isdecimal, parts)) else value
    if type(value) is int:
        return (value,)
    return tuple(value) if isinstance(value, list) else value


def option(name: str) -> str:
    """A setting as the command line spells it: ``target_on`` is ``--target-on``."""
    return "--" + name.replace("_", "-")


class Settings(BaseModel):
    """Base of all settings: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class DataSettings(Settings):
    """How a folder, archive or manifest is read.

    Attributes:
        label_from: ``"name"`` takes labels from file names in a flat folder.
        group_from: ``"parent"``, or a regular expression searched in each path.
        corrections: A corrections file (CSV: path, action, label).
    """

    label_from: Literal["name"] | None = None
    group_from: str | None = None
    corrections: Path | None = None


class NetworkSettings(Settings):
    """How a network is trained from pixels; None leaves the choice to the network's recipe.

    Attributes:
        epochs: Passes over the training pictures.
        batch: Pictures a step.
        lr: The highest learning rate; ``"auto"`` looks for one first.
        schedule: How the learning rate goes up and down.
        target: Accuracy at which training stops, above 0 and at most 1.
        target_on: The pictures whose accuracy that is; ``validation`` is a slice of the training
            part, never the held-out pictures.
        patience: Epochs without a better validation loss after which training stops, with the
            weights of the best epoch.
        budget: Seconds that training may take; text such as ``"90s"``, ``"2m"`` or ``"1h"`` is
            read as well.
        augment: ``none``, ``light``, ``strong``, or a list such as ``flip,shift=0.1``.
        units: Widths of the dense layers of ``dnn`` and ``cnn``.
        filters: Widths of the convolutions of ``cnn``, or of the stages of ``resnet``.
        validation: Share of the training part that is set aside to watch and to choose by;
            0 sets none aside.
        label_smoothing: Share of certainty that labels are taken to lack.
        class_weights: Whether rare classes count more.
        precision: Arithmetic of the training; ``auto`` measures where the processor has both.
        tensorboard: Whether logs for TensorBoard are kept in the run folder.
    """

    epochs: int | None = Field(default=None, ge=1, le=10_000)
    batch: int | None = Field(default=None, ge=1, le=65_536)
    lr: Annotated[float, Field(gt=0, le=1e6)] | Literal["auto"] | None = None
    schedule: Literal["onecycle", "cosine", "constant"] | None = None
    target: float | None = Field(default=None, gt=0, le=1)
    target_on: Literal["training", "validation"] | None = None
    patience: int | None = Field(default=None, ge=1, le=10_000)
    budget: Annotated[Annotated[float, Field(gt=0)] | None, BeforeValidator(_seconds)] = None
    augment: str | None = None
    units: Annotated[tuple[Width, ...] | None, BeforeValidator(_widths)] = None
    filters: Annotated[tuple[Width, ...] | None, BeforeValidator(_widths)] = None
    validation: float | None = Field(default=None, ge=0, le=0.5)
    label_smoothing: float | None = Field(default=None, ge=0, lt=1)
    class_weights: bool | None = None
    precision: Literal["auto", "float32", "mixed_bfloat16"] | None = None
    tensorboard: bool = False


class TrainSettings(DataSettings, NetworkSettings):
    """How a classifier is trained and measured.

    Attributes:
        model: The kind of model: ``probe``, one of :data:`NETWORKS`, or ``auto``.
        size: Side in pixels of the square that pictures are brought to; 224 for a probe and for
            ``finetune``, otherwise the pictures' own size where all share one of at most 160,
            else 96 for ``resnet`` and 150 for others.
        fit: How they are brought to it.
        held_out: Share of pictures held out where the data has no parts of its own,
            above 0 and below 1.
        seed: Draws every random choice; the same seed gives the same run.
    """

    model: Literal["probe", "linear", "dnn", "cnn", "resnet", "finetune", "auto"] = "probe"
    size: int | None = Field(default=None, ge=8, le=1024)
    fit: Literal["squash", "crop", "pad"] = "squash"
    held_out: float = Field(default=0.2, gt=0, lt=1)
    seed: int = Field(default=0, ge=0, le=2**32 - 1)

    @model_validator(mode="after")
    def _fits_together(self) -> TrainSettings:
        faults = [*self._strangers(), *self._target_faults()]
        if self.model in ("probe", "finetune", "auto") and (self.size or 224) < 32:
            faults.append(f"--size is {self.size}, but '{self.model}' takes 32 or more.")
        if faults:
            raise PydanticCustomError("together", "{faults}", {"faults": " ".join(faults)})
        return self

    def _strangers(self) -> Iterator[str]:
        """Options that this kind of model has no use for."""
        for name, kinds in _ONLY_FOR.items():
            if getattr(self, name) not in (None, False) and self.model not in kinds:
                what = "a probe" if self.model == "probe" else f"'{self.model}'"
                yield (
                    f"{option(name)} has no meaning for {what}; it is for "
                    f"{', '.join(kinds)} (--model)."
                )

    def _target_faults(self) -> Iterator[str]:
        if self.target_on is not None and self.target is None:
            yield "--target-on needs a --target, such as 0.99."
        wants = {"--target-on validation": self.target_on == "validation"}
        wants["--patience"] = self.patience is not None
        for name, wanted in wants.items():
            if wanted and self.validation == 0:
                yield f"{name} needs a validation slice, but --validation is 0."


S = TypeVar("S", bound=Settings)


def settings(kind: type[S], values: Mapping[str, Any]) -> S:
    """Build settings from plain values.

    Args:
        kind: The settings to build.
        values: Their values by name; the rest keep their defaults.

    Raises:
        SettingsError: With every fault in one message, and the near spelling of an
            unknown name.
    """
    try:
        return kind.model_validate(dict(values))
    except ValidationError as error:
        told = [_sentence(kind, fault) for fault in error.errors(include_url=False)]
        # A value of several allowed types is told once for each of them.
        raise SettingsError(" ".join(dict.fromkeys(told))) from None


def _sentence(kind: type[Settings], fault: Mapping[str, Any]) -> str:
    if not fault["loc"]:
        return str(fault["msg"])
    name = str(fault["loc"][0])
    if fault["type"] == "extra_forbidden":
        near = difflib.get_close_matches(name, kind.model_fields, n=1, cutoff=0.5)
        known = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(kind.model_fields)}."
        return f"Unknown setting {name!r}; {known}"
    if name in _TEXTS:
        return f"{option(name)} is {fault['input']!r}, but it {_TEXTS[name]}."
    allowed = str(fault["msg"]).removeprefix("Input ")
    return f"{option(name)} is {fault['input']!r}, but it {allowed}."


_TEXTS = {
    "lr": "should be a number above 0, or 'auto'",
    "budget": "should be seconds above 0, or a text such as '90s', '2m' or '1h'",
    "units": "should be widths from 1 to 65536, such as '512,512'",
    "filters": "should be widths from 1 to 65536, such as '16,32,64'",
}
"""What is allowed, where the check's own words would not say it."""
