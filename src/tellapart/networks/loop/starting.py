"""Before the first batch: a network built, and everything that was left ``"auto"`` decided."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tellapart.core.errors import RunError
from tellapart.networks.loop import finder, measuring, stopping
from tellapart.networks.loop.feeding import Feed
from tellapart.networks.loop.learner import Learner
from tellapart.networks.process.job import Job
from tellapart.networks.spec.recipes import Stage, share_epochs

RESERVE = 1.5
"""Seconds of a budget that are kept for the last checkpoint and the results."""

_USUAL = {"sgd": 0.05, "adam": 1e-3, "adamw": 1e-3}
"""Learning rates where the finder saw no loss fall."""


@dataclass(frozen=True)
class Start:
    """A training about to begin.

    Attributes:
        learner: In its first stage.
        precision: Decided.
        stages: With epochs and learning rates decided.
        finder: Rates and losses tried, or None.
        planned_epochs: With a budget, how many fit; None without one.
        notes: What is worth saying of it.
    """

    learner: Learner
    precision: str
    stages: tuple[Stage, ...]
    finder: list[tuple[float, float]] | None
    planned_epochs: int | None
    notes: tuple[str, ...]


def learner(job: Job, feed: Feed, precision: str) -> Learner:
    """The job's network, freshly initialized."""
    return Learner(
        job.spec,
        job.recipe,
        batch=feed.batch,
        chunk_steps=feed.chunk_steps,
        precision=precision,
        dense=feed.is_dense,
        initial=job.initial,
    )


def begin(
    job: Job, feed: Feed, pixels: NDArray[np.uint8], stop: threading.Event, started: float
) -> Start:
    """Build the network and decide.

    Args:
        job: What to train.
        feed: Gives batches to try with.
        pixels: uint8 ``[N, H, W, C]``.
        stop: Asked between steps that take long.
        started: When the budget began.

    Raises:
        SettingsError: With code ``budget_too_short``.
        KeyboardInterrupt: If ``stop`` was set during the search for a learning rate.
        RunError: If the pixels do not fit the network.
    """
    recipe = job.recipe
    wanted = (job.spec.size, job.spec.size, 1 if job.spec.gray else 3)
    if pixels.shape[1:] != wanted:
        raise RunError(
            f"The pixels are {pixels.shape[1:]}, but the network takes {wanted}.",
            remedy="Start the training again.",
            code="pixels",
        )
    stages, notes = recipe.resolved_stages(), []
    # The last stage is the slowest: in it most layers learn.
    pace: measuring.Pace | None = None

    def made(precision: str) -> Learner:
        built = learner(job, feed, precision)
        built.begin(stages[-1])
        return built

    def measure(built: Learner) -> measuring.Pace:
        return measuring.pace(built, feed, pixels, job.labels, job.validation)

    precision: str = "float32" if recipe.precision == "auto" else recipe.precision
    if recipe.precision == "auto" and measuring.has_bfloat16():
        built, precision, pace, sentence = measuring.faster(made, measure, feed.steps)
        notes.append(sentence)
    else:
        built = made(precision)
    notes += built.notes
    if recipe.budget is not None and pace is None:
        pace = measure(built)
    if len(stages) > 1:
        built.begin(stages[0])
    table: list[tuple[float, float]] | None = None
    if recipe.learning_rate == "auto":
        table = finder.search(built, feed, recipe.optimizer, stop=stop.is_set)
        if stop.is_set():  # the search is cut short: nothing may be chosen by it
            raise KeyboardInterrupt
        rate = finder.choose(table, fallback=_USUAL[recipe.optimizer])
        notes.append(f"The learning rate {rate:g} was found by trial.")
        first = stages[0].learning_rate
        stages = tuple(
            stage.model_copy(update={"learning_rate": stage.learning_rate * rate / first})
            for stage in stages
        )
    planned = None
    if recipe.budget is not None and pace is not None:
        most = sum(stage.epochs for stage in stages)
        planned = stopping.plan_epochs(
            budget=recipe.budget,
            spent=time.monotonic() - started,
            epoch=pace.epoch(feed.steps),
            most=most,
            reserve=RESERVE,
        )
        shares = share_epochs(planned, [stage.epochs for stage in stages])
        dealt = zip(stages, shares, strict=True)
        stages = tuple(
            stage.model_copy(update={"epochs": share}) for stage, share in dealt if share
        )
        notes.append(
            f"A budget of {stopping.seconds(recipe.budget)} has time for about {planned} "
            f"of at most {stopping.count_epochs(most)}."
        )
    return Start(built, precision, stages, table, planned, tuple(notes))
