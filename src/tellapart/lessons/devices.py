"""``cpu-gpu``: the same training on every device there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tellapart.lessons.lesson import Bound, Lesson, Target

if TYPE_CHECKING:
    from tellapart.lessons.context import Context
    from tellapart.networks.devices.devices import Comparison


def _work(context: Context) -> None:
    from tellapart.networks.devices.devices import compare

    compared = compare(progress=context.progress)
    _say_where(context, compared)
    for timing in compared.timings:
        context.record(f"{timing.network} on {timing.device}: epoch", timing.epoch_seconds)
        context.record(f"{timing.network} on {timing.device}: step", timing.step_ms / 1000)
        ratio = compared.ratio(timing)
        if timing.network == "cnn" and timing.device in compared.accelerators and ratio:
            context.record("ratio", ratio)
    if not compared.accelerators:
        context.note(
            "No GPU here: what stands here is the CPU alone, and the ratio is not measured."
        )
    if any(compared.agrees(timing) is False for timing in compared.timings):
        context.note("The losses of the devices differ more than arithmetic explains.")


def _say_where(context: Context, compared: Comparison) -> None:
    """What trained, and on what: without both, a time says nothing."""
    said = compared.engine
    engine = f"Keras {said['keras']} on {said['engine']} {said['engine_version']}"
    context.record("engine", engine)
    for device, name in compared.devices.items():
        context.record(device, name)
    where = "; ".join(f"`{device}` is {name}" for device, name in compared.devices.items())
    context.note(f"Timed with {engine}. {where}.")


_KERAS = """\
import time

import keras
import numpy as np
import tensorflow as tf

x = np.random.default_rng(0).random((320, 150, 150, 3), dtype="float32")
y = np.arange(320) % 2


def build():
    model = keras.Sequential([keras.Input((150, 150, 3))])
    for filters in (16, 32, 64):
        model.add(keras.layers.Conv2D(filters, 3, activation="relu"))
        model.add(keras.layers.MaxPooling2D())
    model.add(keras.layers.Flatten())
    model.add(keras.layers.Dense(512, activation="relu"))
    model.add(keras.layers.Dense(2, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


for kind in ("CPU", "GPU"):
    for device in tf.config.list_logical_devices(kind):
        with tf.device(device.name):
            model = build()
            model.fit(x, y, epochs=1, verbose=0)  # the first one also prepares the device
            start = time.perf_counter()
            model.fit(x, y, epochs=1, verbose=0)
            print(device.name, time.perf_counter() - start)
"""

LESSON = Lesson(
    name="cpu-gpu",
    title="The same network on a CPU and on a GPU",
    idea=(
        "A convolution is the same small sum at thousands of places. A GPU does thousands of small "
        "sums at once, so it is many times as fast; the numbers that come out are the same."
    ),
    task="The convolutional network, trained on the CPU and then on the GPU, with a clock.",
    data=(),
    targets=(
        Target(
            "how many times as fast the GPU is", "ratio", "25 times", Bound(low=1.0, unit="times")
        ),
    ),
    minutes=2,
    code=(
        "from tellapart.networks.devices.devices import compare\n\n"
        "compared = compare(pictures=320)\n"
        "for timing in compared.timings:\n"
        "    print(timing.network, timing.device, timing.epoch_seconds, compared.ratio(timing))\n"
    ),
    errors=(
        (
            "A GPU is there, but only the CPU is shown.",
            "The engine does not see it: TensorFlow needs its package with CUDA, or choose another "
            "engine: `KERAS_BACKEND=jax` or `KERAS_BACKEND=torch`, installed for your GPU.",
        ),
        (
            "The GPU is hardly faster.",
            "On a network this small it waits for the next batch. Larger batches and more filters "
            "show what it can do.",
        ),
        (
            "The GPU runs out of memory.",
            "`tellapart train` halves the batch, tries again, and says so.",
        ),
    ),
    keras=_KERAS,
    next=("KERAS_BACKEND=jax tellapart bench devices",),
    work=_work,
)
