"""The same training on every device that Keras finds: how long it takes, and whether it agrees.

Who does what: :func:`compare` starts a child process, so that no engine, policy or memory stays
behind in the caller, and collects what it says; the child is :mod:`.timing`;
:class:`Comparison` works out ratios and agreement from the numbers alone.
"""

from __future__ import annotations

import contextlib
import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tellapart.core.errors import SettingsError, TellapartError
from tellapart.core.progress import SILENT, Progress
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
    with progress.stage("Timing", unit="timings") as stage:
        for said in _child(json.dumps(wanted)):
            match said:
                case {"event": "found"}:
                    engine, devices = said["engine"], said["devices"]
                case {"event": "timed"}:
                    timings.append(Timing(**said["timing"]))
                    stage.advance()
                    stage.note(_line(timings[-1]))
                case {"event": "failed"}:
                    failures.append((said["network"], said["device"], said["message"]))
        stage.summarize(f"{len(timings)} timings on {len(devices)} device(s)")
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


def _child(settings: str) -> Iterator[dict[str, Any]]:
    """What the child says, one JSON object a line."""
    command = [sys.executable, "-P", "-m", "tellapart.networks.devices.timing", settings]
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,  # its end tells the child that we died
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            assert process.stdout is not None
            for line in process.stdout:
                with contextlib.suppress(ValueError):  # an engine may print lines of its own
                    said = json.loads(line)
                    if isinstance(said, dict) and "event" in said:
                        if said["event"] == "error":
                            raise SettingsError(**said["error"])
                        yield said
            code = process.wait()
        finally:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
        if code != 0:
            errors.seek(0)
            tail = errors.read().decode("utf-8", "replace").strip().splitlines()[-3:]
            raise TellapartError(
                f"The process that times devices ended with code {code}: {' '.join(tail)}",
                remedy="Try fewer --pictures; with too little memory the system ends it.",
                code="timing_failed",
            )
