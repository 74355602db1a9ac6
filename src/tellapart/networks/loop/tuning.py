"""Before the first batch: build the network, and decide everything that is ``"auto"``.

A few batches show which precision is faster (:mod:`.precision`), which learning rate works
(:mod:`.learning_rate_finder`), and how many epochs fit into a budget (:mod:`.throughput`,
:mod:`.budget`). The network forgets them again.
"""

from __future__ import annotations

import threading
import time

from tellapart.core.errors import RunError
from tellapart.core.text import counted, seconds
from tellapart.core.typing import Pixels
from tellapart.networks.loop import backend, budget, learning_rate_finder, precision, throughput
from tellapart.networks.loop.batches import Batches
from tellapart.networks.loop.checkpoints import State
from tellapart.networks.loop.learner import Learner
from tellapart.networks.loop.learning_rate_finder import Trials
from tellapart.networks.loop.throughput import Throughput
from tellapart.networks.process.job import Job
from tellapart.networks.spec.recipes import scaled_stages

_FALLBACK = {"sgd": 0.05, "adam": 1e-3, "adamw": 1e-3}
"""Learning rates for when the finder saw no loss fall."""


def build_learner(job: Job, batches: Batches, precision: str) -> Learner:
    """The job's network with its initial weights."""
    return Learner(
        job.spec,
        job.recipe,
        batch=batches.batch,
        chunk_steps=batches.chunk_steps,
        precision=precision,
        dense=batches.is_dense,
        initial=job.initial,
    )


def tune(
    job: Job,
    batches: Batches,
    pixels: Pixels,
    interrupted: threading.Event,
    started: float,
) -> tuple[Learner, State]:
    """Build the network and decide what the recipe leaves open.

    Args:
        job: What to train.
        batches: To try with.
        pixels: uint8 ``[N, H, W, C]``.
        interrupted: Looked at between long steps.
        started: When the budget began.

    Returns:
        The network in its first stage, and the state of a training that has not begun.

    Raises:
        SettingsError: With code ``budget_too_short``.
        KeyboardInterrupt: If interrupted during the search for a learning rate.
        RunError: If the pixels do not fit the network.
    """
    _check_shape(job, pixels)
    recipe, notes = job.recipe, list[str]()
    stages = recipe.resolved_stages()

    def build(policy: str) -> Learner:
        learner = build_learner(job, batches, policy)
        learner.begin(stages[-1])  # the slowest stage: most layers learn in it
        return learner

    def measure(learner: Learner) -> Throughput:
        return throughput.measure(learner, batches, pixels, job.labels, job.validation)

    speed: Throughput | None = None
    if recipe.precision == "auto" and precision.has_bfloat16():
        learner, policy, speed, sentence = precision.faster(build, measure, batches.steps)
        notes.append(sentence)
    else:
        policy = "float32" if recipe.precision == "auto" else recipe.precision
        learner = build(policy)
    notes += learner.notes
    if recipe.budget is not None and speed is None:
        speed = measure(learner)
    if len(stages) > 1:
        learner.begin(stages[0])

    trials: Trials | None = None
    if recipe.learning_rate == "auto":
        trials = learning_rate_finder.search(
            learner, batches, recipe.optimizer, stop=interrupted.is_set
        )
        if interrupted.is_set():  # a search cut short decides nothing
            raise KeyboardInterrupt
        rate = learning_rate_finder.choose(trials, fallback=_FALLBACK[recipe.optimizer])
        notes.append(f"The learning rate {rate:g} was found by trial.")
        stages = scaled_stages(stages, learning_rate=rate)

    if recipe.budget is not None and speed is not None:
        most = recipe.wanted_epochs
        planned = budget.plan_epochs(
            budget=recipe.budget,
            spent=time.monotonic() - started,
            epoch=speed.epoch_seconds(batches.steps),
            most=most,
        )
        stages = scaled_stages(stages, epochs=planned)
        notes.append(
            f"A budget of {seconds(recipe.budget)} has time for about {planned} of at most "
            f"{counted(most, 'epoch')}."
        )
    if batches.batch < recipe.batch:
        is_all = batches.batch == len(job.training)
        why = "there are no more" if is_all else "the device ran out of memory"
        notes.append(
            f"{counted(batches.batch, 'picture')} per step instead of {recipe.batch}: {why}."
        )
    state = State(
        engine=backend.engine(),
        fingerprint=job.fingerprint(),
        stages=stages,
        batch=batches.batch,
        precision=policy,
        finder=trials,
        notes=notes,
    )
    return learner, state


def _check_shape(job: Job, pixels: Pixels) -> None:
    wanted = (job.spec.size, job.spec.size, 1 if job.spec.gray else 3)
    if pixels.shape[1:] != wanted:
        raise RunError(
            f"The pixels are {pixels.shape[1:]}, but the network takes {wanted}.",
            remedy="Start the training again.",
            code="pixels",
        )
