"""A policy of augmentation: what may happen to a training picture, as one frozen value.

Example:
    >>> policy = Policy.parse("flip,shift=0.1,rotation=15")
    >>> policy.rotation, policy.is_none
    (15.0, False)
    >>> Policy.parse("light,flip=off").text
    'shift=0.1,rotation=15,zoom=0.2,brightness=0.2,contrast=0.2'
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from typing import Any

from pydantic import Field

from tellapart.core.config import Settings
from tellapart.core.errors import SettingsError
from tellapart.core.text import percent

_SWITCHES: Mapping[str, bool] = {
    **dict.fromkeys(("on", "yes", "true"), True),
    **dict.fromkeys(("off", "no", "false"), False),
}
_REMEDY = (
    "Give 'none', 'light', 'strong', or changes with commas between them, "
    "such as 'flip,shift=0.1,rotation=15'."
)


class Policy(Settings):
    """How training pictures are varied; everything is off by default.

    Every amount is a maximum: in each epoch, each picture gets a random amount up to it.

    Attributes:
        flip: Mirrored left to right, half of the time.
        vertical_flip: Mirrored top to bottom, half of the time.
        shift: Shifted by up to this share of the side, in all directions, 0 to 0.5.
        rotation: Rotated by up to this many degrees, in both directions, 0 to 180.
        zoom: Scaled by a factor between ``1 - zoom`` and ``1 / (1 - zoom)``, log-uniform:
            0.2 gives 0.8 to 1.25. 0 to 0.75.
        shear: Slanted by up to this many degrees, in both directions, 0 to 60.
        brightness: Multiplied by a factor between ``1 - brightness`` and ``1 + brightness``,
            0 to 1.
        contrast: Differences from the picture's mean multiplied by a factor between
            ``1 - contrast`` and ``1 + contrast``, 0 to 1.
        erase: Probability that a rectangle of 2 to 25 % of the picture is painted over, 0 to 1
            (Zhong et al. 2020, "Random Erasing Data Augmentation").
        mixup: Alpha of the beta distribution by which two pictures and their labels are
            averaged; 0 is off (Zhang et al. 2018, "mixup: Beyond Empirical Risk Minimization").
        cutmix: Alpha of the beta distribution by which a rectangle of another picture is copied
            in, with labels in proportion; 0 is off (Yun et al. 2019, "CutMix"). With both, each
            picture gets one or the other.
    """

    flip: bool = False
    vertical_flip: bool = False
    shift: float = Field(default=0.0, ge=0, le=0.5)
    rotation: float = Field(default=0.0, ge=0, le=180)
    zoom: float = Field(default=0.0, ge=0, le=0.75)
    shear: float = Field(default=0.0, ge=0, le=60)
    brightness: float = Field(default=0.0, ge=0, le=1)
    contrast: float = Field(default=0.0, ge=0, le=1)
    erase: float = Field(default=0.0, ge=0, le=1)
    mixup: float = Field(default=0.0, ge=0, le=10)
    cutmix: float = Field(default=0.0, ge=0, le=10)

    @classmethod
    def parse(cls, text: str) -> Policy:
        """Read a policy from the command line.

        Args:
            text: ``none``, ``light`` or ``strong``; or changes with commas between them,
                ``flip,shift=0.1,rotation=15``; or both, the preset first: ``light,flip=off``.

        Raises:
            SettingsError: With every fault in one message, the near spelling of an unknown
                name, and the code ``augment``.
        """
        parts = [part.strip() for part in text.split(",")]
        preset = PRESETS.get(parts[0].lower())
        changes: dict[str, Any] = {}
        faults: list[str] = []
        for part in parts if preset is None else parts[1:]:
            name, equals, given = (piece.strip() for piece in part.partition("="))
            name = name.lower().replace("-", "_")
            try:
                value = _value(name, given if equals else None)
                if name in changes:
                    raise ValueError(f"'{name}' occurs twice.")
                changes[name] = value
            except ValueError as fault:
                faults.append(str(fault))
        if faults:
            raise SettingsError(
                f"--augment {_quoted(text)}: {' '.join(faults)}", remedy=_REMEDY, code="augment"
            )
        values = {} if preset is None else preset.model_dump()
        return cls(**values | changes)

    @property
    def is_none(self) -> bool:
        """Whether pictures are not changed at all."""
        return not any(self.model_dump().values())

    @property
    def mixes(self) -> bool:
        """Whether pictures are mixed with each other, so that labels become shares."""
        return self.mixup > 0 or self.cutmix > 0

    @property
    def text(self) -> str:
        """The policy as :meth:`parse` reads it."""
        changes = (_assigned(name, value) for name, value in self.model_dump().items() if value)
        return ",".join(changes) or "none"

    def describe(self) -> str:
        """The policy as one plain sentence."""
        parts = self._parts()
        if not parts:
            return "Training pictures are not changed."
        listed = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
        return f"In every epoch, each training picture is {listed}."

    def _parts(self) -> list[str]:
        both = self.mixup and self.cutmix
        low, high = 1 - self.zoom, 1 / (1 - self.zoom)
        parts = [
            (self.flip, "mirrored left to right half of the time"),
            (self.vertical_flip, "mirrored top to bottom half of the time"),
            (self.shift, f"shifted by up to {_percent(self.shift)} of its side"),
            (self.rotation, f"rotated by up to {self.rotation:g}°"),
            (self.zoom, f"scaled by {low:.3g} to {high:.3g}"),
            (self.shear, f"slanted by up to {self.shear:g}°"),
            (self.brightness, f"made up to {_percent(self.brightness)} darker or brighter"),
            (self.contrast, f"given up to {_percent(self.contrast)} less or more contrast"),
            (self.erase, f"partly covered by a rectangle in {_percent(self.erase)} of cases"),
            (both, "blended with another one or given a piece of it, labels in proportion"),
            (self.mixup and not both, "blended with another one, labels in proportion"),
            (self.cutmix and not both, "given a piece of another one, labels in proportion"),
        ]
        return [text for happens, text in parts if happens]


def _value(name: str, given: str | None) -> bool | float:
    """The value of one change.

    Raises:
        ValueError: With a sentence about what is wrong with it.
    """
    if not name:
        raise ValueError("There is nothing between two commas.")
    if name in PRESETS:
        raise ValueError(f"'{name}' can only come first.")
    field = Policy.model_fields.get(name)
    if field is None:
        known = tuple(Policy.model_fields)
        near = difflib.get_close_matches(name, (*known, *PRESETS), n=1, cutoff=0.5)
        hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(known)}."
        raise ValueError(f"Unknown change {_quoted(name)}; {hint}")
    if isinstance(field.default, bool):
        switched = _SWITCHES.get("on" if given is None else given.lower())
        if switched is None:
            raise ValueError(f"'{name}' is on or off, not {_quoted(given or '')}.")
        return switched
    if given is None:
        example = _assigned(name, getattr(PRESETS["strong"], name) or 0.2)
        raise ValueError(f"'{name}' needs an amount, such as {example}.")
    highest = next(bound.le for bound in field.metadata if hasattr(bound, "le"))
    try:
        number = float(given)
    except ValueError:
        number = math.nan
    if not 0 <= number <= highest:
        raise ValueError(
            f"'{name}' is {_quoted(given)}, but it takes a number from 0 to {highest:g}."
        )
    return number


def _quoted(text: str) -> str:
    """Text from outside in quotes, shortened if it is long."""
    return repr(text if len(text) <= 80 else text[:77] + "...")


def _assigned(name: str, value: bool | float) -> str:
    return name if value is True else f"{name}={value!r}".removesuffix(".0")


def _percent(amount: float) -> str:
    return percent(amount, 0 if amount == round(amount, 2) else 1)


PRESETS: Mapping[str, Policy] = {
    "none": Policy(),
    "light": Policy(flip=True, shift=0.1, rotation=15.0, zoom=0.2, brightness=0.2, contrast=0.2),
    "strong": Policy(
        flip=True,
        shift=0.15,
        rotation=20.0,
        zoom=0.3,
        shear=10.0,
        brightness=0.3,
        contrast=0.3,
        erase=0.25,
        cutmix=1.0,
    ),
}
"""Policies with a name. ``light`` and ``strong`` are meant for photographs: they mirror pictures,
which turns digits and letters into something else."""
