"""Before the first batch: build the network, and decide everything that is ``"auto"``.

A few batches show which precision is faster (:mod:`.precision`), which learning rate works
(:mod:`.learning_rate_finder`), and how many epochs fit into a budget (:mod:`.throughput`,
:mod:`.budget`). The network forgets them again.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tellapart.core.errors import RunError
from tellapart.core.text import counted, seconds
from tellapart.networks.loop import budget, learning_rate_finder, precision, throughput
from tellapart.networks.loop.batches import Batches
from tellapart.networks.loop.learner import Learner
from tellapart.networks.loop.learning_rate_finder import Trials
from tellapart.networks.loop.throughput import Throughput
from tellapart.networks.process.job import Job
from tellapart.networks.spec.recipes import Stage, share_epochs

_FALLBACK = {"sgd": 0.05, "adam": 1e-3, "adamw": 1e-3}
"""Learning rates for when the finder saw no loss fall."""


@dataclass(frozen=True)
class Tuned:
    """A network that is ready for its first batch.

    Attributes:
        learner: In its first stage.
        precision: Keras's dtype policy.
        stages: With epochs and learning rates decided.
        finder: Rates and losses tried, or None.
        planned_epochs: How many fit into the budget; None without one.
        notes: Sentences for the report.
    """

    learner: Learner
    precision: str
    stages: tuple[Stage, ...]
    finder: Trials | None
    planned_epochs: int | None
    notes: tuple[str, ...]


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
    pixels: NDArray[np.uint8],
    interrupted: threading.Event,
    started: float,
) -> Tuned:
    """Build the network and decide what the recipe leaves open.

    Args:
        job: What to train.
        batches: To try with.
        pixels: uint8 ``[N, H, W, C]``.
        interrupted: Looked at between long steps.
        started: When the budget began.

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
        first = stages[0].learning_rate
        stages = tuple(
            stage.model_copy(update={"learning_rate": stage.learning_rate * rate / first})
            for stage in stages
        )

    planned: int | None = None
    if recipe.budget is not None and speed is not None:
        most = sum(stage.epochs for stage in stages)
        planned = budget.plan_epochs(
            budget=recipe.budget,
            spent=time.monotonic() - started,
            epoch=speed.epoch_seconds(batches.steps),
            most=most,
        )
        shares = share_epochs(planned, [stage.epochs for stage in stages])
        stages = tuple(
            stage.model_copy(update={"epochs": share})
            for stage, share in zip(stages, shares, strict=True)
            if share
        )
        notes.append(
            f"A budget of {seconds(recipe.budget)} has time for about {planned} of at most "
            f"{counted(most, 'epoch')}."
        )
    return Tuned(learner, policy, stages, trials, planned, tuple(notes))


def _check_shape(job: Job, pixels: NDArray[np.uint8]) -> None:
    wanted = (job.spec.size, job.spec.size, 1 if job.spec.gray else 3)
    if pixels.shape[1:] != wanted:
        raise RunError(
            f"The pixels are {pixels.shape[1:]}, but the network takes {wanted}.",
            remedy="Start the training again.",
            code="pixels",
        )
