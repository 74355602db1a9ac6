"""The target ``onnx-int8``: ``model.onnx`` in 8-bit integers, smaller and faster, not the same.

Static quantization (Jacob et al., *Quantization and training of neural networks for efficient
integer-arithmetic-only inference*, CVPR 2018) by ONNX Runtime's own tool: weights as integers with
a scale per channel, activations in 8 bits with the ranges that they have on some training
pictures. The file holds the integers as pairs of QuantizeLinear and DequantizeLinear (QDQ), so
every engine that reads ONNX reads it; inputs and outputs do not change.

Answers can depend on the processor. Processors without VNNI add two products of an 8-bit weight
and an 8-bit activation in 16 bits, where the sum can overflow. Therefore weights have 7 bits if the
training pictures then get the same classes, and otherwise 8. Since an export cannot be checked on
other processors, it is made on request only (docs/decisions/0072).
"""

from __future__ import annotations

import time
import timeit
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tellapart.core.resources import cores, processor
from tellapart.exports import child
from tellapart.exports.onnx_file import FILE, USAGE, run_file, runtime
from tellapart.exports.parity import compared
from tellapart.exports.target import Advance, Answers, RuntimeModel, Target, Tolerance, Work
from tellapart.model import Model
from tellapart.model.model import pictures_a_call

CALIBRATION = 128
"""Training pictures that give the ranges, and that decide whether 7 bits are enough: on
cats-dogs-3k, 64, 128 and 256 gave the same accuracy."""
TOLERANCE = Tolerance(same_top1=0.99, accuracy_loss=0.01, tie=0.1, spare=2)
"""Of the pictures whose two best classes are more than 0.1 apart, 99 % get the same class, and at
most 1 point of accuracy is lost; two pictures may differ in any case."""

# What is quantized. Softmax stays in float32, because its output is what is compared.
OPERATORS = ("Conv", "Gemm", "Add", "MaxPool", "GlobalAveragePool", "Clip", "Relu", "Flatten")
_DEPENDS = "It was checked on this processor only: {processor}. "
_SAFE = (
    "Its weights have 7 bits, so no sum can overflow on x86 processors without VNNI (many of those "
    "built before 2022). Where this was measured, the answers were the same."
)
_OVERFLOWS = (
    "Its weights have 8 bits. On x86 processors without VNNI (many of those built before 2022), "
    "sums overflow: where this was measured, 21 of 48 pictures got another class."
)
_CALL = 8  # calibration pictures per call
_ROUNDS, _SECONDS = 60, 10.0
"""The two files are timed alternately, this often or this long."""


def _write(folder: Path, card: Mapping[str, Any], work: Work) -> Mapping[str, Any]:
    """Quantize in a child process, since ONNX Runtime's tool writes to Python's root logger."""
    pictures = work.training(CALIBRATION)
    pictures.load()
    job = {
        "model": str((work.run.path / FILE).absolute()),
        "pixels": str(pictures.file.absolute()),
        "scratch": str(work.scratch.absolute()),
        "out": str((folder / FILE).absolute()),
    }
    bits = child.call("write-int8", job, work.scratch)["bits"]
    note = _DEPENDS.format(processor=processor()) + (_OVERFLOWS if bits == 8 else _SAFE)
    return {
        "quantization": {
            "method": "static, QDQ",
            "weights": f"{bits} bits, a scale per channel",
            "weight_bits": bits,
            "activations": "8 bits",
            "calibrated_on": {"pictures": len(pictures), "of": "training"},
            "tool": runtime(),
            "processor": processor(),
            "note": note,
        }
    }


def _predict(folder: Path, work: Work, advance: Advance) -> Answers:
    """Run it as any program would, and time it next to ``model.onnx``."""
    pixels = work.held_out.load()
    found = run_file(folder / FILE, pixels, len(work.model.classes), advance)
    speed = timed(work.run.path / FILE, folder / FILE, pixels)
    sizes = [path.stat().st_size for path in (work.run.path / FILE, folder / FILE)]
    more = {"speed": speed, "bytes": {"onnx": sizes[0], "target": sizes[1]}}
    return Answers(found, runtime(), more)


class Int8Model(RuntimeModel):
    """A quantized model: probabilities only, since everything inside it is in integers.

    Args:
        model: The open file.
    """

    def __init__(self, model: Model) -> None:
        super().__init__(model.classes, model.size, model.fit)
        self._model = model

    def call(self, pixels: NDArray[np.uint8]) -> Any:
        """Probabilities of the pictures of one call."""
        return self._model.run(pixels)


def write_int8(file: Path, pixels: NDArray[np.uint8], out: Path, scratch: Path) -> int:
    """Write a model file in 8-bit integers, with as many bits of the weights as it needs.

    Args:
        file: ``model.onnx``.
        pixels: uint8 ``[n, S, S, 3]``, training pictures.
        out: The file to write; its only output is ``probabilities``.
        scratch: A folder for temporary files.

    Returns:
        Bits of the weights: 7 where the training pictures get the same classes with them, else 8.
    """
    quantize(file, pixels, out, scratch, bits=7)
    expected = Model.load(file).run(pixels)
    found = run_file(out, pixels, expected.shape[1])
    # Compared with model.onnx only: the true classes do not matter here.
    if not compared(expected, found, expected.argmax(axis=1)).breaches(TOLERANCE):
        return 7
    quantize(file, pixels, out, scratch, bits=8)
    return 8


def quantize(
    file: Path, pixels: NDArray[np.uint8], out: Path, scratch: Path, *, bits: Literal[7, 8]
) -> None:
    """Write a model file in 8-bit integers.

    Args:
        file: As in :func:`write_int8`, like the other paths.
        pixels: uint8 ``[n, S, S, 3]``, from which the ranges of activations are taken.
        out: The file to write.
        scratch: A folder for temporary files.
        bits: Of the weights.
    """
    import onnx
    from onnxruntime.quantization import (
        CalibrationDataReader,
        CalibrationMethod,
        QuantFormat,
        QuantType,
        quantize_static,
    )

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.starts = iter(range(0, len(pixels), _CALL))

        def get_next(self) -> dict[str, Any] | None:
            start = next(self.starts, None)
            if start is None:
                return None
            return {"image": np.ascontiguousarray(pixels[start : start + _CALL])}

    whole, made = scratch / "whole.onnx", scratch / "int8.onnx"
    onnx.utils.extract_model(str(file), str(whole), ["image"], ["probabilities"])
    quantize_static(
        str(whole),
        str(made),
        Reader(),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        reduce_range=bits == 7,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        op_types_to_quantize=list(OPERATORS),
        calibrate_method=CalibrationMethod.MinMax,
    )
    model = onnx.load(str(made))
    known = {one.key: one.value for one in onnx.load(str(file)).metadata_props}
    known.pop("features", None)  # this tensor is not in the file any more
    onnx.helper.set_model_props(model, {**known, "quantized": "int8"})
    out.write_bytes(model.SerializeToString(deterministic=True))


def timed(before: Path, after: Path, pixels: NDArray[np.uint8]) -> dict[str, Any]:
    """How fast two model files are here: medians of alternating calls, under the same load.

    Args:
        before: ``model.onnx``.
        after: The other file.
        pixels: uint8 ``[n, S, S, 3]``; one call takes as many of them as predicting does.

    Returns:
        ``onnx`` and ``target`` (pictures per second), ``gain``, and the conditions.
    """
    part = np.ascontiguousarray(pixels[: pictures_a_call(pixels.shape[1])])
    asks = [_asking(path, part) for path in (before, after)]
    for ask in asks:
        ask()  # the first call allocates memory
    seconds: list[list[float]] = []
    end = time.perf_counter() + _SECONDS
    while not seconds or (len(seconds) < _ROUNDS and time.perf_counter() < end):
        seconds.append([timeit.timeit(ask, number=1) for ask in asks])
    ours, theirs = len(part) / np.median(seconds, axis=0)
    return {
        "onnx": round(float(ours), 1),
        "target": round(float(theirs), 1),
        "gain": round(float(theirs / ours), 2),
        "pictures_a_call": len(part),
        "calls": len(seconds),
        "processor": processor(),
        "cores": cores(),
    }


def _asking(path: Path, pixels: NDArray[np.uint8]) -> Callable[[], Any]:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return lambda: session.run(["probabilities"], {"image": pixels})


TARGET = Target(
    name="onnx-int8",
    main=FILE,
    write=_write,
    predict=_predict,
    open=lambda folder, card: Int8Model(Model.load(folder / FILE)),
    usage=USAGE,
    tolerance=TOLERANCE,
    depends_on_processor=True,
)
