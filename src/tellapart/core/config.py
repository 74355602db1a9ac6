"""Settings: frozen, strictly validated, with all errors reported together.

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
from dataclasses import dataclass
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

_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(s|sec|m|min|h)?\s*")
_SECONDS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, None: 1}

Width = Annotated[int, Field(ge=1, le=65_536)]


def _seconds(value: object) -> object:
    """``"2m"`` as 120.0; other values are left to pydantic."""
    if isinstance(value, str) and (match := _DURATION.fullmatch(value)):
        return float(match[1]) * _SECONDS[match[2]]
    return float(value) if type(value) is int else value


def _number(value: object) -> object:
    """``"0.01"`` as a number; other values are left to pydantic."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _path(value: object) -> object:
    return Path(value) if isinstance(value, str) else value


def _widths(value: object) -> object:
    """``"512,512"``, a list or one number as a tuple."""
    if isinstance(value, str):
        parts = [part.strip() for part in value.split(",")]
        return tuple(int(part) for part in parts) if all(map(str.isdecimal, parts)) else value
    if type(value) is int:
        return (value,)
    return tuple(value) if isinstance(value, list) else value


def _several(value: object) -> object:
    """One text, several or none as a tuple."""
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else () if value is None else value


class Settings(BaseModel):
    """Base of all settings: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


@dataclass(frozen=True)
class Option:
    """A setting as an option of a command.

    Attributes:
        help: Its effect, for help pages and docstrings; a default that depends on other things is
            in brackets at the end.
        metavar: A name for its value, such as ``PIXELS``.
        models: The kinds of model that have it; empty for all.
        allowed: The allowed values, as a sentence that follows "but it", if the message of
            pydantic is not clear.
        flag: Its name on the command line, if that is not the name of the setting.
    """

    help: str
    metavar: str | None = None
    models: tuple[str, ...] = ()
    allowed: str = ""
    flag: str = ""


def options_of(kind: type[Settings]) -> dict[str, Option]:
    """The settings of a class that are options, its own before those of its bases."""
    found: dict[str, Option] = {}
    for one in kind.__mro__:
        for name in vars(one).get("__annotations__", ()):
            field = kind.model_fields.get(name)
            for meta in field.metadata if field else ():
                if isinstance(meta, Option):
                    found.setdefault(name, meta)
    return found


def option(name: str, kind: type[Settings] | None = None) -> str:
    """The name of a setting on the command line: ``--target-on`` for ``target_on``."""
    known = options_of(kind).get(name) if kind is not None else None
    return (known and known.flag) or "--" + name.replace("_", "-")


_WIDTHS = "should be widths from 1 to 65536, such as "
_TIME = "should be seconds above 0, or a text such as '90s', '2m' or '1h'"
_ANY = (*NETWORKS, "auto")


class DataSettings(Settings):
    """How a folder, archive or manifest is read."""

    label_from: Annotated[
        Literal["name"] | None, Option("Take labels from file names such as cat.0.jpg.", "name")
    ] = None
    group_from: Annotated[
        str | None,
        Option(
            "Keep pictures together that share a group (patient, specimen, burst), read from "
            "their parent folder or by a regular expression.",
            "parent|REGEX",
        ),
    ] = None
    corrections: Annotated[
        Path | None,
        BeforeValidator(_path),
        Option("A CSV (path,action,label) of pictures to exclude or relabel.", "FILE"),
    ] = None
    classes_in: Annotated[
        str | None,
        Option(
            "The folder whose sub-folders are the classes; . for the data folder itself, * for any "
            "folder.",
            "FOLDER",
        ),
    ] = None
    parts: Annotated[
        str | None,
        Option("Folders that are parts, such as fold1=train,fold2=test.", "FOLDER=PART"),
    ] = None
    exclude: Annotated[
        tuple[str, ...],
        BeforeValidator(_several),
        Option(
            "Leave out files and folders with this name, such as masks, or this path, such as "
            "train/old* (repeatable).",
            "PATTERN",
        ),
    ] = ()
    pictures: Annotated[
        Path | None,
        BeforeValidator(_path),
        Option("The folder that a table's paths are relative to [the table's own].", "FOLDER"),
    ] = None
    path_column: Annotated[
        str | None, Option("A table's column of files, where it is not clear.", "NAME")
    ] = None
    label_column: Annotated[
        str | None, Option("A table's column of labels, where it is not clear.", "NAME")
    ] = None


class NetworkSettings(Settings):
    """How a network is trained from pixels; None leaves the choice to the network's recipe."""

    epochs: Annotated[
        int | None,
        Field(ge=1, le=10_000),
        Option("Passes over the training pictures.", "N", NETWORKS),
    ] = None
    batch: Annotated[
        int | None, Field(ge=1, le=65_536), Option("Pictures per step.", "N", NETWORKS)
    ] = None
    lr: Annotated[
        Annotated[float, Field(gt=0, le=1e6)] | Literal["auto"] | None,
        BeforeValidator(_number),
        Option(
            "Highest learning rate; 'auto' looks for a good one first.",
            "RATE|auto",
            NETWORKS,
            "should be a number above 0, or 'auto'",
        ),
    ] = None
    schedule: Annotated[
        Literal["onecycle", "cosine", "constant"] | None,
        Option("How the learning rate changes.", "onecycle|cosine|constant", NETWORKS),
    ] = None
    target: Annotated[
        float | None,
        Field(gt=0, le=1),
        Option("Stop at this accuracy, such as 0.99.", "SHARE", NETWORKS),
    ] = None
    target_on: Annotated[
        Literal["training", "validation"] | None,
        Option(
            "Which pictures the target is for; 'validation' is a slice of the training part "
            "[training].",
            "training|validation",
            NETWORKS,
        ),
    ] = None
    patience: Annotated[
        int | None,
        Field(ge=1, le=10_000),
        Option(
            "Stop after this many epochs without a better validation loss, and keep the best "
            "epoch's weights.",
            "EPOCHS",
            NETWORKS,
        ),
    ] = None
    budget: Annotated[
        Annotated[float, Field(gt=0)] | None,
        BeforeValidator(_seconds),
        Option("Time that training may take, such as 90s or 2m.", "TIME", _ANY, _TIME),
    ] = None
    augment: Annotated[
        str | None,
        Option("How training pictures are varied.", "none|light|strong|flip,shift=0.1,…", NETWORKS),
    ] = None
    units: Annotated[
        tuple[Width, ...] | None,
        BeforeValidator(_widths),
        Option(
            "Widths of the dense layers of dnn and cnn.",
            "N,N,…",
            ("dnn", "cnn"),
            f"{_WIDTHS}'512,512'",
        ),
    ] = None
    filters: Annotated[
        tuple[Width, ...] | None,
        BeforeValidator(_widths),
        Option(
            "Widths of the convolutions of cnn, or of the stages of resnet.",
            "N,N,…",
            ("cnn", "resnet"),
            f"{_WIDTHS}'16,32,64'",
        ),
    ] = None
    validation: Annotated[
        float | None,
        Field(ge=0, le=0.5),
        Option(
            "Share of the training part set aside for validation; 0 sets none aside [0.1].",
            "SHARE",
            _ANY,
        ),
    ] = None
    label_smoothing: Annotated[
        float | None,
        Field(ge=0, lt=1),
        Option("Label smoothing: how much to doubt the labels, from 0 to 1.", "SHARE", NETWORKS),
    ] = None
    class_weights: Annotated[
        bool | None,
        Option(
            "Whether rare classes count more [where one class has twice as many pictures as "
            "another].",
            models=NETWORKS,
        ),
    ] = None
    precision: Annotated[
        Literal["auto", "float32", "mixed_bfloat16"] | None,
        Option(
            "Arithmetic of the training; 'auto' measures which is faster.",
            "auto|float32|mixed_bfloat16",
            _ANY,
        ),
    ] = None
    tensorboard: Annotated[
        bool, Option("Keep logs for TensorBoard in the run folder.", models=NETWORKS)
    ] = False


class TrainSettings(DataSettings, NetworkSettings):
    """How a classifier is trained and measured. An option of ``train`` is declared here alone."""

    model: Annotated[
        Literal["probe", "linear", "dnn", "cnn", "resnet", "finetune", "auto"],
        Option(
            "What to train: 'probe', a linear head on pretrained features; from pixels: 'linear', "
            "'dnn', 'cnn', 'resnet' or 'finetune'; or 'auto', the best network that the budget "
            "has time for.",
            "KIND",
        ),
    ] = "probe"
    size: Annotated[
        int | None,
        Field(ge=8, le=1024),
        Option(
            "Size in pixels; pictures are resized to a square of this side [224 for probe and "
            "finetune; the pictures' own size if they share one up to 160; else 96 for resnet, "
            "150 for others].",
            "PIXELS",
        ),
    ] = None
    fit: Annotated[
        Literal["squash", "crop", "pad"],
        Option("How pictures are fitted to the square.", "squash|crop|pad"),
    ] = "squash"
    held_out: Annotated[
        float,
        Field(gt=0, lt=1),
        Option("Share of pictures to hold out if the data has no parts.", "SHARE"),
    ] = 0.2
    seed: Annotated[int, Field(ge=0, le=2**32 - 1), Option("Random seed.", "N")] = 0

    @model_validator(mode="after")
    def _fits_together(self) -> TrainSettings:
        faults = [*self._foreign_options(), *self._target_faults()]
        if self.model in ("probe", "finetune", "auto") and (self.size or 224) < 32:
            faults.append(f"--size is {self.size}, but '{self.model}' takes 32 or more.")
        if faults:
            raise PydanticCustomError("together", "{faults}", {"faults": " ".join(faults)})
        return self

    def _foreign_options(self) -> Iterator[str]:
        """Options that this kind of model does not have."""
        for name, known in options_of(type(self)).items():
            used = getattr(self, name) not in (None, False)
            if used and known.models and self.model not in known.models:
                what = "a probe" if self.model == "probe" else f"'{self.model}'"
                yield (
                    f"{option(name)} has no meaning for {what}; it is for "
                    f"{', '.join(known.models)} (--model)."
                )

    def _target_faults(self) -> Iterator[str]:
        if self.target_on is not None and self.target is None:
            yield "--target-on needs a --target, such as 0.99."
        needed = {"--target-on validation": self.target_on == "validation"}
        needed["--patience"] = self.patience is not None
        for name, used in needed.items():
            if used and self.validation == 0:
                yield f"{name} needs a validation slice, but --validation is 0."


S = TypeVar("S", bound=Settings)


def settings(kind: type[S], values: Mapping[str, Any]) -> S:
    """Build settings from plain values.

    Args:
        kind: The settings to build.
        values: Their values by name; the rest keep their defaults.

    Raises:
        SettingsError: With all errors in one message, and a similar name for an unknown one.
    """
    try:
        return kind.model_validate(dict(values))
    except ValidationError as error:
        sentences = [_sentence(kind, fault) for fault in error.errors(include_url=False)]
        # A value with several allowed types has an error for each of them.
        raise SettingsError(" ".join(dict.fromkeys(sentences))) from None


def _sentence(kind: type[Settings], fault: Mapping[str, Any]) -> str:
    if not fault["loc"]:
        return str(fault["msg"])
    name = str(fault["loc"][0])
    known_option = options_of(kind).get(name)
    if fault["type"] == "extra_forbidden":
        near = difflib.get_close_matches(name, kind.model_fields, n=1, cutoff=0.5)
        known = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(kind.model_fields)}."
        return f"Unknown setting {name!r}; {known}"
    allowed = (known_option and known_option.allowed) or str(fault["msg"]).removeprefix("Input ")
    return f"{option(name, kind)} is {fault['input']!r}, but it {allowed}."
