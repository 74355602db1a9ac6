"""One network timed on one device: what runs in the child process of :mod:`.devices`.

``python -m tellapart.networks.devices.timing SETTINGS`` asks Keras for its devices
(:mod:`.hardware`), times each lesson on each (:func:`timed`), and reports events.

The pictures are made up: a pattern of its own for each class under noise, so that there is
something to learn and every device has the same to do. No dropout and no augmentation, so that
nothing but arithmetic tells devices apart.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tellapart.core.process import Reporter, end_with_parent, run
from tellapart.networks.devices import hardware
from tellapart.networks.loop import backend, keras_model
from tellapart.networks.spec import architectures

_STEPS, _WARM_UP = 20, 2
_STEP_SECONDS = 8.0  # where steps are slow, fewer of them say as much
_SEED = 0


@dataclass(frozen=True)
class Lesson:
    """A network with the pictures of a classic lesson.

    Attributes:
        kind: ``dnn`` or ``cnn``.
        size: Side of the pictures in pixels.
        gray: Whether they have one channel.
        classes: How many classes.
        pictures: In an epoch of the lesson.
        data: Whose shapes these are.
    """

    kind: architectures.Kind
    size: int
    gray: bool
    classes: int
    pictures: int
    data: str

    def spec(self) -> architectures.Spec:
        """The network, without dropout."""
        return architectures.default(
            self.kind, size=self.size, gray=self.gray, classes=self.classes, dropout=0.0
        )


@dataclass(frozen=True)
class Timing:
    """One network on one device.

    Attributes:
        network: ``dnn`` or ``cnn``.
        device: As Keras names it, such as ``cpu:0``.
        pictures: In the epoch; whole batches.
        batch: Pictures a step.
        parameters: Numbers that training changes.
        step_ms: Median of up to 20 steps, in milliseconds; handing over the batch included.
        epoch_seconds: Of one epoch after everything was compiled.
        first_loss: Of the first batch, before any training.
        epoch_loss: Mean over the epoch.
    """

    network: str
    device: str
    pictures: int
    batch: int
    parameters: int
    step_ms: float
    epoch_seconds: float
    first_loss: float
    epoch_loss: float


def timed(keras: Any, lesson: Lesson, device: str, pictures: int, batch: int) -> Timing:
    """Time one lesson on one device, in this process.

    Args:
        keras: The module.
        lesson: Which network, on what shapes.
        device: As Keras names it.
        pictures: In the epoch.
        batch: Pictures a step.
    """
    batch = min(batch, pictures)
    pictures = max(round(pictures / batch), 1) * batch
    shown, labels = made_up(lesson, pictures)
    spec = lesson.spec()
    graph = spec.graph()
    with _on(keras, device):
        model = keras_model.build(graph, seed=_SEED)
        start = keras_model.weights(
            model, graph
        )  # drawn without an engine: the same on every device
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(1e-4), loss)
        few, few_labels = shown[:batch], labels[:batch]
        first = model.evaluate(few, few_labels, batch_size=batch, verbose=0)
        # Both ways of training compile on their first calls.
        fit = {"batch_size": batch, "epochs": 1, "shuffle": False, "verbose": 0}
        model.fit(shown[: 2 * batch], labels[: 2 * batch], **fit)
        steps = _steps(model, few, few_labels)
        keras_model.set_weights(model, graph, start)
        begin = time.perf_counter()
        history = model.fit(shown, labels, **fit).history
        epoch = time.perf_counter() - begin
    return Timing(
        network=lesson.kind,
        device=device,
        pictures=pictures,
        batch=batch,
        parameters=spec.parameters(),
        step_ms=round(1000 * statistics.median(steps), 4),
        epoch_seconds=round(epoch, 4),
        first_loss=float(first),
        epoch_loss=float(history["loss"][-1]),
    )


def made_up(lesson: Lesson, pictures: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Pictures that can be learnt: the mean of a class's own pattern and noise.

    Returns:
        uint8 ``[N, size, size, 1 or 3]`` and int64 ``[N]``; the same every time.
    """
    random = np.random.default_rng(_SEED)
    shape = (lesson.size, lesson.size, 1 if lesson.gray else 3)
    patterns = random.integers(0, 128, (lesson.classes, *shape), dtype=np.uint8)
    labels = random.integers(0, lesson.classes, pictures)
    shown = random.integers(0, 128, (pictures, *shape), dtype=np.uint8)
    for number, pattern in enumerate(patterns):
        shown[labels == number] += pattern
    return shown, labels.astype(np.int64)


def _steps(model: Any, shown: npt.NDArray[Any], labels: npt.NDArray[Any]) -> list[float]:
    """Seconds of single steps on one batch, those that warm up left out; at least one."""
    seconds: list[float] = []
    start = time.perf_counter()
    while len(seconds) < _WARM_UP + _STEPS:
        begin = time.perf_counter()
        if len(seconds) > _WARM_UP and begin - start > _STEP_SECONDS:
            break
        float(np.asarray(model.train_on_batch(shown, labels)))  # a number: the device has ended
        seconds.append(time.perf_counter() - begin)
    return seconds[_WARM_UP:]


def _on(keras: Any, device: str) -> Any:
    # Not "cpu:0": an engine may have but one processor, without a number. PyTorch takes it for
    # another place, to which Keras moves copies of all variables, and copies do not learn.
    return keras.device("cpu" if device == "cpu:0" else device)


def _time_all(reporter: Reporter) -> None:
    end_with_parent()
    wanted = json.loads(sys.argv[1])
    backend.start()
    keras = backend.keras()
    devices = hardware.found(keras)
    names = {device: hardware.named(keras, device) for device in devices}
    reporter.report("found", engine=backend.engine(), devices=names)
    for lesson in (Lesson(**one) for one in wanted["lessons"]):
        for device in devices:
            pictures = wanted["pictures"] or lesson.pictures
            try:
                timing = timed(keras, lesson, device, pictures, wanted["batch"])
            except Exception as error:  # out of memory, or a driver that does not fit: go on
                message = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
                reporter.report("failed", network=lesson.kind, device=device, message=message[:300])
                continue
            reporter.report("timed", timing=asdict(timing))


if __name__ == "__main__":
    run(_time_all)
