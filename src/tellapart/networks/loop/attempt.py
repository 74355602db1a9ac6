"""The training loop, from the first batch to the saved weights.

Who does what: an :class:`Attempt` begins anew or goes on from a checkpoint; :mod:`.starting`
decides what is ``"auto"``, :mod:`.feeding` makes the batches, :mod:`.learner` is the network,
:mod:`.stopping` says when to end and how that is said, :mod:`.checkpoints` keeps where it stands.

Where a training was cut leaves no trace: order, augmentation and mixing come from (seed, epoch,
index), dropout from generators whose state is in the checkpoint, and the learning rate from the
optimizer's step.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np

from tellapart.core.errors import RunError
from tellapart.networks.loop import backend, checkpoints, schedules, starting, stopping
from tellapart.networks.loop.boards import Board
from tellapart.networks.loop.checkpoints import Checkpoint, Keeper, State, Stopped
from tellapart.networks.loop.feeding import Ahead, Feed
from tellapart.networks.loop.learner import Learner
from tellapart.networks.loop.variables import Arrays, is_finite
from tellapart.networks.process import fitted
from tellapart.networks.process.events import EpochRow, Listener
from tellapart.networks.process.job import Job

_EARLY = 0.2
"""Share of the planned epochs in which a budget's plan may still change."""


class Attempt:
    """One go at a training, from nothing or from a checkpoint, at one size of batch.

    Args:
        job: What to train on what.
        folder: For checkpoints and results.
        listener: Hears how it goes.
        stop: Set to end it after the batch, saved.
        started: :func:`time.monotonic` at which the budget began.
        batch: Pictures a step, at most; a checkpoint may say fewer.
        keeper: Writes the checkpoints into the folder.
    """

    def __init__(
        self,
        job: Job,
        folder: Path,
        listener: Listener,
        stop: threading.Event,
        started: float,
        batch: int,
        keeper: Keeper,
    ) -> None:
        self._job, self._folder, self._listener, self._stop = job, folder, listener, stop
        self._recipe, self._started = job.recipe, started
        self._pixels = job.open_pixels()
        self._feed = Feed(
            self._pixels,
            job.labels,
            job.training,
            classes=len(job.classes),
            recipe=job.recipe,
            batch=batch,
        )
        self._keeper = keeper
        found = checkpoints.load(folder)
        self._best: Arrays = {}
        if found is None:
            self._begin(batch)
        else:
            self._go_on(found, batch)
        self._board = Board(self._learner.model, folder) if job.recipe.tensorboard else None

    # ------------------------------------------------------------------ starting

    def _begin(self, batch: int) -> None:
        job = self._job
        start = starting.begin(job, self._feed, self._pixels, self._stop, self._started)
        self._learner: Learner = start.learner
        self.state = State(
            engine=backend.engine(),
            fingerprint=job.fingerprint(),
            stages=start.stages,
            batch=batch,
            precision=start.precision,
            finder=start.finder,
            planned_epochs=start.planned_epochs,
        )
        self._before = 0.0
        for sentence in start.notes:
            self._note(sentence)
        if batch < self._recipe.batch:
            self._note(
                stopping.smaller_batch_sentence(batch, self._recipe.batch, len(job.training))
            )
        self._plan()
        self._save()

    def _go_on(self, found: Checkpoint, batch: int) -> None:
        job, state = self._job, found.state
        checkpoints.check_same(state, engine=backend.engine(), fingerprint=job.fingerprint())
        self.state, self._best, self._before = state, found.best, state.seconds
        if state.batch < batch:  # a training before ran out of memory
            batch = state.batch
            self._feed = self._feed.at(batch)
        self._learner = starting.learner(job, self._feed, state.precision)
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
            self._learner.step = state.stage_epoch * self._feed.steps + state.step
            state.batch = batch
            self._note(f"The device ran out of memory: from here on {batch} pictures a step.")
            self._plan()
            self._save()
            return
        self._saved, self._unsaved = time.monotonic(), False

    # ------------------------------------------------------------------ the loop

    def run(self) -> None:
        """Train until something says stop."""
        state = self.state
        self._listener.begin(
            pictures=len(self._job.training), epochs=self._epochs(), done=state.epoch
        )
        if state.stopped is None:
            with Ahead(self._feed, epoch=state.epoch, step=state.step) as chunks:
                while self.state.stopped is None:
                    self._epoch(chunks)
        if self._board is not None:
            self._board.close()

    def _epoch(self, chunks: Ahead) -> None:
        state, batch = self.state, self._feed.batch
        while state.step < self._feed.steps:
            self._leave_if_asked()
            chunk = next(chunks)
            began = time.monotonic()
            self._listener.before_chunk(epoch=state.epoch, step=chunk.first, batch=batch)
            result = self._learner.train(chunk, self._watch)
            pictures = result.steps * batch
            state.step += result.steps
            state.seen += pictures
            state.loss_sum += result.loss * pictures
            state.correct += round(result.accuracy * pictures)
            state.epoch_seconds += time.monotonic() - began
            self._unsaved = True
            if stopping.has_diverged(result.loss):
                return self._diverged()
            if self._is_over() and state.step < self._feed.steps:
                return self._out_of_time()
            if time.monotonic() - self._saved > 60 * self._recipe.checkpoint_minutes:
                self._save()
                if state.stopped is not None:
                    return None
        return self._end_epoch()

    def _watch(self, pictures: int, loss: float) -> bool:
        self._listener.advance(pictures)
        return self._stop.is_set() or self._is_over() or stopping.has_diverged(loss)

    def _end_epoch(self) -> None:
        state, recipe = self.state, self._recipe
        began = time.monotonic()
        validation: tuple[float, float] | tuple[None, None] = (None, None)
        if len(self._job.validation):
            validation = self._learner.evaluate(
                self._pixels, self._job.labels, self._job.validation
            )
        arrays = self._learner.model_arrays()
        if not is_finite(arrays) or stopping.has_diverged(validation[0] or 0.0):
            return self._diverged()
        row = EpochRow(
            epoch=state.epoch + 1,
            loss=state.loss_sum / state.seen,
            accuracy=state.correct / state.seen,
            validation_loss=validation[0],
            validation_accuracy=validation[1],
            learning_rate=self._last_rate(),
            seconds=state.epoch_seconds + time.monotonic() - began,
        )
        state.history.append(row)
        if recipe.patience is not None and validation[0] is not None:
            state.patience = state.patience.seen(row.epoch, validation[0])
            if state.patience.epoch == row.epoch:
                self._best = arrays
        self._count_epoch(row)
        self._save(arrays)
        self._listener.epoch(row)
        if self._board is not None:
            self._board.epoch(row)

    def _count_epoch(self, row: EpochRow) -> None:
        """Move on to the next epoch, the next stage, or the end."""
        state, recipe = self.state, self._recipe
        state.epoch, state.stage_epoch, state.step = state.epoch + 1, state.stage_epoch + 1, 0
        state.loss_sum, state.correct, state.seen, state.epoch_seconds = 0.0, 0, 0, 0.0
        if stopping.is_reached(recipe, training=row.accuracy, validation=row.validation_accuracy):
            return self._end(
                "target",
                stopping.target_sentence(
                    recipe,
                    epoch=row.epoch,
                    training=row.accuracy,
                    validation=row.validation_accuracy,
                ),
            )
        self._plan_anew()
        wanted = sum(stage.epochs for stage in recipe.resolved_stages())
        if self._is_over() and state.epoch < wanted:
            return self._out_of_time()
        impatient = recipe.patience is not None and state.patience.waited >= recipe.patience
        if not impatient and state.stage_epoch < state.stages[state.stage].epochs:
            return None
        if state.stage + 1 < len(state.stages):
            state.stage, state.stage_epoch = state.stage + 1, 0
            state.patience = state.patience.model_copy(update={"waited": 0})
            self._learner.begin(state.stages[state.stage])
            return self._plan()
        if impatient:
            sentence = stopping.patience_sentence(state.patience, epoch=row.epoch)
            return self._end("patience", sentence)
        sentence = stopping.end_sentence(recipe, epochs=state.epoch, wanted=wanted)
        return self._end("budget" if state.epoch < wanted else "epochs", sentence)

    # ------------------------------------------------------------------ plans and clocks

    def _plan(self) -> None:
        stage = self.state.stages[self.state.stage]
        self._learner.plan(peak=stage.learning_rate, steps=stage.epochs * self._feed.steps)

    def _plan_anew(self) -> None:
        """Epochs tell how long they take better than the first batches did.

        Only in the first fifth of the plan: later, the learning rate would jump.
        """
        state, recipe = self.state, self._recipe
        early = state.epoch == 1 or state.epoch <= self._epochs() * _EARLY
        if recipe.budget is None or len(state.stages) > 1 or not early:
            return
        left = recipe.budget - self._spent() - starting.RESERVE
        each = sum(row.seconds for row in state.history) / len(state.history)
        epochs = min(recipe.epochs, state.epoch + max(0, int(left / each)))
        state.planned_epochs = epochs
        state.stages = (state.stages[0].model_copy(update={"epochs": epochs}),)
        self._plan()

    def _epochs(self) -> int:
        return sum(stage.epochs for stage in self.state.stages)

    def _last_rate(self) -> float:
        state, recipe = self.state, self._recipe
        stage = state.stages[state.stage]
        done = (state.stage_epoch + 1) * self._feed.steps - 1
        t = np.float64(done / (stage.epochs * self._feed.steps))
        return float(stage.learning_rate * schedules.factor(t, recipe.schedule, recipe.warmup))

    def _spent(self) -> float:
        return self._before + time.monotonic() - self._started

    def _is_over(self) -> bool:
        return self._recipe.budget is not None and self._spent() > self._recipe.budget

    # ------------------------------------------------------------------ ends

    def _leave_if_asked(self) -> None:
        if self._stop.is_set():
            if self._unsaved:
                self._save()
            self._keeper.wait()
            raise KeyboardInterrupt

    def _end(self, stopped: Stopped, sentence: str) -> None:
        self.state.stopped, self.state.sentence = stopped, sentence

    def _out_of_time(self) -> None:
        sentence = stopping.over_sentence(
            self._recipe, epochs=self.state.epoch, planned=self._epochs()
        )
        self._end("budget", sentence)

    def _diverged(self) -> None:
        """Go back to the last checkpoint, which was good, and end there."""
        epoch, rate = self.state.epoch + 1, self._last_rate()
        peak = self.state.stages[self.state.stage].learning_rate
        self._keeper.wait()
        found = checkpoints.load(self._folder)
        if found is not None:
            self.state, self._best = found.state, found.best
            self._learner.restore(found.model)
        sentence = stopping.diverged_sentence(
            epoch=epoch, rate=rate, peak=peak, done=self.state.epoch
        )
        self._end("not_finite", sentence)

    def finish(self) -> None:
        """Write the results."""
        state, learner, folder = self.state, self._learner, self._folder
        # Nobody will go on from the last checkpoint: whether it could be written does not matter.
        self._keeper.join()
        epoch = state.epoch
        if self._best and state.stopped != "target":
            learner.restore(self._best)
            epoch = state.patience.epoch
        weights = learner.weights()
        learner.save(str(folder / fitted.MODEL))
        fitted.write(
            folder,
            weights=weights,
            history=state.history,
            outcome=fitted.outcome(state, best_epoch=epoch, seconds=self._spent()),
        )
        (folder / checkpoints.NAME).unlink(missing_ok=True)

    # ------------------------------------------------------------------ keeping

    def _note(self, sentence: str) -> None:
        self.state.notes.append(sentence)
        self._listener.note(sentence)

    def _save(self, arrays: Arrays | None = None) -> None:
        """Keep where it stands; what is not worth keeping ends the training."""
        self._keeper.wait()  # before more arrays are copied: one checkpoint in memory at a time
        arrays = self._learner.model_arrays() if arrays is None else arrays
        if not is_finite(arrays):
            return self._diverged()
        self.state.seconds = self._spent()
        optimizer = self._learner.optimizer_arrays()
        self._keeper.save(Checkpoint(self.state, arrays, optimizer, self._best))
        self._saved, self._unsaved = time.monotonic(), False
        return None
