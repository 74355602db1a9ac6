"""The child process: ``python -m tellapart.exports.worker TASK JSON``.

It says on standard output how far it is, ``{"advance": n}``, and last ``{"answer": …}``, one line
of JSON each. Whatever libraries print goes to standard error. It ends at once where its standard
input does, which is the death of its parent: nobody would take what it makes.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tellapart.core.process import end_with_parent, own_output

Say = Callable[[dict[str, Any]], None]


def write_int8(job: dict[str, Any], say: Say) -> dict[str, Any]:
    """Write ``job["model"]`` in 8-bit integers as ``job["out"]``."""
    from tellapart.exports import int8

    pixels = np.load(job["pixels"], mmap_mode="r", allow_pickle=False)
    bits = int8.write_int8(Path(job["model"]), pixels, Path(job["out"]), Path(job["scratch"]))
    return {"bits": bits}


def write_saved_model(job: dict[str, Any], say: Say) -> dict[str, Any]:
    """Write the twin of ``job["model"]`` as a SavedModel into the folder ``job["out"]``."""
    from tellapart.exports import keras_twin

    keras_twin.write_saved_model(Path(job["model"]), job["table"], Path(job["out"]))
    return keras_twin.versions()


def write_litert(job: dict[str, Any], say: Say) -> dict[str, Any]:
    """The same, converted to the LiteRT file ``job["litert"]``."""
    from tellapart.exports import keras_twin

    told = write_saved_model(job, say)
    keras_twin.convert_to_litert(Path(job["out"]), Path(job["litert"]))
    return told


def run_saved_model(job: dict[str, Any], say: Say) -> dict[str, Any]:
    """Ask a SavedModel about pixels."""
    from tellapart.exports.saved_model import TensorFlowModel

    model = TensorFlowModel(Path(job["file"]), job["classes"], job["size"], "squash")
    _run(model, job, say)
    return {"runtime": model.runtime}


def run_litert(job: dict[str, Any], say: Say) -> dict[str, Any]:
    """Ask a LiteRT file about pixels."""
    from tellapart.exports.litert import LiteRTModel

    model = LiteRTModel(Path(job["file"]), job["classes"], job["size"], "squash")
    _run(model, job, say)
    return {"runtime": model.runtime}


TASKS: dict[str, Callable[[dict[str, Any], Say], dict[str, Any]]] = {
    "write-int8": write_int8,
    "write-saved-model": write_saved_model,
    "write-litert": write_litert,
    "run-saved-model": run_saved_model,
    "run-litert": run_litert,
}

_ROWS = 64  # pictures between two words of how far it is


def _run(model: Any, job: dict[str, Any], say: Say) -> None:
    """Ask about the pictures of ``job["pixels"]``, and leave ``job["probabilities"]``."""
    pixels = np.load(job["pixels"], mmap_mode="r", allow_pickle=False)
    made = np.empty((len(pixels), len(job["classes"])), np.float32)
    for start in range(0, len(pixels), _ROWS):
        part = pixels[start : start + _ROWS]
        made[start : start + _ROWS] = model.run(part)
        say({"advance": len(part)})
    np.save(job["probabilities"], made)


def main(arguments: list[str]) -> int:
    """Do one task.

    Args:
        arguments: Its name, and its job as JSON.

    Returns:
        The exit status.
    """
    stream = own_output()
    end_with_parent()

    def say(told: dict[str, Any]) -> None:
        stream.write(json.dumps(told) + "\n")
        stream.flush()

    task, job = arguments
    try:
        say({"answer": TASKS[task](json.loads(job), say)})
    except Exception as error:
        traceback.print_exc()
        first = next(iter(str(getattr(error, "message", error)).strip().splitlines()), "")
        sys.stderr.write(f"{type(error).__name__}: {first.rstrip('.')}\n")
        return 1
    return 0


if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stderr.flush()
    # At once: engines' threads may take seconds to end, and everything is on the disk.
    os._exit(status)
