"""A whole training in this process, at whatever size of batch the device has memory for."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from tellapart.core.errors import SettingsError, TellapartError
from tellapart.networks.loop import backend, checkpoints, stopping
from tellapart.networks.loop.attempt import Attempt
from tellapart.networks.process import fitted
from tellapart.networks.process.events import Listener
from tellapart.networks.process.job import Job

_QUIET = Listener()


def fit(
    job: Job,
    folder: Path,
    *,
    listener: Listener = _QUIET,
    stop: threading.Event | None = None,
    resume: bool = False,
    started: float | None = None,
) -> None:
    """Train a network in this process; :func:`.fitted.load` reads what comes of it.

    Keras is imported, and stays; :func:`.process.fit` does the same in a child.

    Args:
        job: What to train on what.
        folder: For checkpoints and results; exists.
        listener: Hears how it goes.
        stop: When it is set, the batch is finished, the state saved, and KeyboardInterrupt raised.
        resume: Go on from the folder's checkpoint, if there is one; a training that has ended is
            not done again.
        started: :func:`time.monotonic` at which the budget began; now unless given.

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
        return
    if not resume:
        (folder / checkpoints.NAME).unlink(missing_ok=True)
        (folder / fitted.OUTCOME).unlink(missing_ok=True)
    batch = min(job.recipe.batch, len(job.training))
    keeper = checkpoints.Keeper(folder)
    while True:
        try:
            attempt = Attempt(job, folder, listener, stop, started, batch, keeper)
            attempt.run()
            attempt.finish()
            return
        except Exception as error:
            if not stopping.is_out_of_memory(error):
                keeper.join()
                raise
        keeper.wait()
        # Outside the handler, whose traceback keeps the arrays that did not fit.
        if batch == 1:
            raise TellapartError(
                "The device has not enough memory to train on one picture at a time.",
                remedy="Choose a smaller --size or network.",
                code="out_of_memory",
            )
        attempt = None  # type: ignore[assignment]
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
