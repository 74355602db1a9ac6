"""A network with its optimizer: the only part of the loop that touches the engine, through Keras.

A :class:`.trainer.Trainer` tells a :class:`Learner` what to train on; a learner knows nothing of
epochs, checkpoints or files.

A chunk goes to the engine whole, with ``fit``, or batch by batch. Whole, many steps run without
Python between them; but on TensorFlow it costs some 0.1 s to start, since a data pipeline is built
for each chunk, and a few steps of a small network take less than that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tellapart.core.typing import Floats, Ints, Pixels
from tellapart.graph import Graph
from tellapart.networks.loop import backend, keras_model
from tellapart.networks.loop.batches import Chunk
from tellapart.networks.loop.keras_variables import Arrays, read, write
from tellapart.networks.loop.optimizers import optimizer
from tellapart.networks.loop.schedules import schedule
from tellapart.networks.loop.scores import Scores
from tellapart.networks.spec.architectures import Spec
from tellapart.networks.spec.recipes import Recipe, Stage

_PREDICT_BYTES = 8 * 2**20  # of pixels in one call
_PREDICT_PICTURES = 256
FEW = 32
"""Chunks of at most this many batches are trained on batch by batch. On TensorFlow that halves the
time of 11 batches of a small network; JAX, whose ``fit`` starts at once, loses 3 ms per batch."""

STEPWISE = "Keras runs this engine one step at a time, so the training is not compiled."

Watch = Callable[[int, float], bool]


class Learner:
    """A network that can learn as soon as :meth:`begin` was called.

    Args:
        spec: Which network.
        recipe: How it learns.
        batch: Pictures per step.
        chunk_steps: Batches per chunk, at most. It decides how every chunk is trained on, even a
            shorter one, so that a resumed training does what it did before.
        precision: Keras's dtype policy, ``"float32"`` or ``"mixed_bfloat16"``.
        dense: Whether targets are shares of all classes.
        initial: Weights to start from; the others are random.

    Attributes:
        graph: The table of layers.
        model: The Keras model.
        notes: Sentences for the report: what differs from the recipe.
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
        initial: dict[str, Floats] | None = None,
    ) -> None:
        self._keras = backend.keras()
        self._recipe, self._batch, self._dense = recipe, batch, dense
        self._few = chunk_steps <= FEW
        self.notes: tuple[str, ...] = ()
        self.graph: Graph = spec.graph()
        before = self._keras.config.dtype_policy()
        self._keras.config.set_dtype_policy(precision)
        try:
            self.model = keras_model.build(self.graph, seed=recipe.seed)
        finally:
            self._keras.config.set_dtype_policy(before)
        if initial:
            keras_model.set_weights(self.model, self.graph, initial)

    def begin(self, stage: Stage) -> None:
        """Begin a stage: freeze the layers below it, and start with a new optimizer.

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
        if (recipe.compiled or several > 1) and not self._compiles_several_steps():
            self._compile(None, 1)
            self.notes = (STEPWISE,)
        else:
            self._compile(recipe.compiled, 1 if self._few else several)

    def plan(self, *, peak: float, steps: int, flat: bool = False) -> None:
        """Set the peak of the learning rate and the steps over which its schedule runs."""
        self._schedule.plan(peak=peak, steps=steps, flat=flat)

    @property
    def step(self) -> int:
        """Steps done by the optimizer in this stage."""
        return int(self._keras.ops.convert_to_numpy(self._optimizer.iterations))

    @step.setter
    def step(self, value: int) -> None:
        self._optimizer.iterations.assign(value)

    def train(self, chunk: Chunk, watch: Watch) -> Scores:
        """Learn from a chunk.

        Args:
            chunk: Whole batches.
            watch: Called after every execution with the pictures since its last call and the mean
                loss so far; if it returns True, training stops there.

        Returns:
            The scores of the batches trained on.
        """
        return self._one_by_one(chunk, watch) if self._few else self._at_once(chunk, watch)

    def _at_once(self, chunk: Chunk, watch: Watch) -> Scores:
        done = 0

        def report(last: int, logs: dict[str, Any]) -> None:
            # ``last`` is the last batch of the execution, which may reach beyond the end.
            nonlocal done
            before, done = done, min(last + 1, chunk.steps)
            if watch((done - before) * self._batch, float(logs["loss"])):
                self.model.stop_training = True

        history = self.model.fit(
            x=chunk.pixels,
            y=chunk.targets,
            sample_weight=chunk.weights,
            batch_size=self._batch,
            epochs=1,
            shuffle=False,
            verbose=0,
            callbacks=[self._keras.callbacks.LambdaCallback(on_train_batch_end=report)],
        ).history
        loss, accuracy = float(history["loss"][0]), float(history["accuracy"][0])
        return Scores.of_means(loss, accuracy, done * self._batch)

    def _one_by_one(self, chunk: Chunk, watch: Watch) -> Scores:
        done, loss, accuracy = 0, 0.0, 0.0
        while done < chunk.steps:
            part = slice(done * self._batch, (done + 1) * self._batch)
            self.model.reset_metrics()  # engines do not agree on whether the call does
            means = self.model.train_on_batch(
                chunk.pixels[part],
                chunk.targets[part],
                None if chunk.weights is None else chunk.weights[part],
                return_dict=True,
            )
            loss += float(means["loss"])
            accuracy += float(means["accuracy"])
            done += 1
            if watch(self._batch, loss / done):
                break
        return Scores.of_means(loss / done, accuracy / done, done * self._batch)

    def evaluate(self, pixels: Pixels, labels: Ints, rows: Ints) -> Iterator[Scores]:
        """Cross-entropy and accuracy on some rows, without augmentation, part by part.

        Args:
            pixels: uint8 ``[N, H, W, C]``.
            labels: int64 ``[N]``.
            rows: int64 ``[v]``.
        """
        bytes_each = int(np.prod(pixels.shape[1:]))
        size = max(1, min(len(rows), _PREDICT_PICTURES, _PREDICT_BYTES // bytes_each))
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            # Always the same number of pictures, so that nothing is compiled twice.
            filled = np.asarray(pixels[np.resize(part, size)])
            logits = np.asarray(self.model.predict_on_batch(filled), np.float64)[: len(part)]
            highest = logits.max(1)
            wanted = logits[np.arange(len(part)), labels[part]]
            spread = np.log(np.exp(logits - highest[:, None]).sum(1))
            yield Scores(
                loss_sum=float((highest + spread - wanted).sum()),
                correct=int((logits.argmax(1) == labels[part]).sum()),
                seen=len(part),
            )

    def weights(self) -> dict[str, Floats]:
        """The weights in the layout of ``model.onnx``."""
        return keras_model.weights(self.model, self.graph)

    def model_arrays(self) -> Arrays:
        """All variables of the model, including those of random generators."""
        return read(self._keras, self._model_variables())

    def optimizer_arrays(self) -> Arrays:
        """All variables of the optimizer."""
        return read(self._keras, self._optimizer.variables)

    def restore(self, model: Arrays, optimizer: Arrays | None = None) -> None:
        """Set all variables of the model, and of the optimizer if given.

        Raises:
            ValueError: If they are of another network.
        """
        write(self._model_variables(), model)
        if optimizer is not None:
            write(self._optimizer.variables, optimizer)

    def save(self, path: str) -> None:
        """Write the model as Keras's own file: float32, nothing frozen, no optimizer."""
        # A new model: the file of a compiled one would need this package to open.
        clean = keras_model.build(self.graph)
        clean.set_weights(self.model.get_weights())
        clean.save(path)

    def _compiles_several_steps(self) -> bool:
        """Whether Keras compiles several steps into one program on this engine.

        Otherwise each step is Python that calls the engine, and compiling gains nothing: on
        PyTorch 2 it takes a minute, and the steps take as long as before.
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
    wanted = keras_model.layer_name(prefix)
    first = next((i for i, layer in enumerate(model.layers) if layer.name.startswith(wanted)), None)
    if first is None:
        raise ValueError(f"no layer's name begins with {prefix!r}")
    for i, layer in enumerate(model.layers):
        layer.trainable = i >= first
