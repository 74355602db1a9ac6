"""Networks that train in the tests' own process."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tellapart.networks import Fitted, Job
from tellapart.networks.loop import backend, trainer
from tellapart.networks.process import fitted, process


@contextlib.contextmanager
def in_this_process() -> Iterator[None]:
    """Networks train here, where Keras needs to start once, and not in a child process each."""

    def fit(job: Job, folder: Path, *, resume: bool = False, **_: Any) -> Fitted:
        folder.mkdir(parents=True, exist_ok=True)
        job.save(folder)
        trainer.fit(Job.load(folder), folder, resume=resume)
        return fitted.load(folder)

    def fit_all(
        jobs: Sequence[tuple[Path, Job]], *, resume: bool = False, **_: Any
    ) -> list[Fitted]:
        return [fit(job, folder, resume=resume) for folder, job in jobs]

    backend.keras()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "fit", fit)
        patch.setattr(process, "fit_all", fit_all)
        patch.setattr(process, "KerasProcess", lambda log: contextlib.nullcontext())
        yield
