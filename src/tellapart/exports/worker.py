"""The child process: ``python -m tellapart.exports.worker TASK JSON``.

It reports how far it is, ``advance`` with ``pictures``, and last ``answer``. It ends at once when
its parent does: nobody would take what it makes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tellapart.core.process import Reporter, end_with_parent, run

Advance = Callable[[int], None]


def write_int8(job: dict[str, Any], advance: Advance) -> dict[str, Any]:
    """Write ``job["model"]`` in 8-bit integers as ``job["out"]``."""
    from tellapart.exports import int8

    pixels = np.load(job["pixels"], mmap_mode="r", allow_pickle=False)
    bits = int8.write_int8(Path(job["model"]), pixels, Path(job["out"]), Path(job["scratch"]))
    return {"bits": bits}


def write_saved_model(job: dict[str, Any], advance: Advance) -> dict[str, Any]:
    """Write the twin of ``job["model"]`` as a SavedModel into the folder ``job["out"]``."""
    from tellapart.exports import keras_twin

    keras_twin.write_saved_model(Path(job["model"]), job["table"], Path(job["out"]))
    return keras_twin.versions()


def write_litert(job: dict[str, Any], advance: Advance) -> dict[str, Any]:
    """The same, converted to the LiteRT file ``job["litert"]``."""
    from tellapart.exports import keras_twin

    told = write_saved_model(job, advance)
    keras_twin.convert_to_litert(Path(job["out"]), Path(job["litert"]))
    return told


def run_saved_model(job: dict[str, Any], advance: Advance) -> dict[str, Any]:
    """Ask a SavedModel about pixels."""
    from tellapart.exports.saved_model import TensorFlowModel

    model = TensorFlowModel(Path(job["file"]), job["classes"], job["size"], "squash")
    _run(model, job, advance)
    return {"runtime": model.runtime}


def run_litert(job: dict[str, Any], advance: Advance) -> dict[str, Any]:
    """Ask a LiteRT file about pixels."""
    from tellapart.exports.litert import LiteRTModel

    model = LiteRTModel(Path(job["file"]), job["classes"], job["size"], "squash")
    _run(model, job, advance)
    return {"runtime": model.runtime}


TASKS: dict[str, Callable[[dict[str, Any], Advance], dict[str, Any]]] = {
    "write-int8": write_int8,
    "write-saved-model": write_saved_model,
    "write-litert": write_litert,
    "run-saved-model": run_saved_model,
    "run-litert": run_litert,
}

_ROWS = 64  # pictures between two reports


def _run(model: Any, job: dict[str, Any], advance: Advance) -> None:
    """Ask about the pictures of ``job["pixels"]``, and leave ``job["probabilities"]``."""
    pixels = np.load(job["pixels"], mmap_mode="r", allow_pickle=False)
    made = np.empty((len(pixels), len(job["classes"])), np.float32)
    for start in range(0, len(pixels), _ROWS):
        part = pixels[start : start + _ROWS]
        made[start : start + _ROWS] = model.run(part)
        advance(len(part))
    np.save(job["probabilities"], made)


def work(reporter: Reporter) -> None:
    """Do the task that the command line names."""
    end_with_parent()
    task, job = sys.argv[1:]
    answer = TASKS[task](json.loads(job), lambda n: reporter.report("advance", pictures=n))
    reporter.report("answer", answer=answer)


if __name__ == "__main__":
    run(work)
