"""The target ``onnx``: the run's ``model.onnx``, in ONNX Runtime as any program opens it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.core.typing import Floats
from tellapart.exports.target import Advance, Answers, Target, Work, in_batches
from tellapart.model import Model

FILE = "model.onnx"


def _write(folder: Path, card: Mapping[str, Any], work: Work) -> Mapping[str, Any]:
    shutil.copyfile(work.run.path / FILE, folder / FILE)
    return {}


def _predict(folder: Path, work: Work, advance: Advance) -> Answers:
    probabilities = run_file(folder / FILE, work.held_out.load(), len(work.model.classes), advance)
    return Answers(probabilities, runtime())


def run_file(
    path: Path, pixels: NDArray[np.uint8], classes: int, advance: Advance = lambda n: None
) -> Floats:
    """Probabilities float32 ``[n, classes]`` of an ONNX file, opened as any program would."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return in_batches(
        lambda part: session.run(["probabilities"], {"image": part})[0], pixels, classes, advance
    )


def runtime() -> str:
    """Name and version of the runtime of ONNX files."""
    import onnxruntime

    return f"ONNX Runtime {onnxruntime.__version__}"


USAGE = """\
In Python, with ONNX Runtime (pip install onnxruntime):

    import numpy, onnxruntime
    session = onnxruntime.InferenceSession("model.onnx")
    image = numpy.zeros((1, SIZE, SIZE, 3), numpy.uint8)   # RGB
    [probabilities] = session.run(["probabilities"], {"image": image})

In C, C++, C#, Java, JavaScript and others, ONNX Runtime takes the same file, names and shapes.
"""

TARGET = Target(
    name="onnx",
    main=FILE,
    write=_write,
    predict=_predict,
    open=lambda folder, card: Model.load(folder / FILE),
    usage=USAGE,
)
