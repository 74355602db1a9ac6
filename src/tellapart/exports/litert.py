"""The target ``litert``: a LiteRT file (``.tflite``), for phones and small computers."""

from __future__ import annotations

import importlib.metadata
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.core.resources import cores
from tellapart.exports import child
from tellapart.exports.keras_twin import PROBABILITIES, SIGNATURE
from tellapart.exports.saved_model import run_in_child, twin_job
from tellapart.exports.target import RuntimeModel, Target, Work, require, unusable
from tellapart.graph import INPUT
from tellapart.images.resizing import Fit

FILE = "model.tflite"
MAX_BYTES = 1024**3


def _write(folder: Path, card: Mapping[str, Any], work: Work) -> Mapping[str, Any]:
    """Build the Keras twin, save it in the scratch folder, and convert that, in a child process."""
    job = twin_job(work, work.scratch / "saved_model")
    job["litert"] = str((folder / FILE).absolute())
    return child.call("write-litert", job, work.scratch)


class LiteRTModel(RuntimeModel):
    """A LiteRT file, open. Safe to use from several threads, which take turns.

    Needs neither Keras nor TensorFlow.

    Args:
        file: The ``.tflite``.
        classes: Names, in the order of the columns.
        size: Side of the pictures it takes, in pixels.
        fit: How pictures are fitted to that size.

    Raises:
        ModelError: If it is damaged or does not fit ``classes`` and ``size``.
        SettingsError: If LiteRT is not installed.
    """

    def __init__(self, file: Path, classes: Sequence[str], size: int, fit: Fit) -> None:
        require(["ai_edge_litert"], "litert", "A LiteRT file")
        super().__init__(classes, size, fit)
        self._lock = threading.Lock()
        from ai_edge_litert.interpreter import Interpreter

        try:
            if file.stat().st_size > MAX_BYTES:
                raise ValueError("it is too large")
            # From bytes rather than the path, so that a later change of the file changes nothing.
            self._interpreter = Interpreter(model_content=file.read_bytes(), num_threads=cores())
            self._answer = self._interpreter.get_signature_runner(SIGNATURE)
            taken = self._answer.get_input_details()[INPUT]
            given = self._answer.get_output_details()[PROBABILITIES]
        except Exception as error:  # LiteRT's own errors have no common base
            raise unusable("LiteRT file", file, error) from error
        if (
            list(taken["shape_signature"][1:]) != [size, size, 3]
            or taken["dtype"] is not np.uint8
            or list(given["shape_signature"][1:]) != [len(self.classes)]
        ):
            raise unusable("LiteRT file", file, "its shapes are not those in tellapart.json")

    @property
    def runtime(self) -> str:
        """Name and version of the runtime."""
        return f"LiteRT {importlib.metadata.version('ai-edge-litert')}"

    def call(self, pixels: NDArray[np.uint8]) -> Any:
        """Probabilities of the pictures of one call."""
        with self._lock:
            return self._answer(**{INPUT: pixels})[PROBABILITIES]


_USAGE = """\
In Python, with LiteRT (pip install ai-edge-litert):

    import numpy
    from ai_edge_litert.interpreter import Interpreter
    model = Interpreter("model.tflite").get_signature_runner("serving_default")
    image = numpy.zeros((1, SIZE, SIZE, 3), numpy.uint8)   # RGB
    probabilities = model(image=image)["probabilities"]

On Android and iOS and in C++, use the file in the same way, through its signature
"serving_default" with the input "image" and the output "probabilities". The number of pictures
is free; if a runtime needs a fixed one, resize the input to it.
"""

TARGET = Target(
    name="litert",
    main=FILE,
    write=_write,
    predict=lambda folder, work, advance: run_in_child("run-litert", folder / FILE, work, advance),
    open=lambda folder, card: LiteRTModel(
        folder / FILE, card["classes"], card["size"], card["fit"]
    ),
    usage=_USAGE,
    check=lambda: require(
        ["keras", "tensorflow", "ai_edge_litert"], "keras,litert", "Writing a LiteRT file"
    ),
)
