"""Open and run a model file, also an untrusted one."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from tellapart.core.errors import ModelError
from tellapart.core.resources import cores
from tellapart.core.typing import Floats
from tellapart.graph import INPUT, check_safe, only_asked_for, open_session
from tellapart.graph.reading import Tail, extract
from tellapart.images.resizing import FITS, Fit
from tellapart.model.layers import Layers

SCHEMA = 1
FEATURES, PROBABILITIES, LOGIT_MAP = "features", "probabilities", "logit_map"
MAX_BYTES = 1024**3
MAX_SIZE = 4096
PIXELS_A_CALL = 4 * 224 * 224
"""Pixels per call of the engine: some 50 MB of feature maps, for pictures of any size."""
MAX_CHUNK = 64
"""Most pictures per call of the engine: at 28 pixels on two cores, 256 were no faster."""
_HEAD_CHUNK = 4096  # feature rows per call: 20 MB as float32


def pictures_a_call(size: int) -> int:
    """Pictures of a size that go through a network at once.

    Example:
        >>> [pictures_a_call(size) for size in (28, 150, 224, 1024)]
        [64, 8, 4, 1]
    """
    return max(1, min(MAX_CHUNK, PIXELS_A_CALL // size**2))


class Model:
    """A model file, open. Safe to use from several threads at once.

    Args:
        data: The file.
        where: The file's name in error messages.
        threads: Threads within one call; the processor's cores unless given.
        spin: As in :func:`tellapart.graph.open_session`.

    Attributes:
        classes: Names, in the order of the outputs' columns.
        size: Side of the input pictures, in pixels.
        fit: How pictures are fitted to squares of this size.
        has_map: Whether the file outputs a ``logit_map``.
        metadata: All metadata of the file.

    Raises:
        ModelError: If the file is damaged, not one of ours, or from a newer version.
    """

    def __init__(
        self,
        data: bytes,
        *,
        where: str = "the model",
        threads: int | None = None,
        spin: bool = False,
    ) -> None:
        self._data = data
        self._where = where
        self._head: Any = None
        self._lock = threading.Lock()
        self._threads = threads or cores()
        try:
            check_safe(data)
        except ValueError as error:
            raise self._error(f"{error}") from error
        with self._explained():
            self._session = open_session(data, threads=self._threads, spin=spin)
            self.metadata: Mapping[str, str] = dict(
                self._session.get_modelmeta().custom_metadata_map
            )
        self._read_metadata()
        self._check_inputs_and_outputs()
        self._chunk = pictures_a_call(self.size)
        self._layers = Layers(data, PROBABILITIES, chunk=self._chunk, threads=self._threads)

    @classmethod
    def load(
        cls, source: Path | str | bytes, *, threads: int | None = None, spin: bool = False
    ) -> Model:
        """Open a model file.

        Args:
            source: Its path, or its bytes.
            threads: Threads within one call; the processor's cores unless given.
            spin: Whether they wait for each other busily.

        Raises:
            ModelError: If it is missing, damaged, not one of ours, or from a newer version.
        """
        if isinstance(source, bytes):
            return cls(source, threads=threads, spin=spin)
        path = Path(source)
        try:
            if path.stat().st_size > MAX_BYTES:
                raise ModelError(
                    f"The model {path} is larger than {MAX_BYTES // 1024**3} GiB.",
                    remedy="It is not a model of tellapart's; check the path.",
                )
            data = path.read_bytes()
        except OSError as error:
            raise ModelError(
                f"The model cannot be read: {path}: {error.strerror or error}.",
                remedy="Check the path and its rights.",
            ) from error
        return cls(data, where=str(path), threads=threads, spin=spin)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the file, in hexadecimal."""
        return hashlib.sha256(self._data).hexdigest()

    def run(self, pixels: npt.NDArray[np.uint8]) -> Floats:
        """Probabilities of some pictures.

        Args:
            pixels: uint8 ``[n, size, size, 3]``, RGB, of any ``n``; memory stays bounded.

        Returns:
            float32 ``[n, K]``.

        Raises:
            ModelError: If the file cannot be run after all.
            ValueError: If the pixels have another shape or type.
        """
        return self._run(pixels, [PROBABILITIES])[0]

    def run_with_map(self, pixels: npt.NDArray[np.uint8]) -> tuple[Floats, Floats]:
        """Probabilities, and the logits of each place.

        Args:
            pixels: uint8 ``[n, size, size, 3]``, RGB.

        Returns:
            ``probabilities`` float32 ``[n, K]`` and ``logit_map`` float32 ``[n, h, w, K]``; its
            mean over ``h`` and ``w`` is the logits.

        Raises:
            ModelError: If this model has no map, or cannot be run after all.
            ValueError: If the pixels have another shape or type.
        """
        if not self.has_map:
            raise self._error("it gives no heat maps", remedy="Only linear heads can.")
        probabilities, maps = self._run(pixels, [PROBABILITIES, LOGIT_MAP])
        return probabilities, maps

    def head(self, features: npt.NDArray[np.float16] | Floats) -> Floats:
        """Probabilities from known features of the backbone.

        Runs only the file's operations after the tensor that its metadata calls ``features``.

        Args:
            features: float16 or float32 ``[n, D]``.

        Returns:
            float32 ``[n, K]``.

        Raises:
            ModelError: If the file has no such tensor.
        """
        with self._lock, self._explained():
            if self._head is None:
                name = self.metadata.get("features", "")
                try:
                    self._head = open_session(extract(self._data, [PROBABILITIES], start=name))
                except ValueError as error:
                    raise self._error(str(error)) from error
        name = self._head.get_inputs()[0].name
        probabilities = np.empty((len(features), len(self.classes)), np.float32)
        for start in range(0, len(features), _HEAD_CHUNK):
            part = slice(start, start + _HEAD_CHUNK)
            with self._explained():
                rows = np.ascontiguousarray(features[part], np.float32)
                probabilities[part] = self._head.run([PROBABILITIES], {name: rows})[0]
        return probabilities

    def layers(self) -> tuple[tuple[str, tuple[int, int, int]], ...]:
        """The convolutions and poolings, from the pixels to the probabilities.

        Returns:
            Name and output shape ``(height, width, channels)`` of each, in order.

        Raises:
            ModelError: If the file cannot be read after all.
        """
        with self._missing_explained():
            return tuple((layer.name, layer.shape) for layer in self._layers.with_maps)

    def activations(self, pixels: npt.NDArray[np.uint8], names: Sequence[str]) -> dict[str, Floats]:
        """The outputs of some layers, after their activation functions.

        Args:
            pixels: uint8 ``[n, size, size, 3]``, RGB. Memory grows with ``n``.
            names: Of :meth:`layers`.

        Returns:
            By name, float32 ``[n, h, w, c]``.

        Raises:
            ModelError: If there is no such layer.
            ValueError: If the pixels have another shape or type.
        """
        self._check_pixels(pixels)
        with self._missing_explained():
            layers = [self._layers.named(name) for name in names]
            found = (
                self._layers.activations(pixels, [layer.tensor for layer in layers])
                if layers
                else []
            )
        return {
            layer.name: np.ascontiguousarray(maps.transpose(0, 2, 3, 1))
            for layer, maps in zip(layers, found, strict=True)
        }

    def last_map(self, pixels: npt.NDArray[np.uint8]) -> tuple[Tail, Floats]:
        """The feature map of the last convolution, and the operations from it to the logits.

        Args:
            pixels: uint8 ``[n, size, size, 3]``, RGB.

        Returns:
            The operations, and the map, float32 ``[n, c, h, w]``.

        Raises:
            ModelError: If the network ends in operations that tellapart does not write.
            ValueError: If the pixels have another shape or type.
        """
        self._check_pixels(pixels)
        with self._missing_explained():
            tail = self._layers.tail
            return tail, self._layers.activations(pixels, [tail.tensor])[0]

    def weight(self, name: str) -> Floats:
        """A weight such as ``"conv1/kernel"``, float32.

        Names and shapes are those of :func:`tellapart.graph.layers.weight_shapes`.

        Raises:
            ModelError: If there is no weight of this name.
        """
        with self._missing_explained():
            return self._layers.weight(name)

    def _check_pixels(self, pixels: npt.NDArray[np.uint8]) -> None:
        if pixels.dtype != np.uint8 or pixels.shape[1:] != (self.size, self.size, 3):
            raise ValueError(f"pixels are {pixels.dtype} {pixels.shape}, not {self.size} squares")

    def _run(self, pixels: npt.NDArray[np.uint8], names: list[str]) -> list[Floats]:
        self._check_pixels(pixels)
        shapes = {PROBABILITIES: (len(self.classes),), LOGIT_MAP: self._map_shape}
        outputs = [np.empty((len(pixels), *shapes[name]), np.float32) for name in names]
        for start in range(0, len(pixels), self._chunk):
            chunk = np.ascontiguousarray(pixels[start : start + self._chunk])
            with self._explained():
                answers = self._session.run(names, {INPUT: chunk}, only_asked_for())
            for whole, answer in zip(outputs, answers, strict=True):
                if answer.shape != (len(chunk), *whole.shape[1:]):
                    raise self._error(f"it answers with the shape {answer.shape}")
                whole[start : start + self._chunk] = answer
        return outputs

    def _read_metadata(self) -> None:
        given = self.metadata
        if given.get("name") != "tellapart" or not given.get("schema", "").isdecimal():
            raise self._error("it was not made by tellapart")
        if int(given["schema"]) > SCHEMA:
            raise self._error(
                f"it is from a newer tellapart (schema {given['schema']}; this one reads {SCHEMA})",
                remedy="Install a newer tellapart.",
                code="newer_schema",
            )
        try:
            classes = json.loads(given["classes"])
            self.size = int(given["size"])
            fit = given["fit"]
        except (KeyError, ValueError) as error:
            raise self._error("its metadata is incomplete") from error
        sound = (
            isinstance(classes, list)
            and bool(classes)
            and all(isinstance(name, str) for name in classes)
            and len(set(classes)) == len(classes)
            and fit in FITS
            and 0 < self.size <= MAX_SIZE
        )
        if not sound:
            raise self._error("its metadata has no meaning")
        self.classes: tuple[str, ...] = tuple(classes)
        self.fit: Fit = cast(Fit, fit)

    def _check_inputs_and_outputs(self) -> None:
        inputs = {one.name: (one.type, one.shape[1:]) for one in self._session.get_inputs()}
        outputs = {one.name: (one.type, one.shape[1:]) for one in self._session.get_outputs()}
        count = len(self.classes)
        if inputs != {INPUT: ("tensor(uint8)", [self.size, self.size, 3])}:
            raise self._error("it does not take pictures of the size it names")
        if outputs.get(PROBABILITIES) != ("tensor(float)", [count]):
            raise self._error(f"it does not give {count} probabilities, one for each class")
        self.has_map = LOGIT_MAP in outputs
        self._map_shape: tuple[int, ...] = ()
        if self.has_map:
            kind, shape = outputs[LOGIT_MAP]
            sides = [side for side in shape if isinstance(side, int) and side > 0]
            if kind != "tensor(float)" or len(sides) != 3 or shape[-1] != count:
                raise self._error("its heat maps do not fit its classes")
            self._map_shape = tuple(shape)

    def _error(self, why: str, *, remedy: str = "", code: str | None = None) -> ModelError:
        return ModelError(
            f"The model {self._where} cannot be used: {why}.",
            remedy=remedy or "Use a model.onnx that tellapart wrote, or train again.",
            code=code,
        )

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Raise ONNX Runtime's exceptions, which have no common base class, as ours."""
        try:
            yield
        except (ModelError, MemoryError):
            raise
        except Exception as error:
            lines = str(error).splitlines() or [type(error).__name__]
            raise self._error(f"it is damaged ({lines[0][:200]})") from error

    @contextlib.contextmanager
    def _missing_explained(self) -> Iterator[None]:
        """Raise the ValueError of something that the file does not have as ours, too."""
        with self._explained():
            try:
                yield
            except ValueError as error:
                raise self._error(str(error)) from error
