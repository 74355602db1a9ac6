"""The child process that trains networks: ``python -m`` this module.

It starts Keras and waits for one message: ``{"folders": [paths], "resume": bool, "since": the
parent's time.monotonic()}``. It trains the job in each folder and reports what happens
(:mod:`.events`). SIGINT and SIGTERM interrupt it, and so does the end of its parent: it saves
first.
"""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path

from tellapart.core.process import Reporter, received, run, when_alone


def train(reporter: Reporter) -> None:
    """Train the jobs of the folders in the message."""
    started = time.monotonic()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())

    from tellapart.networks.loop import backend, trainer
    from tellapart.networks.process.events import Writer
    from tellapart.networks.process.job import Job

    backend.start()
    message = received()
    when_alone(stop.set)
    # A budget counts what is left of Keras's start; both clocks are the system's.
    started = min(max(message["since"], started), time.monotonic())
    for folder in map(Path, message["folders"]):
        trainer.fit(
            Job.load(folder),
            folder,
            listener=Writer(reporter),
            stop=stop,
            resume=message["resume"],
            started=started,
        )
        reporter.report("trained")
        started = time.monotonic()


if __name__ == "__main__":
    run(train)
