"""The target ``litert``: a LiteRT file (``.tflite``), for telephones and small computers."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.core.errors import ModelError
from tellapart.core.resources import cores
from tellapart.core.typing import Floats
from tellapart.exports import child
from tellapart.exports.keras_twin import PROBABILITIES, SIGNATURE
from tellapart.exports.saved_model import require, run_in_child, twin_job
from tellapart.exports.target import SAME_NUMBERS, Advance, Answers, Tolerance, Work
from tellapart.graph import INPUT
from tellapart.images.resizing import Fit
from tellapart.model.model import pictures_a_call

FILE = "model.tflite"
MAX_BYTES = 1024**3


class LiteRT:
    """A LiteRT file in float32, from the SavedModel of the Keras twin."""

    name = "litert"
    main = FILE
    tolerance: Tolerance = SAME_NUMBERS
    depends_on_processor = False

    def check(self) -> None:
        """Keras and TensorFlow write it, LiteRT's own runtime checks it."""
        require(["keras", "tensorflow", "ai_edge_litert"], "keras,litert", "Writing a LiteRT file")

    def write(self, folder: Path, card: Mapping[str, Any], work: Work) -> Mapping[str, Any]:
        """Build the twin, save it aside, and convert it, in a child process."""
        job = twin_job(work, work.scratch / "saved_model")
        job["litert"] = str((folder / FILE).absolute())
        return child.call("write-litert", job, work.scratch)

    def answers(self, folder: Path, work: Work, advance: Advance) -> Answers:
        """Run it in LiteRT, in a child process."""
        return run_in_child("run-litert", folder / FILE, work, advance)

    def readme(self, card: Mapping[str, Any]) -> str:
        """How to use it."""
        return _USE

    def open(self, folder: Path, card: Mapping[str, Any]) -> LiteRTModel:
        """Open it in LiteRT, in this process; neither Keras nor TensorFlow is needed."""
        return LiteRTModel(folder / FILE, card["classes"], card["size"], card["fit"])


class LiteRTModel:
    """A LiteRT file, open. Safe to use from several threads, which take turns.

    Args:
        file: The ``.tflite``.
        classes: Names, in the order of the columns.
        size: Side of the pictures it takes, in pixels.
        fit: How pictures are brought to that size.

    Raises:
        ModelError: If it is damaged, or another one.
        SettingsError: If LiteRT is not installed.
    """

    has_map = False

    def __init__(self, file: Path, classes: Sequence[str], size: int, fit: Fit) -> None:
        require(["ai_edge_litert"], "litert", "A LiteRT file")
        self.classes = tuple(classes)
        self.size = size
        self.fit: Fit = fit
        self._file = file
        self._lock = threading.Lock()
        from ai_edge_litert.interpreter import Interpreter

        try:
            if file.stat().st_size > MAX_BYTES:
                raise ValueError("it is too large")
            # Bytes rather than a path: a file that is exchanged meanwhile changes nothing.
            interpreter = Interpreter(model_content=file.read_bytes(), num_threads=cores())
            self._answer = interpreter.get_signature_runner(SIGNATURE)
            taken = self._answer.get_input_details()[INPUT]
            given = self._answer.get_output_details()[PROBABILITIES]
        except Exception as error:  # LiteRT's own have no common base
            first = next(iter(str(error).strip().splitlines()), type(error).__name__)
            raise self._unusable(first[:200]) from error
        if (
            list(taken["shape_signature"][1:]) != [size, size, 3]
            or taken["dtype"] is not np.uint8
            or list(given["shape_signature"][1:]) != [len(self.classes)]
        ):
            raise self._unusable("it takes or gives other shapes than tellapart.json says")
        self._interpreter = interpreter  # the runner works on what it owns

    @property
    def runtime(self) -> str:
        """Name and version of what runs it."""
        import importlib.metadata

        return f"LiteRT {importlib.metadata.version('ai-edge-litert')}"

    def layers(self) -> tuple[()]:
        """None that can be looked into."""
        return ()

    def run(self, pixels: NDArray[np.uint8]) -> Floats:
        """Probabilities float32 ``[n, K]`` of uint8 ``[n, size, size, 3]``."""
        made = np.empty((len(pixels), len(self.classes)), np.float32)
        step = pictures_a_call(self.size)
        with self._lock:
            for start in range(0, len(pixels), step):
                part = np.ascontiguousarray(pixels[start : start + step])
                made[start : start + step] = self._answer(**{INPUT: part})[PROBABILITIES]
        return made

    def _unusable(self, why: str) -> ModelError:
        return ModelError(
            f"The LiteRT file '{self._file}' cannot be used: {why.rstrip('.')}.",
            remedy="Copy the whole export again, or export again.",
        )


_USE = """\
In Python, with LiteRT (pip install ai-edge-litert):

    import numpy
    from ai_edge_litert.interpreter import Interpreter
    model = Interpreter("model.tflite").get_signature_runner("serving_default")
    image = numpy.zeros((1, SIZE, SIZE, 3), numpy.uint8)   # RGB
    probabilities = model(image=image)["probabilities"]

On Android, iOS and in C++ the file is used in the same way, through its signature
"serving_default" with the input "image" and the output "probabilities". The number of pictures
is free; where a runtime asks for a fixed one, resize the input to it.
"""
