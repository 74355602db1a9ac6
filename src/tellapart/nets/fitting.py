"""The training loop, from the first batch to the saved weights.

Who does what: :func:`fit` is the whole; a :class:`_Training` is one attempt at it, which begins
anew or goes on from a checkpoint; :mod:`.starting` decides what is ``"auto"``,
:mod:`.feeding` makes the batches, :mod:`.learner` is the network, :mod:`.stopping` says when to
end, :mod:`.checkpoints` keeps where it stands.

Where a training was cut leaves no trace: order, augmentation and mixing come from (seed, epoch,
index), dropout from generators whose state is in the checkpoint, and the learning rate from the
optimizer's step.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np

from tellapart.errors import RunError, SettingsError, TellapartError
from tellapart.nets import backend, checkpoints, fitted, schedules, starting, stopping
from tellapart.nets.boards import Board
from tellapart.nets.checkpoints import Checkpoint, State, Stopped
from tellapart.nets.events import EpochRow, Listener
from tellapart.nets.feeding import Ahead, Feed
from tellapart.nets.job import Job
from tellapart.nets.learner import Arrays, Learner, is_finite

_QUIET = Listener()


def fit(
    job: Job,
    folder: Path,
    *,
    listener: Listener = _QUIET,
    stop: threading.Event | None = None,
    resume: bool = False,
    started: float | None = None,
) -> fitted.Fitted:
    """Train a network in this process.

    Keras is imported, and stays; :func:`tellapart.nets.process.fit` does the same in a child.

    Args:
        job: What to train on what.
        folder: For checkpoints and results; exists.
        listener: Hears how it goes.
        stop: When it is set, the batch is finished, the state saved, and KeyboardInterrupt raised.
        resume: Go on from the folder's checkpoint, if there is one.
        started: :func:`time.monotonic` at which the budget began; now unless given.

    Returns:
        The trained network, also in the folder's files.

    Raises:
        SettingsError: If a setting cannot be followed: no validation slice to stop by, or a
            budget too short for one epoch.
        RunError: If the checkpoint is damaged, or of other versions or settings.
        TellapartError: With code ``out_of_memory`` if not even one picture fits.
        KeyboardInterrupt: After ``stop`` was set.
    """
    _check(job)
    stop = stop or threading.Event()
    started = time.monotonic() if started is None else started
    if resume and fitted.is_done(folder):
        return fitted.load(folder, fingerprint=job.fingerprint())
    if not resume:
        (folder / checkpoints.NAME).unlink(missing_ok=True)
        (folder / fitted.OUTCOME).unlink(missing_ok=True)
    batch = min(job.recipe.batch, len(job.training))
    while True:
        try:
            training = _Training(job, folder, listener, stop, started, batch)
            training.run()
            return training.finish()
        except Exception as error:
            if not stopping.is_out_of_memory(error):
                raise
        # Outside the handler, whose traceback keeps the arrays that did not fit.
        if batch == 1:
            raise TellapartError(
                "The device has not enough memory to train on one picture at a time.",
                remedy="Choose a smaller --size or network.",
                code="out_of_memory",
            )
        training = None  # type: ignore[assignment]
        backend.keras().utils.clear_session(free_memory=True)
        batch //= 2
        if (folder / checkpoints.NAME).exists():  # which knows what was spent before it
            started = time.monotonic()


def _check(job: Job) -> None:
    recipe = job.recipe
    if not len(job.validation) and (
        recipe.patience is not None
        or (recipe.target is not None and recipe.target_on != "training")
    ):
        asked = "--patience" if recipe.patience is not None else "--target-on validation"
        raise SettingsError(
            f"{asked} needs a validation slice, and none was kept.",
            remedy=f"Leave {asked} away, or give more pictures.",
            code="no_validation",
        )


class _Training:
    """One attempt, from nothing or from a checkpoint, at one size of batch."""

    def __init__(
        self,
        job: Job,
        folder: Path,
        listener: Listener,
        stop: threading.Event,
        started: float,
        batch: int,
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
            self._note(_smaller_batch(batch, self._recipe.batch, len(job.training)))
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
        if not is_finite(self._learner.model_arrays()) or (
            validation[0] is not None and stopping.has_diverged(validation[0])
        ):
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
                self._best = self._learner.model_arrays()
        self._count_epoch(row)
        self._save()
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
        self._plan_anew(row)
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
            return self._end(
                "patience",
                f"Stopped after epoch {row.epoch}: the validation loss has not fallen for "
                f"{state.patience.waited} epochs. The weights are those of epoch "
                f"{state.patience.epoch}.",
            )
        if recipe.budget is not None and state.epoch < wanted:
            return self._end(
                "budget",
                f"Trained {_epochs(state.epoch)} of {wanted}, as many as a budget of "
                f"{stopping.seconds(recipe.budget)} has time for.",
            )
        return self._end("epochs", f"Trained {_epochs(state.epoch)}, as planned.")

    # ------------------------------------------------------------------ plans and clocks

    def _plan(self) -> None:
        stage = self.state.stages[self.state.stage]
        self._learner.plan(peak=stage.learning_rate, steps=stage.epochs * self._feed.steps)

    def _plan_anew(self, row: EpochRow) -> None:
        """After the first epoch its time is known better than from the first batches."""
        state, recipe = self.state, self._recipe
        if recipe.budget is None or len(state.stages) > 1 or state.epoch != 1:
            return
        left = recipe.budget - self._spent() - starting.RESERVE
        epochs = min(recipe.epochs, 1 + max(0, int(left / row.seconds)))
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
            raise KeyboardInterrupt

    def _end(self, stopped: Stopped, sentence: str) -> None:
        self.state.stopped, self.state.sentence = stopped, sentence

    def _out_of_time(self) -> None:
        state = self.state
        self._end(
            "budget",
            f"Stopped after {state.epoch} of {self._epochs()} epochs: the budget of "
            f"{stopping.seconds(self._recipe.budget or 0.0)} was over, as it went slower than "
            "measured at the start.",
        )

    def _diverged(self) -> None:
        """Go back to the last checkpoint, which was good, and end there."""
        epoch, rate = self.state.epoch + 1, self._last_rate()
        peak = self.state.stages[self.state.stage].learning_rate
        found = checkpoints.load(self._folder)
        if found is not None:
            self.state, self._best = found.state, found.best
            self._learner.begin(self.state.stages[self.state.stage])
            self._learner.restore(found.model, found.optimizer)
        done = self.state.epoch
        kept = f"those after epoch {done}" if done or self.state.step else "the initial ones"
        self._end(
            "not_finite",
            f"Stopped in epoch {epoch}: the loss exploded or was no longer a number, at a "
            f"learning rate of {max(rate, 0.0):.3g} (peak {peak:.3g}). The weights are {kept}. "
            "Choose a smaller learning rate, such as a tenth, or --lr auto.",
        )

    def finish(self) -> fitted.Fitted:
        """Write the results."""
        state, learner, folder = self.state, self._learner, self._folder
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
            outcome={
                "stopped": state.stopped,
                "sentence": state.sentence,
                "epochs": state.epoch,
                "planned_epochs": self._epochs(),
                "best_epoch": epoch,
                "batch": state.batch,
                "precision": state.precision,
                **state.engine,
                "notes": state.notes,
                "finder": state.finder,
                "learning_rate": max(stage.learning_rate for stage in state.stages),
                "seconds": self._spent(),
                "fingerprint": state.fingerprint,
            },
        )
        return fitted.load(folder)

    # ------------------------------------------------------------------ keeping

    def _note(self, sentence: str) -> None:
        self.state.notes.append(sentence)
        self._listener.note(sentence)

    def _save(self) -> None:
        self.state.seconds = self._spent()
        Checkpoint(
            self.state, self._learner.model_arrays(), self._learner.optimizer_arrays(), self._best
        ).save(self._folder)
        self._saved, self._unsaved = time.monotonic(), False


def _smaller_batch(batch: int, wanted: int, pictures: int) -> str:
    if batch == pictures:
        return f"A batch of {wanted} is more than there are training pictures: it is {batch}."
    return f"The device ran out of memory: {batch} pictures a step instead of {wanted}."


def _epochs(count: int) -> str:
    return f"{count} epoch" if count == 1 else f"{count} epochs"
