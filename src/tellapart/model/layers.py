"""The layers of a model file: their shapes, activations and weights."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from tellapart.core.typing import Floats
from tellapart.graph import INPUT, only_asked_for, open_session
from tellapart.graph.reading import MapLayer, Tail, extract, map_layers, tail, weight


class Layers:
    """The layers that an output of a model file depends on.

    The file is read at first use, since predicting needs none of this.

    Args:
        data: The file.
        output: Name of the output.
        chunk: Pictures per call of the engine.
        threads: Threads within one call.

    Raises:
        ValueError: From every method and attribute, if the file has no such thing.
    """

    def __init__(self, data: bytes, output: str, *, chunk: int, threads: int) -> None:
        self._data = data
        self._output = output
        self._chunk = chunk
        self._threads = threads
        self._lock = threading.Lock()
        self._open: tuple[tuple[str, ...], Any] | None = None

    @cached_property
    def with_maps(self) -> tuple[MapLayer, ...]:
        """The convolutions and poolings, in order."""
        return map_layers(self._data, self._output)

    @cached_property
    def tail(self) -> Tail:
        """The operations after the last feature map."""
        return tail(self._data, self._output)

    def weight(self, name: str) -> Floats:
        """One of the weights."""
        return weight(self._data, name)

    def named(self, name: str) -> MapLayer:
        """The convolution or pooling of that name."""
        for layer in self.with_maps:
            if layer.name == name:
                return layer
        known = ", ".join(layer.name for layer in self.with_maps[:20]) or "none"
        raise ValueError(f"it has no convolution or pooling {name!r}, but {known}")

    def activations(self, pixels: npt.NDArray[np.uint8], tensors: Sequence[str]) -> list[Floats]:
        """Tensors of the network for some pictures, float32 ``[n, c, h, w]`` each."""
        session = self._session(tuple(tensors))
        parts: list[list[Floats]] = []
        for start in range(0, max(1, len(pixels)), self._chunk):
            chunk = np.ascontiguousarray(pixels[start : start + self._chunk])
            parts.append(session.run(list(tensors), {INPUT: chunk}, only_asked_for()))
        return [np.concatenate(one) for one in zip(*parts, strict=True)]

    def _session(self, tensors: tuple[str, ...]) -> Any:
        """A session that outputs these tensors. The last one is kept, for the next picture."""
        with self._lock:
            if self._open is None or self._open[0] != tensors:
                data = extract(self._data, tensors)
                self._open = (tensors, open_session(data, threads=self._threads))
            return self._open[1]
