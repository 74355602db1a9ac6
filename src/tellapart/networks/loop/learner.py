"""A network with its optimizer: all that touches the engine, and only through Keras.

The loop of :mod:`.attempt` tells a :class:`Learner` what to train on; nothing here knows
of epochs, checkpoints or files.

A chunk goes to the engine whole, with ``fit``, or batch by batch. Whole, many steps run without
Python between them; but it costs some 0.1 s to start on TensorFlow, which lays a pipeline for each
chunk anew, and that is longer than a few steps of a small network take.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.graph import Graph
from tellapart.networks.loop import backend, twin
from tellapart.networks.loop.feeding import Chunk
from tellapart.networks.loop.optimizers import optimizer
from tellapart.networks.loop.schedules import schedule
from tellapart.networks.loop.variables import Arrays, read, write
from tellapart.networks.spec.architectures import Spec
from tellapart.networks.spec.recipes import Recipe, Stage

_PREDICT_BYTES = 8 * 2**20  # of pixels in one call
_PREDICT_PICTURES = 256
FEW = 32
"""Batches of a chunk up to which they are handed over one by one: 11 of a small network take half
the time so on TensorFlow, where JAX, whose ``fit`` starts at once, loses 3 ms with each."""

STEPWISE = "This engine of Keras runs one step at a time, so the training is not compiled."

Watch = Callable[[int, float], bool]


@dataclass(frozen=True)
class Trained:
    """What came of a chunk.

    Attributes:
        steps: Batches done; fewer than there were if it was told to stop.
        loss: Mean over them.
        accuracy: Share right.
    """

    steps: int
    loss: float
    accuracy: float


class Learner:
    """A network that learns, once :meth:`begin` was called.

    Args:
        spec: Which network.
        recipe: How it learns.
        batch: Pictures a step.
        chunk_steps: Batches of a chunk, at most. It decides how all chunks are handed over, those
            too that are cut short: a training that goes on does what it did before.
        precision: Keras's policy, ``"float32"`` or ``"mixed_bfloat16"``.
        dense: Whether targets are shares of all classes.
        initial: Weights to start from; those it lacks are drawn.

    Attributes:
        graph: The table of layers.
        model: The Keras model.
        notes: What could not be done as the recipe says.
    """

    def __init__(
        self,
        spec: Spec,
        recipe: Recipe,
        *,
        batch: int,
        chunk_steps: int,
        precision: str,
        dense: bool,
        initial: dict[str, NDArray[np.float32]] | None = None,
    ) -> None:
        self._keras = backend.keras()
        self._recipe, self._batch, self._dense = recipe, batch, dense
        self._few = chunk_steps <= FEW
        self.notes: tuple[str, ...] = ()
        self.graph: Graph = spec.graph()
        before = self._keras.config.dtype_policy()
        self._keras.config.set_dtype_policy(precision)
        try:
            self.model = twin.build(self.graph, seed=recipe.seed)
        finally:
            self._keras.config.set_dtype_policy(before)
        if initial:
            twin.set_weights(self.model, self.graph, initial)
        self._watcher = _watcher(self._keras)

    def begin(self, stage: Stage) -> None:
        """Start a stage: freeze what lies below it, with an optimizer that knows nothing yet.

        Raises:
            ValueError: If no layer's name begins with the stage's prefix.
        """
        keras, recipe = self._keras, self._recipe
        _freeze(self.model, stage.prefix)
        self._schedule = schedule(keras, shape=recipe.schedule, warmup=recipe.warmup)
        self._optimizer = optimizer(keras, recipe, self._schedule)
        self._schedule.bind(self._optimizer)
        self._optimizer.build(self.model.trainable_variables)
        several = recipe.steps_per_execution
        if (recipe.compiled or several > 1) and not self._makes_programs():
            self._compile(None, 1)
            self.notes = (STEPWISE,)
        else:
            self._compile(recipe.compiled, 1 if self._few else several)

    def plan(self, *, peak: float, steps: int, flat: bool = False) -> None:
        """Set the learning rate's peak and the steps over which its schedule runs."""
        self._schedule.plan(peak=peak, steps=steps, flat=flat)

    @property
    def step(self) -> int:
        """Steps that the optimizer has done in this stage."""
        return int(self._keras.ops.convert_to_numpy(self._optimizer.iterations))

    @step.setter
    def step(self, value: int) -> None:
        self._optimizer.iterations.assign(value)

    def train(self, chunk: Chunk, watch: Watch) -> Trained:
        """Learn from a chunk.

        Args:
            chunk: Whole batches.
            watch: Called with the pictures done since its last call and the mean loss so far, after
                every execution; where it returns True, training stops there.
        """
        return self._one_by_one(chunk, watch) if self._few else self._at_once(chunk, watch)

    def _at_once(self, chunk: Chunk, watch: Watch) -> Trained:
        watcher = self._watcher(watch, chunk.steps, self._batch)
        history = self.model.fit(
            x=chunk.pixels,
            y=chunk.targets,
            sample_weight=chunk.weights,
            batch_size=self._batch,
            epochs=1,
            shuffle=False,
            verbose=0,
            callbacks=[watcher],
        ).history
        return Trained(watcher.done, float(history["loss"][0]), float(history["accuracy"][0]))

    def _one_by_one(self, chunk: Chunk, watch: Watch) -> Trained:
        done, loss, accuracy = 0, 0.0, 0.0
        while done < chunk.steps:
            part = slice(done * self._batch, (done + 1) * self._batch)
            self.model.reset_metrics()  # engines do not agree on whether the call does
            said = self.model.train_on_batch(
                chunk.pixels[part],
                chunk.targets[part],
                None if chunk.weights is None else chunk.weights[part],
                return_dict=True,
            )
            loss += float(said["loss"])
            accuracy += float(said["accuracy"])
            done += 1
            if watch(self._batch, loss / done):
                break
        return Trained(done, loss / done, accuracy / done)

    def evaluate(
        self, pixels: NDArray[np.uint8], labels: NDArray[np.int64], rows: NDArray[np.int64]
    ) -> tuple[float, float]:
        """Mean cross-entropy and accuracy on some rows, as they are.

        Args:
            pixels: uint8 ``[N, H, W, C]``.
            labels: int64 ``[N]``.
            rows: int64 ``[v]``, one or more.
        """
        bytes_each = int(np.prod(pixels.shape[1:]))
        size = max(1, min(len(rows), _PREDICT_PICTURES, _PREDICT_BYTES // bytes_each))
        loss, right = 0.0, 0
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            # Always as many pictures, so that nothing is compiled twice.
            filled = np.asarray(pixels[np.resize(part, size)])
            logits = np.asarray(self.model.predict_on_batch(filled), np.float64)[: len(part)]
            highest = logits.max(1)
            wanted = logits[np.arange(len(part)), labels[part]]
            spread = np.log(np.exp(logits - highest[:, None]).sum(1))
            loss += float((highest + spread - wanted).sum())
            right += int((logits.argmax(1) == labels[part]).sum())
        return loss / len(rows), right / len(rows)

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """The weights as ``model.onnx`` takes them."""
        return twin.weights(self.model, self.graph)

    def model_arrays(self) -> Arrays:
        """All variables of the model, those of random generators too."""
        return read(self._keras, self._model_variables())

    def optimizer_arrays(self) -> Arrays:
        """All variables of the optimizer."""
        return read(self._keras, self._optimizer.variables)

    def restore(self, model: Arrays, optimizer: Arrays | None = None) -> None:
        """Set all variables of the model, and of the optimizer where given.

        Raises:
            ValueError: If they are not those of this network.
        """
        write(self._model_variables(), model)
        if optimizer is not None:
            write(self._optimizer.variables, optimizer)

    def save(self, path: str) -> None:
        """Write the model as Keras's own file: float32, nothing frozen, no optimizer."""
        # A new one: with what this one was compiled with, the file would need this package.
        clean = twin.build(self.graph)
        clean.set_weights(self.model.get_weights())
        clean.save(path)

    def _makes_programs(self) -> bool:
        """Whether Keras makes one program of several steps on this engine.

        Where it does not, each step is Python that calls the engine, and compiling it gains
        nothing: on PyTorch 2 it takes a minute, and the steps take as long as before.
        """
        self._compile(None, 2)
        try:
            self.model.make_train_function()
        except ValueError:
            return False
        return True

    def _compile(self, compiled: bool | None, several: int) -> None:
        losses = self._keras.losses
        loss = (
            losses.CategoricalCrossentropy(from_logits=True)
            if self._dense
            else losses.SparseCategoricalCrossentropy(from_logits=True)
        )
        self.model.compile(
            optimizer=self._optimizer,
            loss=loss,
            metrics=["accuracy"],
            jit_compile="auto" if compiled is None else compiled,
            steps_per_execution=several,
        )

    def _model_variables(self) -> list[Any]:
        metrics = {id(variable) for variable in self.model.metrics_variables}
        return [variable for variable in self.model.variables if id(variable) not in metrics]


def _freeze(model: Any, prefix: str) -> None:
    wanted = twin.layer_name(prefix)
    first = next((i for i, layer in enumerate(model.layers) if layer.name.startswith(wanted)), None)
    if first is None:
        raise ValueError(f"no layer's name begins with {prefix!r}")
    for i, layer in enumerate(model.layers):
        layer.trainable = i >= first


def _watcher(keras: Any) -> Any:
    """The callback that reports batches and stops where asked to."""

    class Watcher(keras.callbacks.Callback):  # type: ignore[misc]
        def __init__(self, watch: Watch, steps: int, batch: int) -> None:
            super().__init__()
            self._watch, self._steps, self._batch = watch, steps, batch
            self.done = 0

        def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
            # ``batch`` is the last one of the execution, which may reach beyond the end.
            before, self.done = self.done, min(batch + 1, self._steps)
            loss = float((logs or {}).get("loss", 0.0))
            if self._watch((self.done - before) * self._batch, loss):
                self.model.stop_training = True

    return Watcher
