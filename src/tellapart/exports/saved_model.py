"""The target ``saved-model``: TensorFlow's own format, for TensorFlow Serving and others.

A SavedModel is a program: TensorFlow warns against loading one from a stranger, since some
operations read and write files. So before one is loaded, :func:`check_contained` checks that
everything that can be called in it consists of plain layers.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.core.errors import ModelError
from tellapart.exports import child
from tellapart.exports.keras_twin import PROBABILITIES, SIGNATURE, table_of
from tellapart.exports.target import (
    Advance,
    Answers,
    RuntimeModel,
    Target,
    Work,
    require,
    unusable,
)
from tellapart.graph import INPUT
from tellapart.images.resizing import Fit

FOLDER = "saved_model"
PROGRAM = "saved_model.pb"
MAX_BYTES = 2 * 1024**3
MAX_NUMBERS = MAX_BYTES // 4
"""Numbers in all constants; a short file may stand for more, by repeating one number."""

OPERATIONS = frozenset(
    {"AddV2", "BiasAdd", "Cast", "Const", "Conv2D", "DepthwiseConv2dNative", "Floor"}
    | {"Identity", "MatMul", "MaxPool", "Mean", "Mul", "NoOp", "Pack", "PartitionedCall", "Relu"}
    | {"Relu6", "Reshape", "Shape", "Softmax", "Squeeze", "StatefulPartitionedCall"}
    | {"StridedSlice", "Sum"}
)
"""All operations of a SavedModel that is written here, and so all that a loaded one may have."""


def _write(folder: Path, card: Mapping[str, Any], work: Work) -> Mapping[str, Any]:
    """Build the Keras twin and save it, in a child process."""
    return child.call("write-saved-model", twin_job(work, folder / FOLDER), work.scratch)


class TensorFlowModel(RuntimeModel):
    """A SavedModel, loaded on the CPU. Safe to use from several threads at once.

    Args:
        folder: The SavedModel.
        classes: Names, in the order of the columns.
        size: Side of the pictures it takes, in pixels.
        fit: How pictures are fitted to that size.

    Raises:
        ModelError: If it is damaged, contains more than plain layers, or does not fit ``classes``
            and ``size``.
        SettingsError: If TensorFlow is not installed.
    """

    def __init__(self, folder: Path, classes: Sequence[str], size: int, fit: Fit) -> None:
        require(["tensorflow"], "keras", "A SavedModel")
        super().__init__(classes, size, fit)
        # Otherwise TensorFlow writes pages about its build and devices to standard error.
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        import tensorflow as tf

        self._tf = tf
        check_contained(folder)
        try:
            with tf.device("CPU:0"):
                self._loaded = tf.saved_model.load(str(folder))
            self._answer = self._loaded.signatures[SIGNATURE]
            taken = self._answer.structured_input_signature[1][INPUT]
            given = self._answer.structured_outputs[PROBABILITIES]
        except Exception as error:  # TensorFlow's own errors have no common base
            raise _unusable(folder, error) from error
        taken_shape = list(taken.shape)[1:], taken.dtype
        if taken_shape != ([size, size, 3], tf.uint8) or list(given.shape)[1:] != [len(classes)]:
            raise _unusable(folder, "its shapes are not those in tellapart.json")

    @property
    def runtime(self) -> str:
        """Name and version of the runtime."""
        return f"TensorFlow {self._tf.__version__}"

    def call(self, pixels: NDArray[np.uint8]) -> Any:
        """Probabilities of the pictures of one call."""
        with self._tf.device("CPU:0"):
            return self._answer(**{INPUT: self._tf.constant(pixels)})[PROBABILITIES].numpy()


def check_contained(folder: Path) -> None:
    """Check that everything that can be called in a SavedModel is plain layers.

    This covers all functions that the object graph names, and those that they call. The functions
    that TensorFlow uses for saving, which write files, are called by none of them.

    Raises:
        ModelError: If anything else is in it.
    """
    from tensorflow.core.protobuf import saved_model_pb2

    program = folder / PROGRAM
    try:
        if program.stat().st_size > MAX_BYTES:
            raise _unusable(folder, f"{PROGRAM} is too large")
        saved = saved_model_pb2.SavedModel.FromString(program.read_bytes())
    except OSError as error:
        raise _unusable(folder, f"{PROGRAM}: {error.strerror}") from error
    except ModelError:
        raise
    except Exception as error:  # protobuf's, whichever implementation it has
        raise _unusable(folder, f"{PROGRAM} is no SavedModel") from error
    if len(saved.meta_graphs) != 1 or not saved.meta_graphs[0].HasField("object_graph_def"):
        raise _unusable(folder, "it is of another kind")
    meta = saved.meta_graphs[0]
    if len(meta.asset_file_def) or any(
        one.WhichOneof("kind") not in ("user_object", "function", "bare_concrete_function")
        for one in meta.object_graph_def.nodes
    ):
        raise _unusable(folder, "it holds more than functions")
    functions = {one.signature.name: one for one in meta.graph_def.library.function}
    todo, seen, numbers = list(meta.object_graph_def.concrete_functions), set[str](), 0
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        if name not in functions:
            raise _unusable(folder, f"it has no function {name[:60]!r}")
        for node in functions[name].node_def:
            if node.op not in OPERATIONS:
                raise _unusable(folder, f"it holds the operation {node.op[:40]!r}")
            numbers += sum(_numbers(node.attr.values()))
            if numbers > MAX_NUMBERS:
                raise _unusable(folder, "its constants are too large")
            todo.extend(_called(node.attr.values()))


def _numbers(attributes: Iterable[Any]) -> Iterable[int]:
    """How many numbers each constant has once it is unpacked."""
    for one in attributes:
        for tensor in [one.tensor] if one.HasField("tensor") else one.list.tensor:
            yield math.prod(max(0, side.size) for side in tensor.tensor_shape.dim)


def _called(attributes: Iterable[Any]) -> Iterable[str]:
    for one in attributes:
        for function in [one.func] if one.HasField("func") else one.list.func:
            yield function.name


def twin_job(work: Work, out: Path) -> dict[str, Any]:
    """What the child process needs to write a run's Keras twin as a SavedModel."""
    return {
        "model": str((work.run.path / "model.onnx").absolute()),
        "table": table_of(work.run),
        "out": str(out.absolute()),
    }


def run_in_child(task: str, file: Path, work: Work, advance: Advance) -> Answers:
    """Predict the held-out pictures with a written file, in a child process."""
    work.held_out.load()
    probabilities = work.scratch / "probabilities.npy"
    job = {
        "file": str(file.absolute()),
        "classes": list(work.model.classes),
        "size": work.model.size,
        "pixels": str(work.held_out.file.absolute()),
        "probabilities": str(probabilities.absolute()),
    }
    told = child.call(task, job, work.scratch, advance)
    return Answers(np.load(probabilities, allow_pickle=False), str(told.get("runtime")))


def _unusable(where: Path, why: object) -> ModelError:
    return unusable("SavedModel", where, why)


_USAGE = """\
In Python, with TensorFlow (pip install tensorflow):

    import tensorflow as tf
    model = tf.saved_model.load("saved_model").signatures["serving_default"]
    image = tf.zeros((1, SIZE, SIZE, 3), tf.uint8)   # RGB
    probabilities = model(image=image)["probabilities"]

For TensorFlow Serving, put the content of saved_model/ into MODEL_NAME/1/.
The weights are constants in saved_model.pb: it can predict, but not be trained further.
"""

TARGET = Target(
    name="saved-model",
    main=FOLDER,
    write=_write,
    predict=lambda folder, work, advance: run_in_child(
        "run-saved-model", folder / FOLDER, work, advance
    ),
    open=lambda folder, card: TensorFlowModel(
        folder / FOLDER, card["classes"], card["size"], card["fit"]
    ),
    usage=_USAGE,
    check=lambda: require(["keras", "tensorflow"], "keras", "Writing a SavedModel"),
)
