"""The training loop, from the first batch to the saved weights.

Who does what: :func:`fit` runs a whole training, a :class:`Trainer` is one go at it, from nothing
or from a checkpoint. :mod:`.tuning` decides everything that is ``"auto"``, :mod:`.batches` makes
the batches, :mod:`.learner` is the network with its optimizer, :mod:`.stop_reasons` knows when to
stop, :mod:`.checkpoints` stores the progress, :mod:`.out_of_memory` halves the batch.

A resumed training gives the same weights as one that was never interrupted: order, augmentation
and mixing come from (seed, epoch, index), dropout from generators whose state is in the
checkpoint, and the learning rate from the optimizer's step.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tellapart.core.errors import RunError, SettingsError
from tellapart.core.text import counted
from tellapart.networks.loop import backend, budget, checkpoints, schedules, stop_reasons, tuning
from tellapart.networks.loop.batches import Batches, Prefetcher
from tellapart.networks.loop.checkpoints import Checkpoint, CheckpointWriter
from tellapart.networks.loop.keras_variables import Arrays, is_finite
from tellapart.networks.loop.out_of_memory import halve_batch_until_it_fits
from tellapart.networks.loop.scores import Scores
from tellapart.networks.loop.stop_reasons import Divergence, Moment, Reason, Stop
from tellapart.networks.loop.tensorboard import EpochLog
from tellapart.networks.process import fitted
from tellapart.networks.process.events import EpochRow, Listener
from tellapart.networks.process.job import Job
from tellapart.networks.spec.recipes import scaled_stages

_SILENT = Listener()
_ALWAYS: tuple[Reason, ...] = (Divergence(),)


def fit(
    job: Job,
    folder: Path,
    *,
    listener: Listener = _SILENT,
    stop: threading.Event | None = None,
    resume: bool = False,
    started: float | None = None,
) -> None:
    """Train a network in this process; :func:`.fitted.load` reads the result.

    Keras is imported and stays; :func:`.process.fit` does the same in a child process.

    Args:
        job: What to train on what.
        folder: For checkpoints and results; must exist.
        listener: Told how the training goes.
        stop: When it is set, the batch is finished, the state saved, and KeyboardInterrupt raised.
        resume: Continue from the folder's checkpoint if there is one; a finished training is
            not repeated.
        started: :func:`time.monotonic` at which the budget began; now unless given.

    Raises:
        SettingsError: If there is no validation slice to stop by, or the budget is too short for
            one epoch.
        RunError: If the checkpoint is damaged, or of other versions or settings.
        TellapartError: With code ``out_of_memory`` if not even one picture fits.
        KeyboardInterrupt: After ``stop`` was set.
    """
    _check_validation(job)
    began = time.monotonic() if started is None else started
    if resume and fitted.is_done(folder):
        return
    if not resume:
        (folder / checkpoints.NAME).unlink(missing_ok=True)
        (folder / fitted.OUTCOME).unlink(missing_ok=True)
    largest = min(job.recipe.batch, len(job.training))

    def train(batch: int) -> None:
        # After memory ran out, the checkpoint knows the time spent before it.
        again = batch < largest and (folder / checkpoints.NAME).exists()
        trainer = Trainer(
            job,
            folder,
            listener=listener,
            interrupted=stop or threading.Event(),
            started=time.monotonic() if again else began,
            batch=batch,
        )
        try:
            trainer.train()
        finally:
            trainer.writer.join()
        trainer.save_results()

    halve_batch_until_it_fits(train, largest)


def _check_validation(job: Job) -> None:
    recipe = job.recipe
    by_accuracy = recipe.target is not None and recipe.target_on == "validation"
    if len(job.validation) or (recipe.patience is None and not by_accuracy):
        return
    option = "--target-on validation" if recipe.patience is None else "--patience"
    raise SettingsError(
        f"{option} needs a validation slice, and there is none.",
        remedy=f"Omit {option}, or add pictures.",
        code="no_validation",
    )


class Trainer:
    """One go at a training with one batch size, from nothing or from a checkpoint.

    Args:
        job: What to train on what.
        folder: For checkpoints and results.
        listener: Told how it goes.
        interrupted: Set to stop after the current batch, with a checkpoint.
        started: :func:`time.monotonic` at which the budget began.
        batch: Pictures per step at most; a checkpoint may have fewer.

    Attributes:
        state: How far the training is.
        writer: Writes the checkpoints.
    """

    def __init__(
        self,
        job: Job,
        folder: Path,
        *,
        listener: Listener,
        interrupted: threading.Event,
        started: float,
        batch: int,
    ) -> None:
        self._job, self._folder, self._listener = job, folder, listener
        self._recipe, self._started = job.recipe, started
        self._reasons = stop_reasons.reasons(job.recipe, interrupted)
        self._pixels = job.open_pixels()
        self._best: Arrays = {}
        self._loss, self._seconds_before = 0.0, 0.0
        self.writer = CheckpointWriter(folder)
        found = checkpoints.load(folder)
        self._batches = Batches(
            self._pixels,
            job.labels,
            job.training,
            classes=len(job.classes),
            recipe=job.recipe,
            # A checkpoint has fewer where the training ran out of memory before.
            batch=batch if found is None else min(batch, found.state.batch),
        )
        if found is None:
            self._begin(interrupted)
        else:
            self._resume(found)
        self._log = EpochLog(self._learner.model, folder) if job.recipe.tensorboard else None

    def train(self) -> None:
        """Train epoch after epoch until there is a reason to stop.

        Raises:
            KeyboardInterrupt: If interrupted, with a checkpoint to resume from.
        """
        state = self.state
        self._listener.begin(
            pictures=len(self._job.training), epochs=state.wanted_epochs, done=state.epoch
        )
        stop = Stop(state.stopped, state.sentence) if state.stopped else self._reason_to_stop()
        with Prefetcher(self._batches, epoch=state.epoch, step=state.step) as chunks:
            while stop is None:
                validation = Scores()
                stop = (
                    self._run_epoch(self._training_steps(chunks), state)
                    or self._run_epoch(self._validation_steps(), validation)
                    or self._end_epoch(validation)
                )
        if self._log is not None:
            self._log.close()
        if stop.code == "interrupted":
            self._save()
            self.writer.wait()
            raise KeyboardInterrupt
        if stop.code == "not_finite":
            self._restore_last_checkpoint()
        self.state.stopped, self.state.sentence = stop.code, stop.sentence

    def save_results(self) -> None:
        """Write the results, with the best weights if patience kept them."""
        state, learner, folder = self.state, self._learner, self._folder
        epoch = state.epoch
        if self._best and state.stopped != "target":
            learner.restore(self._best)
            epoch = state.patience.epoch
        learner.save(str(folder / fitted.MODEL))
        fitted.write(
            folder,
            weights=learner.weights(),
            history=state.history,
            outcome=fitted.outcome(state, best_epoch=epoch, seconds=self._seconds()),
        )
        (folder / checkpoints.NAME).unlink(missing_ok=True)

    # ------------------------------------------------------------------ one epoch

    def _run_epoch(self, steps: Iterator[Scores], total: Scores) -> Stop | None:
        """One pass over the training or the validation pictures, unless a reason ends it early."""
        for scores in steps:
            total.add(scores)
            self._loss = scores.loss
            if time.monotonic() - self._saved > 60 * self._recipe.checkpoint_minutes:
                self._save()
            stop = self._reason_to_stop()
            if stop is not None:
                return stop
        return None

    def _training_steps(self, chunks: Prefetcher) -> Iterator[Scores]:
        state, batch = self.state, self._batches.batch
        while state.step < self._batches.steps:
            chunk = next(chunks)
            began = time.monotonic()
            self._listener.before_chunk(epoch=state.epoch, step=chunk.first, batch=batch)
            scores = self._learner.train(chunk, self._watch)
            state.step += scores.seen // batch
            state.epoch_seconds += time.monotonic() - began
            yield scores

    def _watch(self, pictures: int, loss: float) -> bool:
        """Whether to stop inside a chunk, with the mean loss of its batches so far."""
        self._listener.advance(pictures)
        self._loss = loss
        return self._reason_to_stop() is not None

    def _validation_steps(self) -> Iterator[Scores]:
        began = time.monotonic()
        yield from self._learner.evaluate(self._pixels, self._job.labels, self._job.validation)
        self.state.epoch_seconds += time.monotonic() - began

    def _end_epoch(self, validation: Scores) -> Stop | None:
        """Record the epoch, plan the next one and keep a checkpoint."""
        state = self.state
        row = EpochRow(
            epoch=state.epoch + 1,
            loss=state.loss,
            accuracy=state.accuracy,
            validation_loss=validation.loss if validation.seen else None,
            validation_accuracy=validation.accuracy if validation.seen else None,
            learning_rate=self._learning_rate(),
            seconds=state.epoch_seconds,
        )
        arrays = self._learner.model_arrays()
        self._loss = validation.loss if is_finite(arrays) else math.nan
        if self._recipe.patience is not None and row.validation_loss is not None:
            state.patience = state.patience.after(row.epoch, row.validation_loss)
            if state.patience.epoch == row.epoch:
                self._best = arrays
        state.end_epoch(row)
        self._revise_budget()
        self._begin_next_stage()
        stop = self._reason_to_stop()
        if stop is not None and stop.code != "interrupted":
            state.stopped, state.sentence = stop.code, stop.sentence
        if state.stopped != "not_finite":
            self._save(arrays)
            self._listener.epoch(row)
            if self._log is not None:
                self._log.write(row)
        return stop

    def _begin_next_stage(self) -> None:
        """Begin the next stage, if there is one and this one is over or out of patience."""
        state, patience = self.state, self._recipe.patience
        is_over = state.stage_epoch >= state.stages[state.stage].epochs
        is_out_of_patience = patience is not None and state.patience.waited >= patience
        if (is_over or is_out_of_patience) and state.stage + 1 < len(state.stages):
            state.stage, state.stage_epoch = state.stage + 1, 0
            state.patience = state.patience.model_copy(update={"waited": 0})
            self._learner.begin(state.stages[state.stage])
            self._plan_learning_rate()

    def _reason_to_stop(self) -> Stop | None:
        # An epoch whose batches are done is validated and recorded first, unless it diverged.
        is_trained = self.state.step >= self._batches.steps
        reasons = _ALWAYS if is_trained else self._reasons
        now = Moment(self.state, self._loss, self._learning_rate, self._seconds())
        return stop_reasons.first(reasons, now)

    # ------------------------------------------------------------------ time and learning rate

    def _seconds(self) -> float:
        """That the training has taken, in all processes."""
        return self._seconds_before + time.monotonic() - self._started

    def _revise_budget(self) -> None:
        """Plan the epochs again by how long whole ones take, early in a training."""
        state, recipe = self.state, self._recipe
        if recipe.budget is None or len(state.stages) > 1:
            return
        epochs = budget.revise_epochs(
            state.wanted_epochs,
            budget=recipe.budget,
            spent=self._seconds(),
            epochs=[row.seconds for row in state.history],
            most=recipe.epochs,
        )
        state.stages = scaled_stages(state.stages, epochs=epochs)
        self._plan_learning_rate()

    def _plan_learning_rate(self) -> None:
        stage = self.state.stages[self.state.stage]
        self._learner.plan(peak=stage.learning_rate, steps=stage.epochs * self._batches.steps)

    def _learning_rate(self) -> float:
        """That of the last step."""
        state, recipe, steps = self.state, self._recipe, self._batches.steps
        stage = state.stages[state.stage]
        done = max(0, state.stage_epoch * steps + state.step - 1)
        share = np.float64(done / (stage.epochs * steps))
        return float(stage.learning_rate * schedules.factor(share, recipe.schedule, recipe.warmup))

    # ------------------------------------------------------------------ begin, save, restore

    def _begin(self, interrupted: threading.Event) -> None:
        self._learner, self.state = tuning.tune(
            self._job, self._batches, self._pixels, interrupted, self._started
        )
        for sentence in self.state.notes:
            self._listener.note(sentence)
        self._plan_learning_rate()
        self._save()

    def _resume(self, found: Checkpoint) -> None:
        job, state, batch = self._job, found.state, self._batches.batch
        checkpoints.check_same(state, engine=backend.engine(), fingerprint=job.fingerprint())
        self.state, self._best, self._seconds_before = state, found.best, state.seconds
        self._saved = time.monotonic()
        self._learner = tuning.build_learner(job, self._batches, state.precision)
        self._learner.begin(state.stages[state.stage])
        try:
            self._learner.restore(found.model, found.optimizer)
        except ValueError as error:
            raise RunError(
                f"The checkpoint in '{self._folder}' does not fit: {error}.",
                remedy="Start the training again, without --resume.",
                code="damaged_checkpoint",
            ) from None
        if batch < state.batch:
            state.step = state.step * state.batch // batch
            state.batch = batch
            self._learner.step = state.stage_epoch * self._batches.steps + state.step
            state.notes.append(
                f"The device ran out of memory: {counted(batch, 'picture')} per step from now on."
            )
            self._listener.note(state.notes[-1])
            self._plan_learning_rate()
            self._save()

    def _save(self, arrays: Arrays | None = None) -> None:
        """Write a checkpoint, unless a weight is infinite or not a number."""
        self.writer.wait()  # before more arrays are copied: one checkpoint in memory at a time
        arrays = self._learner.model_arrays() if arrays is None else arrays
        if not is_finite(arrays):
            self._loss = math.nan
            return
        self.state.seconds = self._seconds()
        optimizer = self._learner.optimizer_arrays()
        self.writer.save(Checkpoint(self.state, arrays, optimizer, self._best))
        self._saved = time.monotonic()

    def _restore_last_checkpoint(self) -> None:
        self.writer.wait()
        found = checkpoints.load(self._folder)
        if found is not None:
            self.state, self._best = found.state, found.best
            self._learner.restore(found.model)
