"""The same training on every device that Keras finds: how long it takes, and whether it agrees.

Who does what: :func:`compare` starts a child process, so that no engine, policy or memory stays
behind in the caller, and collects its events; the child is :mod:`.timing`;
:class:`Comparison` computes ratios and agreement from the numbers alone.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tellapart.core.errors import SettingsError, TellapartError
from tellapart.core.process import Child, ChildError
from tellapart.core.progress import SILENT, Progress
from tellapart.core.text import counted
from tellapart.networks.devices import timing
from tellapart.networks.devices.timing import Lesson, Timing

FIRST_TOLERANCE = 1e-3
"""How far, relative to the CPU's, the loss of the first batch may lie on the same weights.

Devices add up in another order, which gives some 1e-6; GPUs that multiply in TensorFloat-32
keep 11 bits of each number, so that each product is right to 5e-4 and their sum to less."""
EPOCH_TOLERANCE = 0.05
"""The same for the mean loss of an epoch, plus as much absolutely: training amplifies
the last digits, so the course is the same and the digits are not."""

BATCH = 32

LESSONS = (
    Lesson("dnn", 28, True, 10, 60_000, "Fashion-MNIST"),
    Lesson("cnn", 150, False, 2, 2_000, "cats and dogs"),
)


@dataclass(frozen=True)
class Comparison:
    """What was found and timed.

    Attributes:
        engine: ``keras``, ``engine`` and ``engine_version``.
        devices: All that Keras found, the CPU first, each with what it is.
        timings: One for each network and device that worked.
        failures: Network, device and message of those that did not.
    """

    engine: Mapping[str, str]
    devices: Mapping[str, str]
    timings: tuple[Timing, ...]
    failures: tuple[tuple[str, str, str], ...] = ()

    @property
    def accelerators(self) -> tuple[str, ...]:
        """The devices that are not the CPU."""
        return tuple(name for name in self.devices if not name.startswith("cpu"))

    def base(self, timing: Timing) -> Timing | None:
        """The same network on the CPU."""
        same = (one for one in self.timings if one.network == timing.network)
        return next((one for one in same if one.device.startswith("cpu")), None)

    def ratio(self, timing: Timing) -> float | None:
        """How many times as fast an epoch is as on the CPU."""
        base = self.base(timing)
        return None if base is None else base.epoch_seconds / timing.epoch_seconds

    def agrees(self, timing: Timing) -> bool | None:
        """Whether both losses are the CPU's, within the tolerances; None for the CPU itself."""
        base = self.base(timing)
        if base is None or base is timing:
            return None
        first = abs(timing.first_loss - base.first_loss)
        epoch = abs(timing.epoch_loss - base.epoch_loss)
        return bool(
            first <= FIRST_TOLERANCE * abs(base.first_loss)
            and epoch <= EPOCH_TOLERANCE * (1 + abs(base.epoch_loss))
        )

    def as_json(self) -> dict[str, Any]:
        """Everything, with ``ratio`` and ``agrees`` for each row; null for a loss that is NaN."""
        return {
            "schema": 1,
            **self.engine,
            "devices": list(self.devices),
            "hardware": dict(self.devices),
            "tolerance": {"first_loss": FIRST_TOLERANCE, "epoch_loss": EPOCH_TOLERANCE},
            "rows": [
                {**_finite(asdict(one)), "ratio": self.ratio(one), "agrees": self.agrees(one)}
                for one in self.timings
            ],
            "failures": [
                {"network": network, "device": device, "message": message}
                for network, device, message in self.failures
            ],
        }


def compare(
    *,
    pictures: int | None = None,
    batch: int = BATCH,
    lessons: Sequence[Lesson] = LESSONS,
    progress: Progress = SILENT,
) -> Comparison:
    """Time one step and one epoch of each lesson on every device, in a child process.

    Args:
        pictures: In an epoch, for each network; the lesson's own number unless given. It is
            rounded to whole batches, at least one.
        batch: Pictures a step.
        lessons: Which networks on which shapes.
        progress: Told of every timing.

    Raises:
        SettingsError: If a number is below 1, or Keras or its engine is missing.
        TellapartError: If the child process dies.
    """
    if batch < 1 or (pictures is not None and pictures < 1):
        raise SettingsError(
            f"--pictures is {pictures} and --batch {batch}, but both should be 1 or more."
        )
    wanted = {
        "pictures": pictures,
        "batch": batch,
        "lessons": [asdict(lesson) for lesson in lessons],
    }
    engine: dict[str, str] = {}
    devices: dict[str, str] = {}
    timings: list[Timing] = []
    failures: list[tuple[str, str, str]] = []
    with (
        progress.stage("Timing", unit="timings") as stage,
        tempfile.TemporaryDirectory() as scratch,
        Child(timing.__name__, json.dumps(wanted), log=Path(scratch) / "log") as child,
    ):
        try:
            for event in child.events():
                match event["event"]:
                    case "found":
                        engine, devices = event["engine"], event["devices"]
                    case "timed":
                        timings.append(Timing(**event["timing"]))
                        stage.advance()
                        stage.note(_line(timings[-1]))
                    case "failed":
                        failures.append((event["network"], event["device"], event["message"]))
        except ChildError as error:
            raise TellapartError(
                f"The devices could not be timed: {error.cause}.",
                remedy="Try fewer --pictures; if memory is short, the system ends the process.",
                code="timing_failed",
            ) from None
        stage.summarize(f"{counted(len(timings), 'timing')} on {counted(len(devices), 'device')}")
    return Comparison(engine, devices, tuple(timings), tuple(failures))


def _finite(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in row.items()
    }


def _line(timing: Timing) -> str:
    return (
        f"{timing.network} on {timing.device}: {timing.step_ms:.1f} ms a step, "
        f"{timing.epoch_seconds:.1f} s an epoch of {timing.pictures:,}"
    )
