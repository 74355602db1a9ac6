"""What may happen to a training picture, as one frozen value.

Example:
    >>> policy = Policy.parse("flip,shift=0.1,rotation=15")
    >>> policy.rotation, policy.is_none
    (15.0, False)
    >>> Policy.parse("light,flip=off").spec
    'shift=0.1,rotation=15,zoom=0.2,brightness=0.2,contrast=0.2'
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from tellapart.core.config import Settings
from tellapart.core.errors import SettingsError

_SWITCHES: Mapping[str, bool] = {
    "on": True,
    "yes": True,
    "true": True,
    "off": False,
    "no": False,
    "false": False,
}
_REMEDY = (
    "Give 'none', 'light', 'strong', or changes with commas between them, "
    "such as 'flip,shift=0.1,rotation=15'."
)


class Policy(Settings):
    """How training pictures are varied; everything off by default.

    Every amount is the most that may happen: each picture of each epoch gets its own draw
    between nothing and that.

    Attributes:
        flip: Mirrored left to right, half of the time.
        vertical_flip: Mirrored top to bottom, half of the time.
        shift: Moved by up to this share of the side, both ways, 0 to 0.5.
        rotation: Turned by up to this many degrees, both ways, 0 to 180.
        zoom: Scaled by a factor between ``1 - zoom`` and ``1 / (1 - zoom)``, log-uniform:
            0.2 gives 0.8 to 1.25. 0 to 0.75.
        shear: Slanted by up to this many degrees, both ways, 0 to 60.
        brightness: Multiplied by a factor between ``1 - brightness`` and ``1 + brightness``,
            0 to 1.
        contrast: Distances from the picture's mean multiplied by a factor between
            ``1 - contrast`` and ``1 + contrast``, 0 to 1.
        erase: Probability that a rectangle of 2 to 25 % of the picture is painted over, 0 to 1
            (Zhong et al. 2020, "Random Erasing Data Augmentation").
        mixup: Alpha of the beta distribution by which two pictures and their labels are
            averaged; 0 is off (Zhang et al. 2018, "mixup: Beyond Empirical Risk Minimization").
        cutmix: Alpha of the beta distribution by which a rectangle of another picture is laid
            over, labels in proportion; 0 is off (Yun et al. 2019, "CutMix"). With both, each
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
        """Read a policy as the command line takes it.

        Args:
            text: ``none``, ``light`` or ``strong``; or changes with commas between them,
                ``flip,shift=0.1,rotation=15``; or both, the preset first: ``light,flip=off``.

        Raises:
            SettingsError: With every fault in one message, the near spelling of an unknown
                name, and the code ``augment``.
        """
        parts = [part.strip() for part in text.split(",")]
        values: dict[str, Any] = {}
        faults: list[str] = []
        if parts[0].lower() in PRESETS:
            values = PRESETS[parts.pop(0).lower()].model_dump()
        seen: set[str] = set()
        for part in parts:
            name, equals, given = (piece.strip() for piece in part.partition("="))
            name = name.lower().replace("-", "_")
            value, fault = _value(name, given if equals else None)
            if not fault and name in seen:
                fault = f"'{name}' stands there twice."
            seen.add(name)
            if fault:
                faults.append(fault)
            else:
                values[name] = value
        if faults:
            raise SettingsError(
                f"--augment {_quoted(text)}: {' '.join(faults)}", remedy=_REMEDY, code="augment"
            )
        return cls(**values)

    @property
    def is_none(self) -> bool:
        """Whether pictures are shown as they are."""
        return not any(self.model_dump().values())

    @property
    def mixes(self) -> bool:
        """Whether pictures are mixed with others, so that labels become shares."""
        return self.mixup > 0 or self.cutmix > 0

    @property
    def spec(self) -> str:
        """The policy as :meth:`parse` reads it."""
        told = (_assigned(name, value) for name, value in self.model_dump().items() if value)
        return ",".join(told) or "none"

    def describe(self) -> str:
        """The policy as one plain sentence."""
        parts = list(self._parts())
        if not parts:
            return "Training pictures are shown as they are."
        listed = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
        return f"Each time it is shown, a training picture is {listed}."

    def _parts(self) -> Iterator[str]:
        if self.flip:
            yield "mirrored left to right half of the time"
        if self.vertical_flip:
            yield "mirrored top to bottom half of the time"
        if self.shift:
            yield f"moved by up to {_percent(self.shift)} of its side"
        if self.rotation:
            yield f"turned by up to {self.rotation:g}°"
        if self.zoom:
            low, high = 1 - self.zoom, 1 / (1 - self.zoom)
            yield f"scaled by {low:.3g} to {high:.3g}"
        if self.shear:
            yield f"slanted by up to {self.shear:g}°"
        if self.brightness:
            yield f"made up to {_percent(self.brightness)} darker or brighter"
        if self.contrast:
            yield f"given up to {_percent(self.contrast)} less or more contrast"
        if self.erase:
            yield f"partly covered by a plain rectangle in {_percent(self.erase)} of cases"
        if self.mixup and self.cutmix:
            yield "blended with another one or given a piece of it, labels in proportion"
        elif self.mixup:
            yield "blended with another one, labels in proportion"
        elif self.cutmix:
            yield "given a piece of another one, labels in proportion"


def _value(name: str, given: str | None) -> tuple[bool | float, str]:
    """The value of one change, and what is wrong with it, or empty."""
    if not name:
        return 0.0, "There is an empty place between the commas."
    if name in PRESETS:
        return 0.0, f"'{name}' stands first or not at all."
    field = Policy.model_fields.get(name)
    if field is None:
        known = tuple(Policy.model_fields)
        near = difflib.get_close_matches(name, (*known, *PRESETS), n=1, cutoff=0.5)
        hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(known)}."
        return 0.0, f"Unknown change {_quoted(name)}; {hint}"
    if isinstance(field.default, bool):
        switched = _SWITCHES.get((given if given is not None else "on").lower())
        fault = (
            "" if switched is not None else f"'{name}' is on or off, not {_quoted(given or '')}."
        )
        return bool(switched), fault
    highest = next(bound.le for bound in field.metadata if hasattr(bound, "le"))
    example = _assigned(name, getattr(PRESETS["strong"], name) or 0.2)
    if given is None:
        return 0.0, f"'{name}' needs an amount, such as {example}."
    try:
        number = float(given)
    except ValueError:
        number = math.nan
    if not 0 <= number <= highest:
        return 0.0, f"'{name}' is {_quoted(given)}, but it takes a number from 0 to {highest:g}."
    return number, ""


def _quoted(text: str) -> str:
    """Text from outside in quotes, cut where it is long."""
    return repr(text if len(text) <= 80 else text[:77] + "...")


def _assigned(name: str, value: bool | float) -> str:
    return name if value is True else f"{name}={value!r}".removesuffix(".0")


def _percent(share: float) -> str:
    return f"{100 * share:g} %"


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
"""Policies with a name, meant for photographs: both but ``none`` mirror left to right, which
turns digits and letters into something else."""
