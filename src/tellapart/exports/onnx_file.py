"""The target ``onnx``: ``model.onnx`` as the run has it, in ONNX Runtime as anybody opens it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.core.typing import Floats
from tellapart.exports.target import SAME_NUMBERS, Advance, Answers, Tolerance, Work
from tellapart.model import Model
from tellapart.model.model import pictures_a_call

FILE = "model.onnx"


class OnnxFile:
    """The run's own file."""

    name = "onnx"
    main = FILE
    tolerance: Tolerance = SAME_NUMBERS
    depends_on_processor = False

    def check(self) -> None:
        """Nothing is needed that is not always there."""

    def write(self, folder: Path, card: Mapping[str, Any], work: Work) -> Mapping[str, Any]:
        """Copy the file."""
        shutil.copyfile(work.run.path / FILE, folder / FILE)
        return {}

    def answers(self, folder: Path, work: Work, advance: Advance) -> Answers:
        """Open it as a user's program would: from its path, with the engine's own options."""
        pixels = work.held_out.load()
        probabilities = run_file(folder / FILE, pixels, len(work.model.classes), advance)
        return Answers(probabilities, runtime())

    def readme(self, card: Mapping[str, Any]) -> str:
        """How to use it."""
        return USE

    def open(self, folder: Path, card: Mapping[str, Any]) -> Model:
        """The file, as a run's is opened."""
        return Model.load(folder / FILE)


def run_file(path: Path, pixels: NDArray[np.uint8], classes: int, advance: Advance) -> Floats:
    """Probabilities float32 ``[n, classes]`` of an ONNX file, opened as anybody would."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    made = np.empty((len(pixels), classes), np.float32)
    step = pictures_a_call(pixels.shape[1])
    for start in range(0, len(pixels), step):
        part = np.ascontiguousarray(pixels[start : start + step])
        made[start : start + step] = session.run(["probabilities"], {"image": part})[0]
        advance(len(part))
    return made


def runtime() -> str:
    """Name and version of what runs ONNX files here."""
    import onnxruntime

    return f"ONNX Runtime {onnxruntime.__version__}"


USE = """\
In Python, with ONNX Runtime (pip install onnxruntime):

    import numpy, onnxruntime
    session = onnxruntime.InferenceSession("model.onnx")
    image = numpy.zeros((1, SIZE, SIZE, 3), numpy.uint8)   # RGB
    [probabilities] = session.run(["probabilities"], {"image": image})

In C, C++, C#, Java, JavaScript and others ONNX Runtime takes the same file, names and shapes.
"""
