"""Settings as frozen values: strict, and all faults of a set reported together.

Example:
    >>> settings(TrainSettings, {"held_out": 0.25}).held_out
    0.25
    >>> settings(TrainSettings, {"heldout": 0.25})
    Traceback (most recent call last):
    tellapart.errors.SettingsError: Unknown setting 'heldout'; did you mean 'held_out'?
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tellapart.errors import SettingsError


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


class TrainSettings(DataSettings):
    """How a classifier is trained and measured.

    Attributes:
        model: The kind of model.
        size: Side in pixels of the square that pictures are brought to.
        fit: How they are brought to it.
        held_out: Share of pictures held out where the data has no parts of its own,
            above 0 and below 1.
        seed: Draws every random choice; the same seed gives the same run.
    """

    model: Literal["probe"] = "probe"
    size: int = Field(default=224, ge=32, le=1024)
    fit: Literal["squash", "crop", "pad"] = "squash"
    held_out: float = Field(default=0.2, gt=0, lt=1)
    seed: int = Field(default=0, ge=0, le=2**32 - 1)


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
        faults = [_sentence(kind, fault) for fault in error.errors(include_url=False)]
        raise SettingsError(" ".join(faults)) from None


def _sentence(kind: type[Settings], fault: Mapping[str, Any]) -> str:
    name = str(fault["loc"][0])
    if fault["type"] == "extra_forbidden":
        near = difflib.get_close_matches(name, kind.model_fields, n=1, cutoff=0.5)
        known = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(kind.model_fields)}."
        return f"Unknown setting {name!r}; {known}"
    option = "--" + name.replace("_", "-")
    allowed = str(fault["msg"]).removeprefix("Input ")
    return f"{option} is {fault['input']!r}, but it {allowed}."
